"""Answers together the two questions that are asked most: what is new in a feed, how a copy stands.

The answers are those of `feed.feed` and `read.read`, in a few statements for any number of
practices. The unusual (a practice not admitted, withdrawn words, a copy taken back) goes to the
routes.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any, Final, NamedTuple

from sqlalchemy import Select, and_, bindparam, literal, select, union_all, update
from sqlmodel import col

from flagservice.audit.log import Deed, Overtaken, Work
from flagservice.delivery.pull.feed import FeedPage
from flagservice.delivery.pull.practice_feeds import PracticeFeeds, practice_feeds
from flagservice.domain.copies import CopyStatus, Form
from flagservice.fhir.bundles import IssuedVersion
from flagservice.store import tables
from flagservice.store.lists import one_of


@dataclass(frozen=True)
class Poll:
    """Asks what is new in the caller's feed of a form, after a number."""

    form: Form
    after: int
    limit: int


@dataclass(frozen=True)
class Read:
    """Asks how this copy at the caller's practice stands now."""

    form: Form
    copy_id: str


BatchedQuestion = Poll | Read
MOST_ROWS: Final = 50
"""on a page, where there is something new: a larger page would delay the whole group"""
BatchedAnswer = FeedPage | IssuedVersion


class FoundVersion(NamedTuple):
    """A version with its copy's status and its person's key: a tuple, since there are many."""

    copy_id: str
    id: str
    number: int
    form: Form
    practice: str
    feed_number: int
    issued: datetime
    withdrawn: bool
    served: bool
    sealed: bytes
    status: CopyStatus
    data_key: bytes


_VERSION: Final = (
    col(tables.VersionRow.copy_id),
    col(tables.VersionRow.id),
    col(tables.VersionRow.number),
    col(tables.VersionRow.form),
    col(tables.VersionRow.practice),
    col(tables.VersionRow.feed_number),
    col(tables.VersionRow.issued),
    col(tables.VersionRow.withdrawn),
    col(tables.VersionRow.served),
    col(tables.VersionRow.sealed),
    col(tables.CopyRow.status),
    col(tables.PersonRow.data_key),
)
_WHOSE: Final = (
    col(tables.CopyRow.id) == col(tables.VersionRow.copy_id),
    col(tables.PersonRow.id) == col(tables.CopyRow.person_id),
)
_OWN: Final = and_(
    one_of(col(tables.VersionRow.copy_id), "copies"),
    one_of(
        col(tables.VersionRow.copy_id)
        + literal("|")
        + col(tables.VersionRow.practice)
        + literal("|")
        + col(tables.VersionRow.form),
        "own",
    ),
)
"""Another practice's copy is not even found: one statement more, or another, would tell of it."""
_NOW: Final[Select[*tuple[Any, ...]]] = (
    select(*_VERSION)
    .where(*_WHOSE)
    .where(col(tables.VersionRow.number) == col(tables.CopyRow.number))
    .where(_OWN)
)
_UNSERVED: Final = (
    select(col(tables.VersionRow.id))
    .where(one_of(col(tables.VersionRow.id), "versions"))
    .where(col(tables.VersionRow.withdrawn).is_(False))
    .with_for_update(skip_locked=True, key_share=True)
)
_SERVED: Final = (
    update(tables.VersionRow)
    .where(one_of(col(tables.VersionRow.id), "versions"))
    .values(served=True)
)


def _after(place: int) -> Select[*tuple[Any, ...]]:
    one = tables.VersionRow
    return (
        select(*_VERSION, literal(place))
        .where(*_WHOSE)
        .where(col(one.practice) == bindparam(f"ods_{place}"))
        .where(col(one.form) == bindparam(f"form_{place}"))
        .where(col(one.feed_number) > bindparam(f"after_{place}"))
        .where(col(one.feed_number) <= bindparam(f"upto_{place}"))
    )


_TOGETHER: Final = 8
"""The pages that one statement reads: with fewer, the database is waited for more often.

With more, it would be longer than what psycopg remembers (4,096 characters), and be parsed anew
each time.
"""
_NEW: Final = {many: union_all(*map(_after, range(many))) for many in (1, _TOGETHER)}


