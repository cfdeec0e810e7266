"""An example of each request and refusal, for the API's description; all people are made up."""

from typing import Any, Final

import orjson

from flagservice.domain.errors import Fault
from flagservice.domain.people import NHS_NUMBER_SYSTEM
from flagservice.fhir.outcomes import outcome

Json = dict[str, Any]
_ID: Final = "0f6c1e2b9d834a5c8e7f60718293a4b5"
_CHILD: Final = {
    "role": "child",
    "nhs_number": "9990548609",
    "date_of_birth": "2021-12-06",
    "identity": "confirmed",
    "involvement": "included",
}
_FATHER: Final = {**_CHILD, "role": "father", "nhs_number": "9990548633"}
_SAID: Final = {
    "version": 1,
    "consent": {"sought": True, "answer": "given"},
    "lawful_basis": ["public-task"],
    "purpose": "safeguarding-of-a-child",
}
BODIES: Final[dict[str, Json]] = {
    "post_plan": {
        "kind": "child-protection",
        "reference": "CPP-1",
        **_SAID,
        "start": "2022-01-04",
        "categories": ["neglect"],
        "people": [_CHILD],
    },
    "post_enquiry": {
        "kind": "section-47",
        "reference": "S47-1",
        **_SAID,
        "start": "2022-01-04",
        "people": [_CHILD],
    },
    "post_notification": {
        "kind": "perpetrator",
        "reference": "DA-1",
        **_SAID,
        "people": [{**_FATHER, "standing": "alleged-perpetrator", "knows": "must-not-know"}],
    },
    "post_decision": {
        "outcome": "place",
        "decided_by": "Dr N. Amed",
        "reason": "a recorded risk decision",
    },
    "post_closing": {"decided_by": "A. Lead", "reason": "the practice was rung up"},
    "post_token": {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": "eyJ…",
    },
    "$acknowledge": {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "version", "valueString": _ID},
            {"name": "outcome", "valueCode": "queried"},
            {"name": "reason", "valueCode": "thought-ended"},
        ],
    },
    "/fhir/R4/Flag/_search": {"patient:identifier": f"{NHS_NUMBER_SYSTEM}|9990548609"},
    "/fhir/R4/Task/_search": {"patient:identifier": f"{NHS_NUMBER_SYSTEM}|9990548609"},
    "/fhir/R4/Provenance/_search": {"target": f"Flag/{_ID}"},
    "/fhir/R4/AuditEvent/_search": {"entity": f"Flag/{_ID}"},
}
"""By the name of the route, or by its address where several share a name."""

_VALUES: Final[Json] = {
    "_count": 50,
    "_lastUpdated": "ge2022-01-04T09:00:00.000Z",
    "_since": "2022-01-04T09:00:00Z",
    "_id": _ID,
    "category": "https://fhir.nhs.uk/CodeSystem/flag-categories-bars|SG",
    "code": "http://snomed.info/sct|342191000000101",
    "target": f"Flag/{_ID}",
    "entity": f"Flag/{_ID}",
    "reference": "CPP-1",
    "day": "2022-01-04",
    "kind": "child-protection",
    "action": "place",
    "element": "concern",
    "limit": 100,
    "policy_version": 1,
    "Idempotency-Key": "post-of-CPP-1",
    "X-Request-ID": "1ab5f8e4-07c6-4a3c-9d3b-3f6f5ac0e6b1",
    "X-Correlation-ID": "1ab5f8e4-07c6-4a3c-9d3b-3f6f5ac0e6b2",
    "NHSD-End-User-Organisation-ODS": "B83901",
}
_STATUSES: Final = {"Flag": "active", "Task": "requested"}
_FAULT: Final = Fault("_count", "is a number from 1 to 200")


def of_parameter(path: str, name: str) -> Any:
    """A value that this parameter may have, wherever it stands."""
    if name == "status":
        return next((value for type_, value in _STATUSES.items() if type_ in path), "active")
    return _VALUES.get(name, _ID)


def of_refusal(status: int, rule: str, *, media_type: str) -> Json:
    """The body of a refusal, as it is written for a caller of that side."""
    faults = (_FAULT,) if status == 422 else ()
    match media_type:
        case "application/fhir+json":
            told: Json = orjson.loads(outcome(status, rule, faults))
            return told
        case "application/problem+json":
            errors = [{"field": fault.field, "rule": fault.rule} for fault in faults]
            return {"type": "about:blank", "status": status, "title": rule, "errors": errors}
        case _:
            message = {"message_id": _VALUES["X-Request-ID"]}
            return {"error": "invalid_request", "error_description": rule, **message}
