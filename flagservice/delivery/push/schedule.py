"""When is the next try? Ever later up to a cap, with jitter, and for ever: no limit closes one."""

from datetime import timedelta
from enum import StrEnum

FIRST = timedelta(seconds=1)
CAP = timedelta(minutes=15)
LATE_AFTER = timedelta(minutes=15)
OVERDUE_AFTER = timedelta(hours=4)
_DOUBLINGS = 10
_SLOW_AFTER = 5


class Urgency(StrEnum):
    """How old an open delivery is, and so whose it is by now."""

    ROUTINE = "routine"
    LATE = "late"
    OVERDUE = "overdue"


def wait(attempts: int, *, jitter: float) -> timedelta:
    """After so many attempts; `jitter` is between 0 and 1 and gives half to the whole of it."""
    whole: timedelta = min(CAP, FIRST * (1 << min(attempts, _DOUBLINGS)))
    return whole * (0.5 + jitter / 2)


def look_again(owed_for: timedelta, *, jitter: float) -> timedelta:
    """When to look again at what could not have been sent: as long as it has been owed.

    So each look comes about twice as late as the one before it, and none of them is counted.
    """
    whole = min(CAP, max(FIRST, owed_for))
    return whole * (0.5 + jitter / 2)


def pause(failures: int) -> timedelta:
    """How long an ill endpoint is left alone: slowed, never given up."""
    if failures < _SLOW_AFTER:
        return timedelta(0)
    return min(CAP, timedelta(seconds=10) * (1 << min(failures - _SLOW_AFTER, _DOUBLINGS)))


def urgency(age: timedelta) -> Urgency:
    """By age alone."""
    if age < timedelta(0):
        return Urgency.OVERDUE  # owed in the future: a clock was wrong, and somebody should look
    if age < LATE_AFTER:
        return Urgency.ROUTINE
    return Urgency.LATE if age < OVERDUE_AFTER else Urgency.OVERDUE


OWNERS = {
    Urgency.ROUTINE: "delivery worker",
    Urgency.LATE: "operator on duty",
    Urgency.OVERDUE: "information governance lead",
}
"""Who is asked to act. Age raises the urgency; it never closes anything."""
