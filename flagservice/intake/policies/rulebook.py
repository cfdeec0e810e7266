"""What rules: one policy for each kind, the duty desks, and the profiles that a copy must fit."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from flagservice.domain.elements import Kind
from flagservice.fhir.profile.check import Profile
from flagservice.policy.desks import Desks
from flagservice.policy.table import Policy

_SATURDAY = 5


@dataclass(frozen=True)
class Rulebook:
    """Everything in force, as values."""

    policies: Mapping[Kind, Policy]
    desks: Desks
    profiles: Mapping[str, Profile]


def day_after(day: date, interval: str | None) -> date | None:
    """The day that lies a policy's interval later: `3 months`, `45 working days`, `30 days`.

    Working days are Monday to Friday; public holidays are not known here, so a clock that counts
    working days runs out on the early side.
    """
    if interval is None or interval == "with-plan":
        return None
    count, unit = interval.split(" ", 1)
    match unit:
        case "months":
            return _months_after(day, int(count))
        case "working days" | "working day":
            return _working_days_after(day, int(count))
        case _:
            return day + timedelta(days=int(count))


def _months_after(day: date, months: int) -> date:
    year, month = divmod(day.month - 1 + months, 12)
    last = (date(day.year + year + month // 11, (month + 1) % 12 + 1, 1) - timedelta(days=1)).day
    return date(day.year + year, month + 1, min(day.day, last))


def _working_days_after(day: date, count: int) -> date:
    while count:
        day += timedelta(days=1)
        count -= day.weekday() < _SATURDAY
    return day
