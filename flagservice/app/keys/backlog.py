"""Goes through what is left to do under an older key, a few rows at a time.

Each batch is a commit, so others wait only for a few rows. The rows say whether they are done:
after a kill, a new run finds only what is left.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from sqlalchemy import ColumnElement, exists, inspect
from sqlmodel import select

from flagservice.app.build import OPERATOR, Installation
from flagservice.audit.log import Deed, Work

BATCH: Final = 100


@dataclass(frozen=True)
class Backlog:
    """One table's rows that are not done yet: which they are, and how to do one."""

    table: Any
    waits: Callable[[Work], ColumnElement[bool]]
    mend: Callable[[Work, Any], None]


def is_any(installation: Installation, lists: Iterable[Backlog]) -> bool:
    """Returns whether anything is left on these lists."""
    return any(
        installation.log.is_waiting(OPERATOR, partial(_is_left, left=left)) for left in lists
    )


def sweep_all(installation: Installation, lists: Iterable[Backlog]) -> int:
    """Does rows until none is left, while others write; returns how many."""
    todo, done = tuple(lists), 0
    while is_any(installation, todo):
        done += sum(_sweep(installation, left) for left in todo)
    return done


def _is_left(work: Work, *, left: Backlog) -> bool:
    return bool(work.session.exec(select(exists().where(left.waits(work)))).one())


def _sweep(installation: Installation, left: Backlog) -> int:
    done, after, rows = 0, "", BATCH
    while rows:
        rows, after = installation.perform(partial(_batch, left=left, after=after))
        done += rows
    return done


def _batch(work: Work, *, left: Backlog, after: str) -> tuple[int, str]:
    """Does the next rows after a primary key, so that a sweep looks at no row twice."""
    key = inspect(left.table).primary_key[0]
    asked = select(left.table).where(left.waits(work), key > after).order_by(key).limit(BATCH)
    rows = work.session.exec(asked.with_for_update()).all()
    for row in rows:
        left.mend(work, row)
        work.session.add(row)
    work.record(Deed.KEYS_ROTATED, table=left.table.__tablename__, rows=len(rows))
    return len(rows), str(getattr(rows[-1], key.name)) if rows else after
