"""The same rows in both databases: measured on one, then on the other, each with nothing before."""

import contextlib
import itertools
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql
from sqlmodel import SQLModel

from flagservice.store.database import Database
from tests.benchmarks.work.bulk import FILE
from tests.benchmarks.work.population import Stored
from tests.databases import postgresql


@dataclass(frozen=True)
class Where:
    """A database by name and address, and the folder with the service's keys."""

    name: str
    url: str
    folder: Path


@dataclass(frozen=True)
class Places:
    """Little and much of the same service, and an empty database on the same disk."""

    little: Where
    much: Where
    empty: Where

    @property
    def name(self) -> str:
        """Of the database."""
        return self.little.name


def on_sqlite(little: Stored, much: Stored) -> Places:
    """The files that were filled, read once: PostgreSQL's copies have pushed them out of memory."""
    for stored in (little, much):
        _read(stored.folder / FILE)
    return Places(
        Where("SQLite", "", little.folder),
        Where("SQLite", "", much.folder),
        Where("SQLite", f"sqlite:///{little.folder}/empty.db", little.folder),
    )


def _read(file: Path) -> None:
    with file.open("rb") as opened:
        while opened.read(2**24):
            pass


@contextlib.contextmanager
def on_postgresql(little: Stored, much: Stored) -> Iterator[Places]:
    """Copies on a server of its own; raises NoPostgreSQL where this machine has none."""
    with postgresql.server() as url:
        made = {name: _made(url, name) for name in ("little", "much", "empty")}
        for name, stored in (("little", little), ("much", much)):
            _copy(stored.folder / FILE, made[name])
        folders = {"little": little.folder, "much": much.folder, "empty": little.folder}
        yield Places(**{name: Where("PostgreSQL", made[name], folders[name]) for name in made})


def _made(url: str, name: str) -> str:
    with psycopg.connect(_plain(url), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    address = f"{url.rpartition('/')[0]}/{name}"
    database = Database(address)
    database.upgrade()
    database.close()
    return address


def _copy(file: Path, url: str) -> None:
    """Without indexes and checks while it lasts; settled afterwards, so that nothing trails."""
    with (
        contextlib.closing(sqlite3.connect(file)) as from_,
        psycopg.connect(_plain(url), autocommit=True) as to,
    ):
        to.execute("SET session_replication_role = replica")
        to.execute("SET maintenance_work_mem = '512MB'")
        for table in SQLModel.metadata.sorted_tables:
            _copy_table(from_, to, table.name)
        to.execute("SELECT setval(pg_get_serial_sequence('leaf', 'row'), max(row)) FROM leaf")
        to.execute("VACUUM ANALYZE")
        to.execute("CHECKPOINT")


def _copy_table(from_: sqlite3.Connection, to: psycopg.Connection, table: str) -> None:
    """What is false and true in one is 0 and 1 in the other: text reads both."""
    asked = "SELECT indexdef, indexname FROM pg_indexes WHERE tablename = %s AND NOT EXISTS"
    asked += " (SELECT 1 FROM pg_constraint WHERE conname = indexname)"
    indexes = to.execute(asked, [table]).fetchall()
    for _, name in indexes:
        to.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(name)))
    rows = from_.execute(f'SELECT * FROM "{table}"')  # noqa: S608, a name of ours
    columns = sql.SQL(", ").join(sql.Identifier(one[0]) for one in rows.description)
    into = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), columns)
    with to.cursor() as cursor, cursor.copy(into) as copy:
        for batch in iter(lambda: list(itertools.islice(rows, 10_000)), []):
            for row in batch:
                copy.write_row(row)
    for made, _ in indexes:
        to.execute(made)


def _plain(url: str) -> str:
    return url.replace("+psycopg", "")
