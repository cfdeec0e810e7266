"""An example of each request and parameter, for the API's description; all people are made up."""

from typing import Any, Final

from flagservice.domain.errors import Fault
from flagservice.domain.people import NHS_NUMBER_SYSTEM

Json = dict[str, Any]
REQUEST_ID: Final = "1ab5f8e4-07c6-4a3c-9d3b-3f6f5ac0e6b1"
CORRELATION_ID: Final = "1ab5f8e4-07c6-4a3c-9d3b-3f6f5ac0e6b2"
ID: Final = "0f6c1e2b9d834a5c8e7f60718293a4b5"
REFERENCE: Final = "CPP-1"
IDEMPOTENCY_KEY: Final = "post-of-CPP-1"
FAULT: Final = Fault("_count", "is a number from 1 to 200")
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
PLAN: Final[Json] = {
    "kind": "child-protection",
    "reference": REFERENCE,
    **_SAID,
    "start": "2022-01-04",
    "categories": ["neglect"],
    "people": [_CHILD],
}
ENQUIRY: Final[Json] = {
    "kind": "section-47",
    "reference": "S47-1",
    **_SAID,
    "start": "2022-01-04",
    "people": [_CHILD],
}
NOTIFICATION: Final[Json] = {
    "kind": "perpetrator",
    "reference": "DA-1",
    **_SAID,
    "people": [{**_FATHER, "standing": "alleged-perpetrator", "knows": "must-not-know"}],
}
DECISION: Final[Json] = {
    "outcome": "place",
    "decided_by": "Dr N. Amed",
    "reason": "a recorded risk decision",
}
CLOSING: Final[Json] = {"decided_by": "A. Lead", "reason": "the practice was rung up"}
TOKEN: Final[Json] = {
    "grant_type": "client_credentials",
    "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    "client_assertion": "eyJ…",
}
ACKNOWLEDGEMENT: Final[Json] = {
    "resourceType": "Parameters",
    "parameter": [
        {"name": "version", "valueString": ID},
        {"name": "outcome", "valueCode": "queried"},
        {"name": "reason", "valueCode": "thought-ended"},
    ],
}
SEARCHES: Final[dict[str, Json]] = {
    "Flag": {"patient:identifier": f"{NHS_NUMBER_SYSTEM}|9990548609"},
    "Task": {"patient:identifier": f"{NHS_NUMBER_SYSTEM}|9990548609"},
    "Provenance": {"target": f"Flag/{ID}"},
    "AuditEvent": {"entity": f"Flag/{ID}"},
}
CRITERIA: Final[dict[tuple[str, str], str]] = {
    ("Flag", "status"): "active",
    ("Task", "status"): "requested",
    ("Flag", "category"): "https://fhir.nhs.uk/CodeSystem/flag-categories-bars|SG",
    ("Flag", "code"): "http://snomed.info/sct|342191000000101",
    ("Task", "code"): "http://snomed.info/sct|342191000000101",
    ("Flag", "_id"): ID,
    ("Task", "_id"): ID,
    ("Flag", "_lastUpdated"): "ge2022-01-04T09:00:00.000Z",
    ("Task", "_lastUpdated"): "ge2022-01-04T09:00:00.000Z",
    ("Flag", "patient"): f"{NHS_NUMBER_SYSTEM}|9990548609",
    ("Task", "patient"): f"{NHS_NUMBER_SYSTEM}|9990548609",
    ("Provenance", "target"): f"Flag/{ID}",
    ("AuditEvent", "entity"): f"Flag/{ID}",
}
SINCE: Final = "2022-01-04T09:00:00Z"
COUNT: Final = 50
