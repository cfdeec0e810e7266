"""What is kept, by subject. A table validates nothing.

Ids are random, and a person is found by pseudonym. Columns named `sealed` hold AES-256-GCM bodies,
which open only with the row's data key, the table's name, the row's key and its version.
"""

from flagservice.store.tables.acknowledgements import AcknowledgementRow
from flagservice.store.tables.alarms import AlarmCause, AlarmRow, StrangerRow
from flagservice.store.tables.audit import CheckpointRow, LeafRow, TreeHeadRow
from flagservice.store.tables.clients import AssertionRow, ClientRow, IdempotencyRow
from flagservice.store.tables.copies import CopyRow, FeedCounterRow, GroundRow, VersionRow
from flagservice.store.tables.deliveries import AttemptRow, DeliveryRow, EndpointRow
from flagservice.store.tables.keys import PseudonymVersionRow
from flagservice.store.tables.leak_checks import AcceptedVerdict, CheckerRow, LeakResultRow
from flagservice.store.tables.people import PersonRow, RegistrationRow
from flagservice.store.tables.policies import (
    ApproverRow,
    PolicyApprovalRow,
    PolicyChangeRow,
    PolicyTextRow,
)
from flagservice.store.tables.rulings import HoldRow, LookupRow, RulingRow
from flagservice.store.tables.submissions import NamingRow, PlanRow, SubmissionRow

__all__ = [
    "AcceptedVerdict",
    "AcknowledgementRow",
    "AlarmCause",
    "AlarmRow",
    "ApproverRow",
    "AssertionRow",
    "AttemptRow",
    "CheckerRow",
    "CheckpointRow",
    "ClientRow",
    "CopyRow",
    "DeliveryRow",
    "EndpointRow",
    "FeedCounterRow",
    "GroundRow",
    "HoldRow",
    "IdempotencyRow",
    "LeafRow",
    "LeakResultRow",
    "LookupRow",
    "NamingRow",
    "PersonRow",
    "PlanRow",
    "PolicyApprovalRow",
    "PolicyChangeRow",
    "PolicyTextRow",
    "PseudonymVersionRow",
    "RegistrationRow",
    "RulingRow",
    "StrangerRow",
    "SubmissionRow",
    "TreeHeadRow",
    "VersionRow",
]
