"""Reads what a resource or a search is about, and refuses what leaves that open.

Tokens: https://hl7.org/fhir/R4/search.html#token
Logical references: https://hl7.org/fhir/R4/references.html#logical
"""

from urllib.parse import parse_qsl

from .. import wire
from ..outcomes import SandboxRefusal, unreadable
from ..practice import NHS_NUMBER, SandboxRequest
from ..store import Identifier
from ..wire import Resource

_JSON_TYPES = frozenset({"application/fhir+json", "application/json"})
_FORM_TYPES = frozenset({"application/x-www-form-urlencoded"})

_SUBJECTS = {"Flag": "subject", "Task": "for", "Condition": "subject", "Observation": "subject"}

_STATUSES = {
    "Flag": ("active", "inactive", "entered-in-error"),
    "Task": (
        *("draft", "requested", "received", "accepted", "rejected", "ready", "cancelled"),
        *("in-progress", "on-hold", "failed", "completed", "entered-in-error"),
    ),
}


def resource(request: SandboxRequest, *, kind: str) -> Resource:
    """Returns the resource in the body, of the type in the path; raises SandboxRefusal."""
    _of_type(request, _JSON_TYPES)
    try:
        found = wire.read(request.body)
    except wire.Unreadable:
        raise unreadable() from None
    if not isinstance(found, dict) or not isinstance(found.get("meta", {}), dict):
        raise unreadable()
    if found.get("resourceType") != kind:
        raise SandboxRefusal(400, "invalid", "resourceType must be the type that the path names")
    if kind in _STATUSES and found.get("status") not in _STATUSES[kind]:
        raise SandboxRefusal(422, "code-invalid", "status must be one that the type allows")
    return found


def subject(found: Resource, *, kind: str) -> str:
    """Returns the NHS number of the resource's person; raises SandboxRefusal."""
    match found.get(_SUBJECTS[kind]):
        case {"identifier": {"system": system, "value": str(value)}} if system == NHS_NUMBER:
            return value
        case _:
            raise SandboxRefusal(
                422, "required", "the person must be named by an NHS number identifier"
            )


def identifiers(found: Resource) -> set[Identifier]:
    """Returns the identifiers that have both a system and a value."""
    carried = found.get("identifier", [])
    if not isinstance(carried, list):
        raise unreadable()
    pairs = [(one.get("system"), one.get("value")) for one in carried if isinstance(one, dict)]
    return {(str(system), str(value)) for system, value in pairs if _are_words(system, value)}


def asked_identifier(request: SandboxRequest) -> Identifier:
    """Returns the one identifier that the query names."""
    return _token(_one_parameter(request.query, "identifier"))


def asked_patient(request: SandboxRequest) -> str:
    """Returns the NHS number in a form, which no log of addresses holds; raises SandboxRefusal."""
    _of_type(request, _FORM_TYPES)
    form = request.body.decode("ascii", errors="replace")
    system, value = _token(_one_parameter(form, "patient:identifier"))
    if request.query or system != NHS_NUMBER:
        raise _unclear()
    return value


def _are_words(*halves: object) -> bool:
    return all(isinstance(half, str) and half for half in halves)


def _one_parameter(text: str, name: str) -> str:
    try:
        pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=True, errors="strict")
    except ValueError:
        raise _unclear() from None
    if [key for key, _ in pairs] != [name]:
        raise _unclear()
    return pairs[0][1]


def _token(text: str) -> Identifier:
    system, bar, value = text.partition("|")
    if not (system and bar and value):
        raise _unclear()
    return system, value


def _unclear() -> SandboxRefusal:
    return SandboxRefusal(400, "invalid", "exactly one search parameter is needed, as system|value")


def _of_type(request: SandboxRequest, allowed: frozenset[str]) -> None:
    sent = request.header("Content-Type").partition(";")[0].strip().lower()
    if sent not in allowed:
        raise SandboxRefusal(415, "not-supported", "the content type is not one that is read here")
