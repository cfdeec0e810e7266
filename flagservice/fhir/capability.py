"""What the FHIR side does, made from its routes: https://hl7.org/fhir/R4/capabilitystatement.html"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from flagservice.fhir.flags import CANONICAL, PROFILES

FHIR_VERSION: Final = "4.0.1"
_SEARCH: Final = (
    ("patient", "http://hl7.org/fhir/SearchParameter/clinical-patient", "reference"),
    ("_lastUpdated", "http://hl7.org/fhir/SearchParameter/Resource-lastUpdated", "date"),
)


_SECURITY: Final = {
    "system": "http://terminology.hl7.org/CodeSystem/restful-security-service",
    "code": "SMART-on-FHIR",
}


@dataclass(frozen=True)
class Interaction:
    """One interaction that a route serves; without a type it is the system's or an operation."""

    code: str
    type: str | None = None


def statement(
    interactions: Iterable[Interaction], *, base: str, version: str, changed: date
) -> dict[str, Any]:
    """The CapabilityStatement for these interactions."""
    served = list(interactions)
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
                "security": {"service": [{"coding": [_SECURITY]}]},
                "resource": [_resource(type_, served) for type_ in PROFILES],
                "interaction": [{"code": i.code} for i in served if i.code == "history-system"],
                "operation": [
                    {
                        "name": "acknowledge",
                        "definition": f"{CANONICAL}/OperationDefinition/acknowledge",
                    }
                    for i in served
                    if i.code == "$acknowledge"
                ],
            }
        ],
    }


def _resource(type_: str, served: list[Interaction]) -> dict[str, Any]:
    return {
        "type": type_,
        "supportedProfile": [PROFILES[type_]],
        "interaction": [{"code": i.code} for i in served if i.type == type_],
        "versioning": "versioned",
        "readHistory": True,
        "searchParam": [
            {"name": name, "definition": definition, "type": kind}
            for name, definition, kind in _SEARCH
        ],
    }
