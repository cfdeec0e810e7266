"""Where a flag comes from, made of what the flag itself says. Nothing more is told.

An agency is named where the flag names it, and by its code alone. The instant is the flag's own.
https://hl7.org/fhir/R4/provenance.html
"""

from typing import Any, Final

_AGENT: Final = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
_ACTIVITY: Final = "http://terminology.hl7.org/CodeSystem/v3-DataOperation"
_SERVICE: Final = {"display": "flagservice"}

Json = dict[str, Any]


def provenance(resource: Json, *, removal: bool) -> Json:
    """Returns the Provenance of one version, with that version's id and labels."""
    meta = resource["meta"]
    return {
        "resourceType": "Provenance",
        "id": meta["versionId"],
        "meta": {"lastUpdated": meta["lastUpdated"], "security": meta["security"]},
        "target": [{"reference": reference(resource)}],
        "recorded": meta["lastUpdated"],
        "activity": {"coding": [{"system": _ACTIVITY, "code": "DELETE" if removal else "CREATE"}]},
        "agent": [_agent("assembler", _SERVICE), *_authors(resource)],
    }


def reference(resource: Json) -> str:
    """Returns the reference to this very version."""
    version = resource["meta"]["versionId"]
    return f"{resource['resourceType']}/{resource['id']}/_history/{version}"


def _authors(resource: Json) -> list[Json]:
    said = resource.get("author") or resource.get("requester")
    return [_agent("author", said)] if said else []


def _agent(type_: str, who: Json) -> Json:
    return {"type": {"coding": [{"system": _AGENT, "code": type_}]}, "who": who}
