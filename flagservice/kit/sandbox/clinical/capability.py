"""Says what this server does: https://hl7.org/fhir/R4/capabilitystatement.html."""

from .. import wire
from ..outcomes import FHIR_JSON, SandboxReply
from ..practice import RoutedRequest, SandboxPractice
from ..wire import Resource
from .interactions import NOTICES

_PARAMETERS = [
    {"name": "identifier", "type": "token"},
    {"name": "patient", "type": "reference", "documentation": "patient:identifier, by POST only"},
]


def metadata(practice: SandboxPractice, routed: RoutedRequest) -> SandboxReply:
    """Returns the CapabilityStatement: https://hl7.org/fhir/R4/http.html#capabilities."""
    statement = {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": "2025-01-01",
        "kind": "instance",
        "implementation": {
            "description": f"stand-in for the clinical system of practice {practice.ods_code}",
            "url": routed.request.base,
        },
        "fhirVersion": "4.0.1",
        "format": [FHIR_JSON],
        "rest": [{"mode": "server", "resource": [*_notices(), *_entries()]}],
    }
    return SandboxReply(200, wire.write(statement))


def _notices() -> list[Resource]:
    return [
        _resource(kind, "read", "vread", "update", "search-type")
        | {"conditionalUpdate": True, "updateCreate": False, "searchParam": _PARAMETERS}
        for kind in sorted(NOTICES)
    ]


def _entries() -> list[Resource]:
    return [
        _resource(kind, "read", "vread", "create", "update", "search-type")
        | {"conditionalUpdate": True, "updateCreate": False, "searchParam": _PARAMETERS[:1]}
        for kind in ("Condition", "Observation")
    ]


def _resource(kind: str, *interactions: str) -> Resource:
    return {
        "type": kind,
        "interaction": [{"code": code} for code in interactions],
        "versioning": "versioned",
    }
