"""What became of the families' expectations, and of the checks beyond them."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class PlayResult:
    """What became of every expectation, by family and event."""

    passed: list[str] = field(default_factory=list)
    failed: dict[str, list[str]] = field(default_factory=dict)
    not_yet: dict[str, str] = field(default_factory=dict)
    also: dict[str, list[str]] = field(default_factory=dict)
    """Checks beyond the families' own: canaries, feeds, audit; each with what is wrong."""

    def counts(self) -> dict[str, Any]:
        """Returns the counts that `demo --json` prints."""
        return {
            "expectations": len(self.passed) + len(self.failed) + len(self.not_yet),
            "passed": len(self.passed),
            "failed": len(self.failed),
            "not_yet": len(self.not_yet),
            "failures": self.failed,
            "not_yet_by_name": self.not_yet,
            "also": {name: not wrong for name, wrong in self.also.items()},
        }

    @property
    def good(self) -> bool:
        """Returns whether nothing failed."""
        return not self.failed and not any(self.also.values())
