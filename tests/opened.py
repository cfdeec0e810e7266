"""Opens every sealed row there is, and swaps what seals them: which data key opens which body."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import LargeBinary, inspect
from sqlmodel import SQLModel, select

from flagservice.audit.log import Work
from flagservice.store import tables


@dataclass(frozen=True)
class Body:
    """A sealed body, the row that holds its data key, and where it is bound to."""

    owner: Any
    sealed: bytes
    table: str
    row: str
    version: int

    def opened(self, work: Work, data_key: bytes) -> bytes:
        return work.vault.open(
            data_key, self.sealed, table=self.table, row=self.row, version=self.version
        )


def sealed_tables() -> list[Any]:
    return [
        mapper.class_
        for mapper in SQLModel._sa_registry.mappers
        if "sealed" in mapper.columns and isinstance(mapper.columns["sealed"].type, LargeBinary)
    ]


def bodies(work: Work) -> Iterator[Body]:
    """Of every table; a row that has none yet, or none any more, is left out."""
    for table in sealed_tables():
        for row in work.session.exec(select(table)).all():
            if row.sealed:
                key = str(inspect(row).identity[0])
                yield Body(_owner(work, row), row.sealed, table.__tablename__, key, _version(row))


def _owner(work: Work, row: Any) -> Any:
    if hasattr(row, "data_key"):
        return row
    match row:
        case tables.SubmissionRow():
            return work.session.get_one(tables.PlanRow, row.plan_id)
        case tables.VersionRow():
            copy = work.session.get_one(tables.CopyRow, row.copy_id)
            return work.session.get_one(tables.PersonRow, copy.person_id)
        case _:
            return work.session.get_one(tables.PersonRow, row.person_id)


def _version(row: Any) -> int:
    match row:
        case tables.VersionRow():
            return row.number
        case tables.SubmissionRow() | tables.NamingRow():
            return row.version
        case _:
            return 1


def unreadable(work: Work) -> list[str]:
    """The rows that do not open, by name and id; how many do is `len(list(bodies(work)))`."""
    found = []
    for body in bodies(work):
        try:
            body.opened(work, body.owner.data_key)
        except Exception as wrong:  # noqa: BLE001, whatever it is, the row is lost
            found.append(f"{body.table} {body.row}: {type(wrong).__name__}")
    return found
