"""What is safeguarding: reads one entry, or one line of a list, and says why it must be hidden.

Everything in it is read, however deep: contained resources, extensions, notes, narratives and
attached text. One hit hides the whole, because a GP system redacts whole entries (catalogue, F1).
What cannot be read is hidden, too.

The names of people and places alone hide nothing: a GP who is the practice's safeguarding lead
signs everybody's prescriptions. Codes and labels on them do hide.
"""

import re
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from enum import StrEnum
from typing import Any, Final

from flagservice.fhir.flags import CANONICAL
from flagservice.fhir.patient_view import codes, labels
from flagservice.fhir.patient_view.attached import attached_to
from flagservice.fhir.patient_view.types import RESOURCE_TYPES
from flagservice.fhir.patient_view.words import (
    readings,
    says_that_something_is_withheld,
    speaks_of_safeguarding,
)

MOST_DEPTH: Final = 60
"""FHIR content nests about ten deep; what nests deeper is not read but hidden."""

STAFF: Final = frozenset(
    {"HealthcareService", "Location", "Organization", "Practitioner", "PractitionerRole"}
)
"""Who works for patients, and where: their words are about their work, not about one patient."""

_OURS: Final = CANONICAL.removesuffix("/fhir")
_IDS: Final = re.compile(r"(?<![0-9])[0-9]{6,18}(?![0-9])")
_READ: Final = re.compile(r"([A-Za-z0-9]{4,5})\.{0,3}(?:[0-9]{2})?")
_NAMES_ITSELF: Final = frozenset({"resourceType", "reference"})
_FLAGS_SERVICE: Final = re.compile(r"patient[ -]?flags?", re.IGNORECASE)
_WITHHELD_ISSUES: Final = frozenset({"suppressed", "security", "forbidden"})


class HidingReason(StrEnum):
    """Why something is not shown. It is for the operator's report alone."""

    UNREADABLE = "unreadable"
    """it cannot be understood"""
    UNREAD = "unread-attachment"
    """something is attached that cannot be read, such as a PDF or a scan, and was not released"""
    LABEL = "label"
    UNREADABLE_LABEL = "unreadable-label"
    OURS = "ours"
    """it carries a profile, extension, identifier or code of this service"""
    CODE = "code"
    WORDS = "words"
    WITHHOLDING = "withholding"
    """it says that something is withheld"""
    UNKNOWN_FLAG = "unknown-flag"
    """a Flag that does not say, in words or a published code, what it is about"""
    REFERENCE = "reference"
    """it refers to what is hidden, or is another version of it"""
    ONLY_FOR_HIDDEN = "only-for-hidden"
    """it is here for the sake of hidden entries alone"""
    EMPTY = "empty"
    """a list or bundle in which nothing is left, or was"""
    WHOLE = "whole"
    """all of its bundle is hidden"""


def reason_to_hide(content: Any) -> HidingReason | None:
    """Returns why a patient may not see this, or None if they may."""
    if not is_shallow(content) or not _is_whole(content):
        return HidingReason.UNREADABLE
    objects, texts = list(objects_in(content)), list(texts_in(content))
    return (
        _by_label(objects, texts)
        or _by_code(objects, texts)
        or _by_words(texts_in(content, but=STAFF))
        or _by_type(objects, texts)
        or _by_attachment(content)
    )


def is_shallow(content: Any) -> bool:
    """Returns whether all of it can be read: nothing nests deeper than a resource does."""
    return all(depth <= MOST_DEPTH for _, _, depth in _walk(content))


def texts_in(content: Any, *, but: AbstractSet[str] = frozenset()) -> Iterator[str]:
    """Yields every text, name and number at any depth, and the text that is attached as data.

    Resources of some types, the content itself or contained, can be left out.
    """
    for name, value, _ in _walk(content, but=but):
        yield from _texts(name, value)


def speaks(content: Any) -> bool:
    """Returns whether there is a word of safeguarding in it, about staff or a patient."""
    return _by_words(texts_in(content)) is not None


def objects_in(content: Any) -> Iterator[dict[str, Any]]:
    """Returns every object at any depth, the content itself first."""
    return (value for _, value, _ in _walk(content) if isinstance(value, dict))


