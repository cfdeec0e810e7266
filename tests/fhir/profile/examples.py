"""A flag and a request that conform, and the profiles, for the tests beside this file."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flagservice.fhir.profile.check import Profile

PROFILES = Path(__file__).parents[3] / "profiles"
CANONICAL = "https://flagservice.example/fhir/StructureDefinition"
IDENTIFIER = "https://flagservice.example/Id"
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
NOPAT = "no disclosure to patient, family or caregivers without attending provider's authorization"
SNOMED = "http://snomed.info/sct"
EXTENSIONS = ("review-due", "expected-date", "duty-desk", "feed-number")
Path_ = tuple[str | int, ...]

LABELS = [
    {"system": ACT_CODE, "code": "NOPAT", "display": NOPAT},
    {
        "system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality",
        "code": "V",
        "display": "very restricted",
    },
    {"system": ACT_CODE, "code": "PERSISTLABEL", "display": "persist security label"},
]
REVIEW = {"url": f"{CANONICAL}/review-due", "valueDate": "2027-01-20"}
EXPECTED = {"url": f"{CANONICAL}/expected-date", "valueDate": "2027-03-02"}
DESK = {
    "url": f"{CANONICAL}/duty-desk",
    "valueContactDetail": {
        "name": "Safeguarding duty desk",
        "telecom": [{"system": "phone", "value": "01632 960 001", "use": "work"}],
    },
}
PATIENT = {
    "type": "Patient",
    "identifier": {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9990001111"},
}
AGENCY = {
    "type": "Organization",
    "identifier": {"system": "https://fhir.nhs.uk/Id/ods-organization-code", "value": "A1B2C"},
    "display": "Anytown Children's Services",
}


def _meta(profile: str) -> dict[str, Any]:
    return {
        "versionId": "1",
        "lastUpdated": "2026-11-23T09:30:00.000Z",
        "profile": [f"{CANONICAL}/{profile}"],
        "security": LABELS,
    }


def _identifiers(kind: str) -> list[dict[str, str]]:
    return [
        {"system": f"{IDENTIFIER}/{kind}", "value": "3f0c8a4e5d7b42019c6e1a2b3c4d5e6f"},
        {"system": f"{IDENTIFIER}/{kind}-version", "value": "a1b2c3d4e5f60718293a4b5c6d7e8f90"},
    ]


def _category(system: str, code: str, display: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code, "display": display}]}


FLAG: dict[str, Any] = {
    "resourceType": "Flag",
    "id": "3f0c8a4e5d7b42019c6e1a2b3c4d5e6f",
    "meta": _meta("SafeguardingFlag"),
    "extension": [REVIEW, EXPECTED, DESK],
    "identifier": _identifiers("flag"),
    "status": "active",
    "category": [
        _category(
            "https://fhir.nhs.uk/CodeSystem/flag-categories-bars", "SG", "Safeguarding Concern"
        ),
        _category(SNOMED, "802301000000102", "Child protection category emotional"),
        _category(SNOMED, "802271000000100", "Child protection category neglect"),
    ],
    "code": _category(SNOMED, "342191000000101", "Subject to child protection plan"),
    "subject": PATIENT,
    "period": {"start": "2026-11-20", "end": "2027-11-20"},
    "author": AGENCY,
}
REQUEST: dict[str, Any] = {
    "resourceType": "Task",
    "id": "3f0c8a4e5d7b42019c6e1a2b3c4d5e6f",
    "meta": _meta("SafeguardingRequest"),
    "extension": [REVIEW, DESK],
    "identifier": _identifiers("request"),
    "status": "requested",
    "intent": "order",
    "code": _category(
        "https://flagservice.example/fhir/CodeSystem/safeguarding-request",
        "contact-duty-desk",
        "Contact the safeguarding duty desk about this patient",
    ),
    "for": PATIENT,
    "executionPeriod": {"start": "2026-11-20", "end": "2027-11-20"},
    "requester": AGENCY,
}
EXAMPLES = {"Flag": FLAG, "Task": REQUEST}


def definition(name: str) -> dict[str, Any]:
    """A StructureDefinition of this project, as data."""
    text = (PROFILES / f"StructureDefinition-{name}.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def value_sets() -> list[str]:
    """The texts of all value sets of this project."""
    return [one.read_text(encoding="utf-8") for one in sorted(PROFILES.glob("ValueSet-*.json"))]


def extensions() -> list[str]:
    """The texts of all extension definitions of this project."""
    return [json.dumps(definition(name)) for name in EXTENSIONS]


def load(name: str) -> Profile:
    """A profile of this project, ready for use."""
    return Profile.load(json.dumps(definition(name)), value_sets(), extensions())


CHECKERS = {"Flag": load("SafeguardingFlag"), "Task": load("SafeguardingRequest")}


def problems(resource: dict[str, Any]) -> list[str]:
    """What the profile of its own type has against a resource."""
    return CHECKERS[resource["resourceType"]].problems(resource)


def places(value: Any, path: Path_ = ()) -> Iterator[tuple[Path_, Any]]:
    """Every place below a value, with what stands there."""
    members = value.items() if isinstance(value, dict) else enumerate(value)
    for name, part in members:
        yield (*path, name), part
        if isinstance(part, dict | list):
            yield from places(part, (*path, name))


def at(resource: Any, path: Path_) -> Any:
    """What stands at a place."""
    for step in path:
        resource = resource[step]
    return resource


def put(resource: dict[str, Any], path: Path_, value: Any) -> dict[str, Any]:
    """A copy of the resource with something else at one place."""
    changed = copy.deepcopy(resource)
    at(changed, path[:-1])[path[-1]] = copy.deepcopy(value)
    return changed


def without(resource: dict[str, Any], path: Path_) -> dict[str, Any]:
    """A copy of the resource with nothing at one place."""
    changed = copy.deepcopy(resource)
    del at(changed, path[:-1])[path[-1]]
    return changed


def spelt(resource: dict[str, Any], path: Path_) -> str:
    """A place as a person would write it."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return "".join((str(resource["resourceType"]), *steps))
