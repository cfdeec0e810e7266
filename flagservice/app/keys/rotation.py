"""Replaces the key-encryption key while the service runs. It may be killed at any moment.

1. The new key is in the file, on disk: from now on every process wraps under it.
2. Batch by batch each data key is wrapped anew; what it sealed is not touched.
3. Whatever had begun before (1) is outlasted: it may have wrapped under the old key.
4. Again, until nothing is left. Now the old key can be dropped.

Which key wrapped a data key stands in its first bytes: to find what is left asks no provider.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, LargeBinary, func
from sqlmodel import SQLModel, col, select

from flagservice.app.build import Installation
from flagservice.app.keys.backlog import Backlog, is_any, sweep_all
from flagservice.app.keys.keyset import add_key_encryption_key, drop_key_encryption_key
from flagservice.audit.log import Deed, Work
from flagservice.domain.errors import Conflict
from flagservice.store import advisory_locks
from flagservice.store.sealing.keyrings import header, wrapping_key_id


def keyed_tables() -> list[Any]:
    """Returns every table that holds wrapped data keys."""
    return [
        mapper.class_
        for mapper in SQLModel._sa_registry.mappers  # noqa: SLF001, SQLModel has no public list
        if "data_key" in mapper.columns and isinstance(mapper.columns["data_key"].type, LargeBinary)
    ]


def rotate_data_keys(installation: Installation) -> int:
    """Wraps every data key under a new key-encryption key; returns how many it wrapped.

    It ends an unfinished rotation without a new key. Keys given by the environment are changed
    there; then this wraps under the current one.
    """
    todo = [_stale(table) for table in keyed_tables()]
    if installation.settings.key_encryption_keys is None and not is_any(installation, todo):
        add_key_encryption_key(installation.settings.keys_folder)
    wrapped = sweep_all(installation, todo)
    installation.perform(_outlast)
    return wrapped + sweep_all(installation, todo)


def drop_data_key_wrapping(installation: Installation, key_id: str) -> None:
    """Drops a key-encryption key that wraps nothing; raises Conflict."""
    if installation.settings.key_encryption_keys is not None:
        raise Conflict("these keys are given by the environment: take it out there")

    def deed(work: Work) -> None:
        if key_id == work.vault.current_key_id():
            raise Conflict("this key wraps: rotate first")
        _outlast(work)
        for table in keyed_tables():
            if _count(work, table, key_id):
                raise Conflict("rows are wrapped by this key: rotate first")
        drop_key_encryption_key(installation.settings.keys_folder, key_id)

    installation.perform(deed)


def wrapped_by(work: Work) -> dict[str, dict[str, int]]:
    """Returns how many rows of each table each key-encryption key wraps, by its id."""
    found: dict[str, dict[str, int]] = {}
    for table in keyed_tables():
        for key_id in _ids(work, table):
            found.setdefault(key_id, {})[table.__tablename__] = _count(work, table, key_id)
    return found


def _outlast(work: Work) -> None:
    advisory_locks.outlast_earlier(work.session)
    work.record(Deed.KEYS_ROTATED, outlasted="every earlier unit of work")


def _stale(table: Any) -> Backlog:
    return Backlog(table, lambda work: ~_is_by(table, work.vault.current_key_id()), _rewrap)


def _rewrap(work: Work, row: Any) -> None:
    row.data_key = work.vault.rewrap(row.data_key)


def _is_by(table: Any, key_id: str) -> ColumnElement[bool]:
    begins = header(key_id)
    return func.substr(table.data_key, 1, len(begins), type_=LargeBinary) == begins


def _count(work: Work, table: Any, key_id: str) -> int:
    return work.session.exec(
        select(func.count()).select_from(table).where(_is_by(table, key_id))
    ).one()


def _ids(work: Work, table: Any) -> Iterator[str]:
    """Yields each key that wraps anything in a table: one row that no key so far wrapped."""
    asked = select(table.data_key).where(col(table.data_key).is_not(None)).limit(1)
    while (wrapped := work.session.exec(asked).first()) is not None:
        key_id = wrapping_key_id(wrapped)
        yield key_id
        asked = asked.where(~_is_by(table, key_id))
