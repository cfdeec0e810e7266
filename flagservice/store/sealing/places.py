"""Where a sealed body belongs: the table, the key and the version of its own row.

A body opens at its place and nowhere else. The place is read from the row, so that no caller writes
it by hand.
"""

from typing import Any, Final, NamedTuple, Protocol

from sqlalchemy import inspect
from sqlmodel import SQLModel

from flagservice.store import tables

_VERSIONED: Final[dict[type[SQLModel], str]] = {
    tables.NamingRow: "version",
    tables.SubmissionRow: "version",
    tables.VersionRow: "number",
}
"""The rows whose bodies belong to one version, and the column that has it."""


class SealedRow(Protocol):
    """A row with a sealed body. Another row holds the data key."""

    @property
    def sealed(self) -> bytes | None:
        """The body, if there is one."""


class KeyedRow(SealedRow, Protocol):
    """A row with a sealed body and the data key of its own."""

    @property
    def data_key(self) -> bytes | None:
        """The wrapped data key, if there is one."""


class SealedPlace(NamedTuple):
    """A table, a row's key in it, and a version."""

    table: str
    row: str
    version: int


def place_of(row: Any, table: type[SQLModel] | None = None) -> SealedPlace:
    """Returns the place of a row's body. With `table`, any object with its columns will do."""
    table = table or type(row)
    version = getattr(row, _VERSIONED[table]) if table in _VERSIONED else 1
    return SealedPlace(str(table.__tablename__), getattr(row, _key_column(table)), version)


def _key_column(table: type[SQLModel]) -> str:
    (column,) = inspect(table).primary_key
    return str(column.name)
