"""A practice's feeds: numbers that are contiguous, gap-free and in commit order, by construction.

Each form (flag, request) is a feed of its own. The counter's row is locked in the transaction that
issues a version, so the next number is taken only once the last is committed. Practices are locked
in sorted order, so nobody deadlocks.
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
    """Where a version stands: in its feed, at an instant, and among all that the practice is owed.

    The order never leaves the service: it would count requests for a reader of flags.
    """

    number: int
    issued: datetime
    order: int


def lock(session: Session, practices: Iterable[str]) -> dict[str, tables.FeedCounterRow]:
    """The counters of these practices, locked until the transaction ends."""
    wanted = sorted(set(practices))
    if not wanted:
        return {}
    asked = session.exec(_COUNTERS, params={"practices": wanted})
    found = {counter.practice: counter for counter in asked}
    for practice in wanted:
        if practice not in found:
            # Two that start a feed at once meet in the primary key; the loser does its work again.
            found[practice] = tables.FeedCounterRow(
                practice=practice, last=0, flags=0, requests=0, issued=_BEFORE_ALL
            )
            session.add(found[practice])
    return found


def take(
    counter: tables.FeedCounterRow, form: Form, *, now: datetime, step: timedelta = timedelta(0)
) -> FeedPosition:
    """The next place in the feed of this form, of a locked counter.

    The instant is the full hour, and each entry of this practice in that hour adds its step, at
    least a millisecond: it orders both feeds strictly. With steps from `step_of`, two members of
    one family share it no more often than any two people posted in that hour.
    """
    hour = now.replace(minute=0, second=0, microsecond=0)
    counter.last += 1
    counter.issued = max(hour + step, counter.issued + max(step, _LEAST))
    return FeedPosition(_next(counter, form), counter.issued, counter.last)


def last_number(counter: tables.FeedCounterRow, form: Form) -> int:
    """The last number that was given in the feed of this form."""
    return counter.requests if form is Form.REQUEST else counter.flags


def _next(counter: tables.FeedCounterRow, form: Form) -> int:
    if form is Form.REQUEST:
        counter.requests += 1
    else:
        counter.flags += 1
    return last_number(counter, form)


def step_of(version_id: str) -> timedelta:
    """1 to 1000 ms, by a random id and so the same again in a replay.

    Equal steps would count the entries of the hour, and what is posted at once to two practices
    has similar counts at both.
    """
    chance = int.from_bytes(sha256(version_id.encode()).digest()[:4])
    return timedelta(milliseconds=1 + chance % 1000)
