"""What the FHIR side does, made from its routes. https://hl7.org/fhir/R4/capabilitystatement.html"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from flagservice.fhir.flags import CANONICAL, PROFILES
from flagservice.fhir.search.parameters import CRITERIA

FHIR_VERSION: Final = "4.0.1"
_FEED: Final = (
    "Type history is the practice's feed: oldest first, each entry with its number, contiguous"
    " from 1; follow the next link, also where a page is empty. Search is strict unless"
    " Prefer: handling=lenient is sent. The newest version alone is searched."
)
_SECURITY: Final = {
    "system": "http://terminology.hl7.org/CodeSystem/restful-security-service",
    "code": "SMART-on-FHIR",
}


@dataclass(frozen=True)
class Interaction:
    """An interaction that a route serves, or an operation, which begins with a dollar sign.

    Without a type it is the system's.
    """

    code: str
    type: str | None = None


def statement(
    interactions: Iterable[Interaction], *, base: str, version: str, changed: date
) -> dict[str, Any]:
    """Returns the CapabilityStatement for these interactions."""
    served = list(interactions)
    types = dict.fromkeys(one.type for one in served if one.type is not None)
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": changed.isoformat(),
        "kind": "instance",
        "software": {"name": "flagservice", "version": version},
        "implementation": {"description": "Safeguarding flags for GP records", "url": base},
        "fhirVersion": FHIR_VERSION,
        "format": ["json"],
        "rest": [
            {
                "mode": "server",
                "documentation": _FEED,
                "security": {"service": [{"coding": [_SECURITY]}]},
                "resource": [_resource(type_, served) for type_ in types],
                "operation": _operations(None, served),
            }
        ],
    }


def _resource(type_: str, served: list[Interaction]) -> dict[str, Any]:
    codes = [one.code for one in served if one.type == type_]
    told: dict[str, Any] = {
        "type": type_,
        "supportedProfile": [PROFILES[type_]] if type_ in PROFILES else [],
        "interaction": [{"code": code} for code in codes if not code.startswith("$")],
        "versioning": "versioned" if "vread" in codes else "no-version",
        "readHistory": "history-instance" in codes,
        "conditionalRead": "not-match" if "vread" in codes else "not-supported",
        "searchParam": [
            {
                "name": one.name,
                "definition": one.definition(type_),
                "type": one.type,
                "documentation": one.documentation,
            }
            for one in CRITERIA[type_]
        ],
        "operation": _operations(type_, served),
    }
    return {name: value for name, value in told.items() if value != []}


def _operations(type_: str | None, served: list[Interaction]) -> list[dict[str, str]]:
    names = [one.code[1:] for one in served if one.type == type_ and one.code.startswith("$")]
    return [
        {"name": name, "definition": f"{CANONICAL}/OperationDefinition/{name}"} for name in names
    ]
