"""The two questions that are asked a thousand times as often as all others, answered together.

What is new in my feed, and how does this copy stand now? The answers are those of `pull_feed.feed`
and `pull.read`, in a few statements for any number of practices. Whatever is out of the ordinary
(a practice that is not admitted, words that were withdrawn, a copy that was taken back) has no
answer here, and is asked there.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, Select, bindparam, tuple_, update
from sqlmodel import col, select

from flagservice.audit.log import Deed, Overtaken, Work
from flagservice.delivery.channels.pull import Stored
from flagservice.delivery.channels.pull_feed import Page
from flagservice.delivery.channels.readers import Reader, readers
from flagservice.store import tables


@dataclass(frozen=True)
class Poll:
    """What is new in the caller's feed of a form, after a number?"""

    form: str
    after: int
    limit: int


@dataclass(frozen=True)
class Read:
    """How does this copy at the caller's practice stand now?"""

    form: str
    copy_id: str


Quick = Poll | Read
MOST_ROWS: Final = 50
"""On a page, where there is something new: a larger one would keep the whole group waiting."""
Answer = Page | Stored

_VERSION: Final = (
    col(tables.Version.copy_id),
    col(tables.Version.id),
    col(tables.Version.number),
    col(tables.Version.form),
    col(tables.Version.practice),
    col(tables.Version.feed_number),
    col(tables.Version.issued),
    col(tables.Version.withdrawn),
    col(tables.Version.served),
    col(tables.Version.sealed),
    col(tables.Copy.status),
    col(tables.Person.data_key),
)
_WHOSE: Final = (
    col(tables.Copy.id) == col(tables.Version.copy_id),
    col(tables.Person.id) == col(tables.Copy.person_id),
)
_OWN: Final = tuple_(
    col(tables.Version.copy_id), col(tables.Version.practice), col(tables.Version.form)
).in_(bindparam("own", expanding=True))
"""What stands elsewhere is not so much as found: a statement more, or another, would tell of it."""
_NEW: Final[Select[Any]] = (
    select(*_VERSION)  # type: ignore[call-overload]  # SQLModel types up to four columns
    .where(*_WHOSE)
    .where(col(tables.Version.practice) == bindparam("practice"))
    .where(col(tables.Version.form) == bindparam("form"))
    .where(col(tables.Version.feed_number) > bindparam("after"))
    .order_by(col(tables.Version.feed_number))
    .limit(bindparam("most"))
)
_NOW: Final[Select[Any]] = (
    select(*_VERSION)  # type: ignore[call-overload]
    .where(*_WHOSE)
    .where(col(tables.Version.number) == col(tables.Copy.number))
    .where(_OWN)
)
_EVERY: Final = select(
    col(tables.Version.copy_id), col(tables.Version.id), col(tables.Version.issued)
).where(_OWN)
_UNSERVED: Final = (
    select(col(tables.Version.id))
    .where(col(tables.Version.id).in_(bindparam("versions", expanding=True)))
    .where(col(tables.Version.withdrawn).is_(False))
    .with_for_update(skip_locked=True, key_share=True)
)
_SERVED: Final = (
    update(tables.Version)
    .where(col(tables.Version.id).in_(bindparam("versions", expanding=True)))
    .values(served=True)
)


def answers(works: Sequence[Work], questions: Sequence[Quick]) -> list[Answer | None]:
    """To each caller's question its answer, with its leaf; None where it has to be asked there."""
    if not works:
        return []
    reading = readers(works[0], {work.actor.ods for work in works})
    own = {
        (one.copy_id, work.actor.ods, one.form)
        for work, one in zip(works, questions, strict=True)
        if isinstance(one, Read)
    }
    now = _now(works[0], own)
    found: list[Answer | None] = []
    unserved: list[str] = []
    for work, question in zip(works, questions, strict=True):
        reader = reading[work.actor.ods]
        match question:
            case Poll():
                found.append(_polled(work, reader, question, unserved=unserved))
            case Read():  # pragma: no branch, a closed set
                one = now.get((question.copy_id, work.actor.ods, question.form))
                found.append(_read(work, reader, one, unserved=unserved))
    _mark_served(works[0], set(unserved))
    return found


def _mark_served(work: Work, versions: Collection[str]) -> None:
    """As `pull.mark_served`, and waits for nobody: what is being changed is for the routes."""
    if not versions:
        return
    connection, asked = work.session.connection(), {"versions": sorted(versions)}
    if len(connection.execute(_UNSERVED, asked).all()) < len(versions):
        raise Overtaken
    connection.execute(_SERVED, asked)


def _polled(work: Work, reader: Reader, asked: Poll, *, unserved: list[str]) -> Page | None:
    last = reader.last(asked.form)
    if not reader.admitted or asked.after > last:
        return None
    if asked.after < last and asked.limit > MOST_ROWS:
        return None
    rows = [] if asked.after == last else _new(work, asked)
    if not all(_is_plain(row) for row in rows):
        return None
    unserved += [row.id for row in rows if not row.served]
    shown = [_stored(work, row) for row in rows]
    end = rows[-1].feed_number if rows else asked.after
    ids = " ".join(row.id for row in rows)
    work.record(Deed.FED, form=asked.form, after=asked.after, last=end, found=ids)
    return Page(shown, end)


def _new(work: Work, asked: Poll) -> Sequence[Row[Any]]:
    values = {"practice": work.actor.ods, "form": asked.form, "after": asked.after}
    return work.session.connection().execute(_NEW, {**values, "most": asked.limit}).all()


@dataclass(frozen=True)
class _Now:
    """A copy's newest version, and the instants of its others."""

    row: Row[Any]
    others: Sequence[datetime]

    @property
    def alone(self) -> bool:
        """As `Stored` says."""
        second = self.row.issued.replace(microsecond=0)
        return all(one.replace(microsecond=0) != second for one in self.others)


_Own = tuple[str, str, str]


def _now(work: Work, own: Collection[_Own]) -> Mapping[_Own, _Now]:
    """Of each of these copies, by its id, at the practice and in the form that were asked for."""
    if not own:
        return {}
    connection, asked = work.session.connection(), {"own": sorted(own)}
    rows = connection.execute(_NOW, asked).all()
    issued: dict[str, list[tuple[str, datetime]]] = {}
    for copy_id, version_id, at in connection.execute(_EVERY, asked):
        issued.setdefault(copy_id, []).append((version_id, at))
    return {
        (row.copy_id, row.practice, row.form): _Now(
            row, [at for version_id, at in issued[row.copy_id] if version_id != row.id]
        )
        for row in rows
    }


def _read(work: Work, reader: Reader, now: _Now | None, *, unserved: list[str]) -> Stored | None:
    if not reader.admitted or now is None or not _is_plain(now.row):
        return None
    if not now.row.served:
        unserved.append(now.row.id)
    work.record(Deed.READ, copy=now.row.copy_id, version=now.row.id)
    return _stored(work, now.row, alone=now.alone)


def _is_plain(row: Row[Any]) -> bool:
    return not row.withdrawn and row.status != "removed"


def _stored(work: Work, row: Row[Any], *, alone: bool = False) -> Stored:
    content = work.vault.open(
        row.data_key, row.sealed, table="version", row=row.id, version=row.number
    )
    return Stored(row.copy_id, row.form, row.id, row.feed_number, row.issued, content, alone)
