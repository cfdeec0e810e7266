"""The service's health for an operator, in the shape that NHS APIs use for `/_status`.

Each check says what it measured and from where on it warns or fails. The whole is as bad as its
worst check. Where the database does not answer, the answer is 503.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from flagservice.api.openapi.answers import AnswerModel
from flagservice.api.openapi.requests import Absent
from flagservice.delivery.push.schedule import Urgency
from flagservice.delivery.watch.status import ServiceStatus


class Health(StrEnum):
    """How well something is, from well to ill."""

    PASS = "pass"  # noqa: S105, health and no secret
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Thresholds:
    """The number from which a check warns, and the number from which it fails, if it ever does."""

    unit: str
    warn: int
    fail: int | None = None

    def of(self, measured: int) -> Health:
        """Returns the health that a number means."""
        if self.fail is not None and measured >= self.fail:
            return Health.FAIL
        return Health.WARN if measured >= self.warn else Health.PASS


CHECKS: Final = {
    "worker_lag_seconds": Thresholds("s", 120, 900),
    "oldest_owed_seconds": Thresholds("s", 4 * 3600, 24 * 3600),
    "holds_overdue": Thresholds("holds", 1),
    "not_reached": Thresholds("records", 100, 1000),
    "unproven_seconds": Thresholds("s", 60, 600),
    "alarms": Thresholds("alarms", 1),
}
"""A worker looks five times a second, and a checkpoint is made within one: minutes mean a fault.

What is overdue with a person, or raised for governance, only warns. A few records are always being
looked for. A thousand mean that a register broke, or that a practice rejects what it is sent.
"""


class HealthCheck(AnswerModel):
    """What one check measured, and from where on it warns or fails."""

    status: Health
    observedValue: int | Absent = None  # noqa: N815, the shape of NHS APIs
    observedUnit: str | Absent = None  # noqa: N815
    warnFrom: int | Absent = None  # noqa: N815
    failFrom: int | Absent = None  # noqa: N815


class ServiceHealth(AnswerModel):
    """Status, version, checks, and every figure."""

    status: Health
    version: str
    checks: dict[str, HealthCheck]
    owed: dict[Urgency, int]
    oldest_owed_seconds: int
    worker_lag_seconds: int
    holds: int
    oldest_hold_days: int
    holds_overdue: int
    not_reached: int
    leaves_waiting: int
    unproven_seconds: int
    checkpoint_age_seconds: int
    alarms: int


def health(now: ServiceStatus, *, version: str) -> ServiceHealth:
    """Returns the body of `/_status`."""
    figures = vars(now)
    checks = {name: _check(thresholds, figures[name]) for name, thresholds in CHECKS.items()}
    checks["database"] = HealthCheck(status=Health.PASS)
    worst = _worst({check.status for check in checks.values()})
    return ServiceHealth(status=worst, version=version, checks=checks, **figures)


def _check(thresholds: Thresholds, measured: int) -> HealthCheck:
    return HealthCheck(
        status=thresholds.of(measured),
        observedValue=measured,
        observedUnit=thresholds.unit,
        warnFrom=thresholds.warn,
        failFrom=thresholds.fail,
    )


def _worst(found: set[Health]) -> Health:
    return max(found, key=list(Health).index)