def _walk(content: Any, *, but: AbstractSet[str] = frozenset()) -> Iterator[tuple[str, Any, int]]:
    """Yields every value with its name and depth, down to one level past the limit."""
    waiting = [("", content, 0)]
    while waiting:
        name, value, depth = waiting.pop()
        if isinstance(value, dict) and str(value.get("resourceType")) in but:
            continue
        yield name, value, depth
        if depth > MOST_DEPTH:
            continue
        if isinstance(value, dict):
            waiting += [(str(key), held, depth + 1) for key, held in reversed(value.items())]
            waiting += [(name, str(key), depth + 1) for key in value]
        elif isinstance(value, list):
            waiting += [(name, held, depth + 1) for held in reversed(value)]


def _texts(name: str, value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (text for text in attached_to(value, name=name) if text is not None)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)


def _by_attachment(content: Any) -> HidingReason | None:
    held = (
        text
        for name, value, _ in _walk(content)
        if isinstance(value, dict)
        for text in attached_to(value, name=name)
    )
    return HidingReason.UNREAD if None in held and not labels.releases(content) else None


def _is_whole(content: Any) -> bool:
    """Returns whether every resource in it has the shape of one, contained or in parameters."""
    for part in objects_in(content):
        type_ = part.get("resourceType", "Basic")
        if not isinstance(type_, str) or type_ not in RESOURCE_TYPES:
            return False
        contained = part.get("contained", [])
        if not isinstance(contained, list):
            return False
        inner = part.get("resource")
        held = [*contained, inner] if isinstance(inner, dict) else contained
        if not all(isinstance(one, dict) and one.keys() & _NAMES_ITSELF for one in held):
            return False
    return True


def _by_label(objects: list[dict[str, Any]], texts: list[str]) -> HidingReason | None:
    found = [labels.labels_in(part) for part in objects]
    readable = [one for held in found if held for one in held]
    if any(labels.is_no_patient(text) for text in texts) or any(map(labels.hides, readable)):
        return HidingReason.LABEL
    if None in found or not labels.are_all_found(objects):
        return HidingReason.UNREADABLE_LABEL
    if any(map(labels.tells_of_withholding, readable)):
        return HidingReason.WITHHOLDING
    return None


def _by_code(objects: list[dict[str, Any]], texts: list[str]) -> HidingReason | None:
    if any(text.strip().casefold().startswith(_OURS) for text in texts):
        return HidingReason.OURS
    known = any(_is_known(text) for text in texts)
    return HidingReason.CODE if known or any(map(_is_local, objects)) else None


def _is_known(text: str) -> bool:
    alone = text.strip()
    read = _READ.fullmatch(alone) if len(alone) < 12 else None
    return (
        not codes.SNOMED.isdisjoint(_IDS.findall(text))
        or (read is not None and read[1] in codes.READ)
        or alone.casefold() in codes.DISTINCT
    )


def _is_local(part: dict[str, Any]) -> bool:
    system = str(part.get("system", "")).strip().casefold().partition("|")[0]
    code = str(part.get("code", "")).strip().casefold()
    return system in codes.SYSTEMS or (system, code) in codes.LOCAL


def _by_words(texts: Iterable[str]) -> HidingReason | None:
    found = {reading for text in texts for reading in readings(text)}
    if any(map(speaks_of_safeguarding, found)):
        return HidingReason.WORDS
    if any(map(says_that_something_is_withheld, found)):
        return HidingReason.WITHHOLDING
    return None


def _by_type(objects: list[dict[str, Any]], texts: list[str]) -> HidingReason | None:
    for part in objects:
        match part.get("resourceType"):
            case "Flag" if not _is_understood(part):
                return HidingReason.UNKNOWN_FLAG
            case "AuditEvent" if any(_FLAGS_SERVICE.search(text) for text in texts):
                return HidingReason.WITHHOLDING
            case "OperationOutcome" if _tells_of_issues(part):
                return HidingReason.WITHHOLDING
    return None


def _is_understood(flag: dict[str, Any]) -> bool:
    """Returns whether a Flag says what it is about: safeguarding flags are worded neutrally.

    A category in words says it, and so does a published code that is not in our lists.
    """
    categories = list(objects_in(flag.get("category")))
    said = any(isinstance(one.get(name), str) for one in categories for name in ("display", "text"))
    coded = [*categories, *objects_in(flag.get("code"))]
    return said or any(
        str(one.get("system", "")).casefold() in codes.KNOWN_SYSTEMS and one.get("code")
        for one in coded
    )


def _tells_of_issues(outcome: dict[str, Any]) -> bool:
    """Returns whether an outcome says that something was left out.

    https://hl7.org/fhir/R4/valueset-issue-type.html
    """
    return any(str(one.get("code")).casefold() in _WITHHELD_ISSUES for one in objects_in(outcome))
