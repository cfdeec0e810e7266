"""A practice's feed: numbers that are contiguous, gap-free and in commit order, by construction.

The counter's row is locked in the transaction that issues a version, so the next number is taken
only once the last is committed. Practices are locked in sorted order, so nobody deadlocks.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from sqlmodel import Session, col, select

from flagservice.store.tables import FeedCounter

_BEFORE_ALL = datetime(1970, 1, 1, tzinfo=UTC)
_LEAST = timedelta(milliseconds=1)


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


def take(
    counter: FeedCounter, *, now: datetime, step: timedelta = timedelta(0)
) -> tuple[int, datetime]:
    """The next number of a locked feed, and the instant that its entry carries.

    The instant is the full hour, and each entry of this feed in that hour adds its step, at least
    a millisecond: it orders the feed strictly. With steps from `step_of`, two members of one
    family share it no more often than any two people posted in that hour.
    """
    hour = now.replace(minute=0, second=0, microsecond=0)
    counter.last += 1
    counter.issued = max(hour + step, counter.issued + max(step, _LEAST))
    return counter.last, counter.issued


def step_of(version_id: str) -> timedelta:
    """1 to 1000 ms, by a random id and so the same again in a replay.

    Equal steps would count the entries of the hour, and what is posted at once to two practices
    has similar counts at both.
    """
    chance = int.from_bytes(sha256(version_id.encode()).digest()[:4])
    return timedelta(milliseconds=1 + chance % 1000)
