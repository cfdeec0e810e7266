"""Says when the next try is: ever later up to a cap, with jitter, and without end."""

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
    """Returns the wait after so many attempts; a `jitter` of 0 to 1 gives half to the whole."""
    whole: timedelta = min(CAP, FIRST * (1 << min(attempts, _DOUBLINGS)))
    return whole * (0.5 + jitter / 2)


def look_again(owed_for: timedelta, *, jitter: float) -> timedelta:
    """Returns the wait before another look at what could not be sent: as long as it has been owed.

    So each look comes about twice as late as the one before, without a count.
    """
    whole = min(CAP, max(FIRST, owed_for))
    return whole * (0.5 + jitter / 2)


def pause(failures: int) -> timedelta:
    """Returns how long an ill endpoint is left alone; it is never given up."""
    if failures < _SLOW_AFTER:
        return timedelta(0)
    return min(CAP, timedelta(seconds=10) * (1 << min(failures - _SLOW_AFTER, _DOUBLINGS)))


def urgency(age: timedelta) -> Urgency:
    """Returns the urgency, by age alone."""
    if age < timedelta(0):
        return Urgency.OVERDUE  # owed in the future: a clock was wrong, and a person should look
    if age < LATE_AFTER:
        return Urgency.ROUTINE
    return Urgency.LATE if age < OVERDUE_AFTER else Urgency.OVERDUE


OWNERS = {
    Urgency.ROUTINE: "delivery worker",
    Urgency.LATE: "operator on duty",
    Urgency.OVERDUE: "information governance lead",
}
"""who is asked to act: age raises the urgency, and closes nothing"""
