"""A practice's feed: numbers that are contiguous, gap-free and in commit order, by construction.

The counter's row is locked in the transaction that issues a version, so the next number is taken
only once the last is committed. Practices are locked in sorted order, so nobody deadlocks.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from sqlmodel import Session, col, select

from flagservice.store.tables import FeedCounter

_BEFORE_ALL = datetime(1970, 1, 1, tzinfo=UTC)


def lock(session: Session, practices: Iterable[str]) -> dict[str, FeedCounter]:
    """The counters of these practices, locked until the transaction ends."""
    return {practice: _locked(session, practice) for practice in sorted(set(practices))}


def _locked(session: Session, practice: str) -> FeedCounter:
    asked = select(FeedCounter).where(col(FeedCounter.practice) == practice).with_for_update()
    counter = session.exec(asked).first()
    if counter is None:
        # Two that start a feed at once meet in the primary key; the loser does its work again.
        counter = FeedCounter(practice=practice, last=0, issued=_BEFORE_ALL)
        session.add(counter)
        session.flush()
    return counter


def take(counter: FeedCounter, *, now: datetime) -> tuple[int, datetime]:
    """The next number of a locked feed, and the instant that its entry carries.

    The instant is the full hour, plus a millisecond for each entry of this feed in that hour: it
    orders the feed strictly, and two members of one family share it no more often than any two
    people posted in that hour.
    """
    hour = now.replace(minute=0, second=0, microsecond=0)
    counter.last += 1
    counter.issued = max(hour, counter.issued + timedelta(milliseconds=1))
    return counter.last, counter.issued
