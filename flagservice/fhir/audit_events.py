"""What a practice itself did with a flag, as FHIR tells an audit. An event names one flag alone.

An event is labelled as its flag is: that a flag was read says that there is one. One answer may
tell of relatives, and each one's event may be kept in another record. So an event has an id of its
own, and its hour alone. A second would join all events of one page; the hour is what every version
says. https://hl7.org/fhir/R4/auditevent.html
"""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from flagservice.domain.codes import ODS_SYSTEM
from flagservice.domain.copies import Label
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
class AuditedDeed:
    """One deed, and the versions of one copy that it names.

    `id` and `at` are those of its leaf.
    """

    id: str
    deed: str
    at: str
    ods: str
    client: str
    target: str
    versions: tuple[str, ...]


def audit_event(event: AuditedDeed, *, labels: tuple[Label, ...]) -> dict[str, Any]:
    """Returns the AuditEvent of one deed to one flag. `labels` are the flag's.

    The same leaf and flag are always the same event. Two flags' events of one leaf share only who
    did what, and the hour. Who does not hold the leaf cannot join them.
    """
    code, action = _INTERACTIONS[event.deed]
    named = [f"{event.target}/_history/{version}" for version in event.versions]
    return {
        "resourceType": "AuditEvent",
        "id": _id_of(event),
        "meta": {"security": security(labels)},
        "type": {"system": _TYPE, "code": "rest"},
        "subtype": [{"system": _SUBTYPE, "code": code}],
        "action": action,
        "recorded": _hour_of(event.at),
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


def _id_of(event: AuditedDeed) -> str:
    """Returns an event's id. A leaf's id is random and secret, so no other id can be guessed."""
    return sha256(f"{event.id} {event.target}".encode()).hexdigest()[:32]


def _hour_of(at: str) -> str:
    return datetime.fromisoformat(at).replace(minute=0, second=0, microsecond=0).isoformat()