def answers(
    works: Sequence[Work], questions: Sequence[BatchedQuestion]
) -> list[BatchedAnswer | None]:
    """Returns the answer to each question, and records its leaf; None where it is for a route."""
    if not works:
        return []
    feeds = practice_feeds(works[0], {work.actor.ods for work in works})
    own = {
        (one.copy_id, work.actor.ods, one.form)
        for work, one in zip(works, questions, strict=True)
        if isinstance(one, Read)
    }
    now = _now(works[0], own)
    ranges = [
        _Range(work.actor.ods, one.form, one.after, _upto(feeds[work.actor.ods], one))
        if isinstance(one, Poll)
        else None
        for work, one in zip(works, questions, strict=True)
    ]
    new = _new(works[0], [one for one in ranges if one and one.upto > one.after])
    found: list[BatchedAnswer | None] = []
    unserved: list[str] = []
    for work, question, range_ in zip(works, questions, ranges, strict=True):
        own_feeds = feeds[work.actor.ods]
        match question:
            case Poll():
                rows = new.get(range_, ()) if range_ else ()
                found.append(_polled(work, own_feeds, question, rows=rows))
            case Read():  # pragma: no branch, a closed set
                one = now.get((question.copy_id, work.actor.ods, question.form))
                rows = (one,) if one else ()
                found.append(_read(work, own_feeds, one))
        if found[-1] is not None:
            unserved += [row.id for row in rows if not row.served]
    _mark_served(works[0], set(unserved))
    return found


def _mark_served(work: Work, versions: Collection[str]) -> None:
    """Does as `read.mark_served`, but raises Overtaken instead of waiting."""
    if not versions:
        return
    connection, asked = work.session.connection(), {"versions": sorted(versions)}
    if len(connection.execute(_UNSERVED, asked).all()) < len(versions):
        raise Overtaken
    connection.execute(_SERVED, asked)


def _upto(feeds: PracticeFeeds, asked: Poll) -> int:
    """Returns the last number to look for; `after` where the routes take the whole page."""
    last = feeds.last(asked.form)
    if not feeds.admitted or (asked.after < last and asked.limit > MOST_ROWS):
        return asked.after
    return min(last, asked.after + asked.limit)


def _polled(
    work: Work, feeds: PracticeFeeds, asked: Poll, *, rows: Sequence[FoundVersion]
) -> FeedPage | None:
    """Returns a page; None where a row is missing or too many are wanted."""
    wanted = min(feeds.last(asked.form) - asked.after, asked.limit)
    if not feeds.admitted or len(rows) != wanted or not all(_is_plain(row) for row in rows):
        return None
    shown = [_stored(work, row) for row in rows]
    end = rows[-1].feed_number if rows else asked.after
    ids = " ".join(row.id for row in rows)
    work.record(Deed.FED, form=asked.form, after=asked.after, last=end, found=ids)
    return FeedPage(shown, end)


class _Range(NamedTuple):
    ods: str
    form: Form
    after: int
    upto: int


_NOTHING: Final = _Range("", Form.FLAG, 0, 0)


def _new(work: Work, asked: Collection[_Range]) -> Mapping[_Range, Sequence[FoundVersion]]:
    found: dict[_Range, list[FoundVersion]] = {one: [] for one in asked}
    wanted = sorted(found)
    for start in range(0, len(wanted), _TOGETHER):
        together = wanted[start : start + _TOGETHER]
        many = 1 if len(together) == 1 else _TOGETHER
        padded = together + [_NOTHING] * (many - len(together))
        values = {
            f"{name}_{place}": value
            for place, one in enumerate(padded)
            for name, value in one._asdict().items()
        }
        for row in work.session.connection().execute(_NEW[many], values).all():
            found[together[row[-1]]].append(FoundVersion(*row[:-1]))
    for rows in found.values():
        rows.sort(key=attrgetter("feed_number"))
    return found


_Own = tuple[str, str, Form]
"""a copy's id, its practice and its form"""


def _now(work: Work, own: Collection[_Own]) -> Mapping[_Own, FoundVersion]:
    if not own:
        return {}
    asked = {"copies": sorted({one[0] for one in own}), "own": sorted("|".join(one) for one in own)}
    rows = [FoundVersion(*row) for row in work.session.connection().execute(_NOW, asked).all()]
    return {(row.copy_id, row.practice, row.form): row for row in rows}


def _read(work: Work, feeds: PracticeFeeds, now: FoundVersion | None) -> IssuedVersion | None:
    if not feeds.admitted or now is None or not _is_plain(now):
        return None
    work.record(Deed.READ, copy=now.copy_id, version=now.id)
    return _stored(work, now)


def _is_plain(row: FoundVersion) -> bool:
    return not row.withdrawn and row.status is not CopyStatus.REMOVED


def _stored(work: Work, row: FoundVersion) -> IssuedVersion:
    content = work.vault.open_row_under(row.data_key, row, table=tables.VersionRow)
    return IssuedVersion(row.copy_id, row.form, row.id, row.feed_number, row.issued, content)
