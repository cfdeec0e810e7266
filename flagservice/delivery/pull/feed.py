"""Lets a practice follow its own feeds, one for each form, and check them by a digest."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from sqlmodel import col, select

from flagservice.audit.log import Deed, Work
from flagservice.delivery.pull.read import as_shown, check_admitted, version_ids
from flagservice.domain.copies import CopyStatus, Form
from flagservice.domain.errors import Fault, Invalid
from flagservice.fhir.bundles import IssuedVersion
from flagservice.store import feed as numbers
from flagservice.store import tables

_LATEST_COMMIT = timedelta(minutes=10)
_LARGEST = 2**31 - 1
"""The largest number of the column; PostgreSQL compares it with no larger one."""


@dataclass(frozen=True)
class FeedPage:
    """A page of a feed, and the number after which it goes on."""

    found: list[IssuedVersion]
    last: int


def feed(
    work: Work, *, form: Form, limit: int, after: int = 0, since: datetime | None = None
) -> FeedPage:
    """Returns the practice's own feed of a form after a number: every number once, in order.

    A number whose words were withdrawn carries the next version that was not. One whose copy was
    taken back unseen carries its id alone. Raises Forbidden, or Invalid for a number that this feed
    has not reached: a feed that was restored must be read anew.
    """
    check_admitted(work)
    asked = (
        select(tables.VersionRow)
        .where(col(tables.VersionRow.practice) == work.actor.ods)
        .where(col(tables.VersionRow.form) == form)
        .where(col(tables.VersionRow.feed_number) > min(after, _LARGEST))
        .order_by(col(tables.VersionRow.feed_number))
        .limit(limit)
    )
    if since is not None:
        # Where the feed ends is asked first: what is committed meanwhile is then found, or to come.
        after = _last(work, form)
        asked = asked.where(col(tables.VersionRow.issued) >= _hour_of(since))
    found = work.session.exec(asked).all()
    if not found and after > _last(work, form):
        raise Invalid(Fault("cursor", "is beyond the end of this feed: read it from the start"))
    last = found[-1].feed_number if found else after
    _record(work, found, form=form, asked=after if since is None else since)
    return FeedPage([as_shown(work, version) for version in found], last)


def _record(
    work: Work, found: Sequence[tables.VersionRow], *, form: Form, asked: int | datetime
) -> None:
    """Records where the page begins and what it shows; by a clock, its first number says where."""
    shown = [version.feed_number for version in found]
    if isinstance(asked, datetime):
        first, last = (shown[0], shown[-1]) if shown else (0, 0)
        since = asked.astimezone(UTC).isoformat()
        work.record(
            Deed.FED, form=form, since=since, first=first, last=last, found=version_ids(found)
        )
    else:
        last = shown[-1] if shown else asked
        work.record(Deed.FED, form=form, after=asked, last=last, found=version_ids(found))


def _hour_of(since: datetime) -> datetime:
    """Returns the whole hour before: entries carry the hour of their commit, and a few steps more.

    Else a caller by the clock would miss what was committed in that hour after it asked. Versions
    tell it what comes twice. A commit may have begun in the hour before.
    """
    return (since - _LATEST_COMMIT).replace(minute=0, second=0, microsecond=0)


def _last(work: Work, form: Form) -> int:
    counter = work.session.get(tables.FeedCounterRow, work.actor.ods)
    return numbers.last_number(counter, form) if counter else 0


@dataclass(frozen=True)
class Digest:
    """What a practice should hold as active: how many, their hash, and the feed's last number."""

    count: int
    sha256: str
    last: int


def digest(work: Work, *, form: Form) -> Digest:
    """Returns SHA-256 over a line `id/versionId` for each active copy of the caller's, sorted.

    Numbers and copies are of one instant: writers to this practice wait meanwhile.
    """
    check_admitted(work)
    mine = select(tables.FeedCounterRow).where(
        col(tables.FeedCounterRow.practice) == work.actor.ods
    )
    work.session.exec(mine.with_for_update()).first()
    asked = (
        select(col(tables.VersionRow.copy_id), col(tables.VersionRow.id))
        .where(col(tables.VersionRow.copy_id) == col(tables.CopyRow.id))
        .where(col(tables.VersionRow.number) == col(tables.CopyRow.number))
        .where(col(tables.CopyRow.practice) == work.actor.ods, col(tables.CopyRow.form) == form)
        .where(col(tables.CopyRow.status) == CopyStatus.ACTIVE)
    )
    lines = sorted(f"{copy_id}/{version_id}\n" for copy_id, version_id in work.session.exec(asked))
    work.record(Deed.DIGESTED, form=form, count=len(lines))
    hashed = sha256("".join(lines).encode()).hexdigest()
    return Digest(len(lines), hashed, _last(work, form))
