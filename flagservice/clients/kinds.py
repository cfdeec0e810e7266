"""The kinds of organisation that may call, and the scopes that each may hold."""

from enum import StrEnum
from typing import Final


class ClientKind(StrEnum):
    """What a client's organisation is to us."""

    CHILDRENS_SERVICES = "childrens-services"
    POLICE = "police"
    ZERO_TO_NINETEEN = "zero-to-nineteen"
    GP_SYSTEM = "gp-system"
    PRACTICE_LEAD = "practice-lead"
    REVIEWER = "reviewer"
    GOVERNANCE = "governance"
    OPERATOR = "operator"

    @property
    def submits(self) -> bool:
        """Returns whether it posts plans, enquiries or notifications."""
        return any(scope.endswith(".write") for scope in SCOPES[self])


SCOPES: Final[dict[ClientKind, tuple[str, ...]]] = {
    ClientKind.CHILDRENS_SERVICES: (
        "plans.write",
        "enquiries.write",
        "receipts.read",
        "holds.read",
        "holds.decide",
    ),
    ClientKind.POLICE: ("notifications.write", "receipts.read", "holds.read", "holds.decide"),
    ClientKind.ZERO_TO_NINETEEN: ("plans.write", "receipts.read", "holds.read", "holds.decide"),
    ClientKind.GP_SYSTEM: (
        "system/Flag.rs",
        "system/Task.rs",
        "system/Provenance.rs",
        "system/AuditEvent.s",
        "flags.acknowledge",
    ),
    ClientKind.PRACTICE_LEAD: ("holds.read", "holds.decide"),
    ClientKind.REVIEWER: ("rulings.read",),
    ClientKind.GOVERNANCE: ("rulings.read", "governance.read", "deliveries.close"),
    ClientKind.OPERATOR: ("service.read",),
}
