"""A practice's feeds. Their numbers are contiguous and in commit order, by construction.

Each form (flag, request) is a feed of its own. The transaction that issues a version locks the
counter's row, so the next number is taken only once the last one is committed. Practices are locked
in sorted order, so that no two transactions wait for each other.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final

from sqlmodel import Session, col, select

from flagservice.domain.copies import Form
from flagservice.store import tables
from flagservice.store.lists import one_of

_COUNTERS: Final = (
    select(tables.FeedCounterRow)
    .where(one_of(col(tables.FeedCounterRow.practice), "practices"))
    .order_by(col(tables.FeedCounterRow.practice))
    .with_for_update()
)
_BEFORE_ALL = datetime(1970, 1, 1, tzinfo=UTC)
_LEAST = timedelta(milliseconds=1)


@dataclass(frozen=True)
class FeedPosition:
    """Where a version stands: in its feed, in time, and among all that the practice is owed.

    The order never leaves the service: by it a reader of flags could count requests.
    """

    number: int
    issued: datetime
    order: int


def lock(session: Session, practices: Iterable[str]) -> dict[str, tables.FeedCounterRow]:
    """Returns the counters of these practices, locked until the transaction ends."""
    wanted = sorted(set(practices))
    if not wanted:
        return {}
    asked = session.exec(_COUNTERS, params={"practices": wanted})
    found = {counter.practice: counter for counter in asked}
    for practice in wanted:
        if practice not in found:
            # Two transactions that start a feed at once meet in the primary key; the loser repeats.
            found[practice] = tables.FeedCounterRow(
                practice=practice, last=0, flags=0, requests=0, issued=_BEFORE_ALL
            )
            session.add(found[practice])
    return found


def take(
    counter: tables.FeedCounterRow, form: Form, *, now: datetime, step: timedelta = timedelta(0)
) -> FeedPosition:
    """Returns the next position in the feed of this form. The counter is locked.

    The instant is the full hour. Each entry of this practice in that hour adds its step, at least a
    millisecond, so instants order both feeds strictly. With steps from `step_of`, two members of
    one family share an instant no more often than any two people of that hour.
    """
    hour = now.replace(minute=0, second=0, microsecond=0)
    counter.last += 1
    counter.issued = max(hour + step, counter.issued + max(step, _LEAST))
    return FeedPosition(_next(counter, form), counter.issued, counter.last)


def last_number(counter: tables.FeedCounterRow, form: Form) -> int:
    """Returns the last number that was given in the feed of this form."""
    return counter.requests if form is Form.REQUEST else counter.flags


def _next(counter: tables.FeedCounterRow, form: Form) -> int:
    if form is Form.REQUEST:
        counter.requests += 1
    else:
        counter.flags += 1
    return last_number(counter, form)


def step_of(version_id: str) -> timedelta:
    """Returns 1 to 1000 ms for a random id. A replay gets the same.

    Equal steps would count the entries of the hour. Two practices to which much is posted at once
    have similar counts.
    """
    chance = int.from_bytes(sha256(version_id.encode()).digest()[:4])
    return timedelta(milliseconds=1 + chance % 1000)
