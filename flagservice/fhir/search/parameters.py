"""What can be searched by, and where each parameter is defined: by the standard where R4 has one.

R4 defines no status, category or code for Flag, so those are ours, in `profiles/`.
https://hl7.org/fhir/R4/searchparameter-registry.html
"""

from dataclasses import dataclass
from typing import Any, Final

from flagservice.fhir.flags import CANONICAL

_CORE: Final = "http://hl7.org/fhir/SearchParameter"
_DATE: Final = "2026-11-23"


@dataclass(frozen=True)
class Criterion:
    """One search parameter of a type. `of` is its name where the standard defines it."""

    name: str
    type: str
    documentation: str
    standard: str | None = None

    def definition(self, type_: str) -> str:
        """Returns the canonical address of its SearchParameter."""
        return f"{_CORE}/{self.standard}" if self.standard else f"{CANONICAL}/{_place(type_, self)}"


_ID: Final = Criterion("_id", "token", "The resource's id, or several.", "Resource-id")
_UPDATED: Final = Criterion(
    "_lastUpdated",
    "date",
    "An instant with its zone, after eq, ge, gt, le, lt or nothing. It is compared with"
    " meta.lastUpdated, which has the hour of the commit: to hear of what is new, follow the feed.",
    "Resource-lastUpdated",
)
_PATIENT: Final = (
    "By NHS number, as patient:identifier, in the body of POST _search alone: never in a URL."
)


_TARGET: Final = "Flag/[id] or Task/[id]: one of the caller's own. It is needed."


def _token(name: str, standard: str | None = None) -> Criterion:
    said = f"The {name} that it now has: system|code, |code, system| or code; a comma means or."
    return Criterion(name, "token", said, standard)


CRITERIA: Final = {
    "Flag": (
        _ID,
        _UPDATED,
        Criterion("patient", "reference", _PATIENT, "clinical-patient"),
        _token("status"),
        _token("category"),
        _token("code"),
    ),
    "Task": (
        _ID,
        _UPDATED,
        Criterion("patient", "reference", _PATIENT, "Task-patient"),
        _token("status", "Task-status"),
        _token("code", "Task-code"),
    ),
    "Provenance": (Criterion("target", "reference", _TARGET, "Provenance-target"),),
    "AuditEvent": (Criterion("entity", "reference", _TARGET, "AuditEvent-entity"),),
}
"""By type, everything that it can be searched by."""


def search_parameters() -> dict[str, dict[str, Any]]:
    """Returns our own SearchParameter resources, by their ids."""
    return {
        _id(type_, one): _resource(type_, one)
        for type_, criteria in CRITERIA.items()
        for one in criteria
        if one.standard is None
    }


def _resource(type_: str, criterion: Criterion) -> dict[str, Any]:
    name = criterion.name
    return {
        "resourceType": "SearchParameter",
        "id": _id(type_, criterion),
        "url": f"{CANONICAL}/{_place(type_, criterion)}",
        "version": "0.1.0",
        "name": f"Safeguarding{type_}{name.capitalize()}",
        "status": "draft",
        "date": _DATE,
        "publisher": "flagservice",
        "description": criterion.documentation,
        "code": name,
        "base": [type_],
        "type": criterion.type,
        "expression": f"{type_}.{name}",
        "xpathUsage": "normal",
        "multipleOr": True,
        "multipleAnd": True,
    }


def _id(type_: str, criterion: Criterion) -> str:
    return f"{type_}-{criterion.name}"


def _place(type_: str, criterion: Criterion) -> str:
    return f"SearchParameter/{_id(type_, criterion)}"
