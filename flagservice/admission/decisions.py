"""What an operator decides about a system is recorded with who decided it, and why."""

from dataclasses import dataclass

from flagservice.domain.errors import Fault, Invalid


@dataclass(frozen=True)
class OperatorDecision:
    """Who decided, and why. Raises Invalid where either is blank."""

    by: str
    reason: str

    def __post_init__(self) -> None:
        if not self.by.strip() or not self.reason.strip():
            raise Invalid(Fault("by, reason", "this is a decision: say who, and why"))

    def kept(self) -> dict[str, str]:
        """Returns it as it is kept, sealed, with what was decided first."""
        return {"by": self.by, "reason": self.reason}

    def kept_as(self, deed: str) -> dict[str, str]:
        """Returns it as it is kept beside that, for a later deed such as `revoked`."""
        return {f"{deed}_by": self.by, f"{deed}_why": self.reason}
