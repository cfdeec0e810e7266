"""What a practice itself did with a flag, as FHIR tells an audit. An event names one flag alone.

It is labelled as its flag is: that somebody read a flag says that there is one.
https://hl7.org/fhir/R4/auditevent.html
"""

from dataclasses import dataclass
from typing import Any, Final

from flagservice.domain.codes import ODS_SYSTEM
from flagservice.fhir.labels import security

_TYPE: Final = "http://terminology.hl7.org/CodeSystem/audit-event-type"
_SUBTYPE: Final = "http://hl7.org/fhir/restful-interaction"
_INTERACTIONS: Final = {
    "read": ("read", "R"),
    "searched": ("search-type", "E"),
    "fed": ("history-type", "R"),
    "provenance-read": ("search-type", "E"),
    "queried": ("operation", "E"),
    "rejected-by-practice": ("operation", "E"),
}
DEEDS: Final = frozenset(_INTERACTIONS)
"""What is told: each is something that the practice's own client asked for."""


@dataclass(frozen=True)
class Event:
    """One deed: its random id, who did it and when, and the versions of one copy that it names."""

    id: str
    deed: str
    at: str
    ods: str
    client: str
    target: str
    versions: tuple[str, ...]


def audit_event(event: Event, *, labels: tuple[str, ...]) -> dict[str, Any]:
    """The AuditEvent of one deed; `labels` are its flag's."""
    code, action = _INTERACTIONS[event.deed]
    named = [f"{event.target}/_history/{version}" for version in event.versions]
    return {
        "resourceType": "AuditEvent",
        "id": event.id,
        "meta": {"security": security(labels)},
        "type": {"system": _TYPE, "code": "rest"},
        "subtype": [{"system": _SUBTYPE, "code": code}],
        "action": action,
        "recorded": event.at,
        "outcome": "0",
        "agent": [
            {
                "who": {
                    "type": "Organization",
                    "identifier": {"system": ODS_SYSTEM, "value": event.ods},
                },
                "altId": event.client,
                "requestor": True,
            }
        ],
        "source": {"observer": {"display": "flagservice"}},
        "entity": [{"what": {"reference": one}} for one in named or [event.target]],
    }
