"""Says what the patient's FHIR API offers: https://hl7.org/fhir/R4/capabilitystatement.html.

It is the same whatever stands in a record.
"""

from .. import wire
from ..outcomes import FHIR_JSON, SandboxReply
from ..wire import Resource
from .record import NEVER_EMPTY_HANDED, TYPES

_PARAMETERS = {
    "_id": "token",
    "_lastUpdated": "date",
    "_security": "token",
    "patient": "reference",
    "code": "token",
    "category": "token",
    "status": "token",
    "date": "date",
}
_INTERACTIONS = ("read", "vread", "history-instance", "history-type", "search-type")
_OPERATIONS = {"Patient": ("everything", "export"), "Composition": ("document",)}
_DEFINED = "http://hl7.org/fhir/OperationDefinition"


def metadata(base: str) -> SandboxReply:
    """Returns the CapabilityStatement of the patient's side."""
    statement = {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": "2025-01-01",
        "kind": "instance",
        "implementation": {"description": "what a patient may read", "url": base},
        "fhirVersion": "4.0.1",
        "format": [FHIR_JSON],
        "rest": [
            {
                "mode": "server",
                "resource": [_resource(kind) for kind in (*TYPES, *NEVER_EMPTY_HANDED)],
                "interaction": [{"code": "search-system"}, {"code": "history-system"}],
                "operation": [{"name": "export", "definition": f"{_DEFINED}/system-export"}],
            }
        ],
    }
    return SandboxReply(200, wire.write(statement))


def _resource(kind: str) -> Resource:
    others = [one for one in (*TYPES, *NEVER_EMPTY_HANDED) if one != "Patient"]
    return {
        "type": kind,
        "interaction": [{"code": code} for code in _INTERACTIONS],
        "versioning": "versioned",
        "searchParam": [{"name": name, "type": of} for name, of in _PARAMETERS.items()],
        "searchInclude": [] if kind == "Patient" else [f"{kind}:patient"],
        "searchRevInclude": [f"{one}:patient" for one in others] if kind == "Patient" else [],
        "operation": [
            {"name": name, "definition": f"{_DEFINED}/{kind}-{name}"}
            for name in _OPERATIONS.get(kind, ())
        ],
    }
