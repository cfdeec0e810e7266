"""Databases to copy, because to migrate one and to write a cast into it takes thirty times longer.

A template of SQLite is bytes that this process keeps; one of PostgreSQL is a database of the same
server. Each process makes its own.
"""

import itertools
import sqlite3
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sqlalchemy import URL, create_engine, inspect, make_url, text

from flagservice.store.database import Database

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Template:
    """What a database held once: the bytes of a file, or the name of a database."""

    kept: bytes | str

    def put_into(self, database: Database) -> None:
        """Whatever the database holds gives way to it."""
        where = database.engine.url
        if isinstance(self.kept, str):
            database.close()
            drop(where)
            copy(where, self.kept)
        elif where.database:
            database.close()
            Path(where.database).write_bytes(self.kept)
        else:
            _in_memory(database).deserialize(self.kept)


def taken_from(database: Database) -> Template:
    """A template of what the database holds; whoever uses it must not be doing so now."""
    where = database.engine.url
    if not database.is_sqlite:
        database.close()
        name = f"template_{next(_numbers)}"
        copy(where.set(database=name), where.database or "")
        return Template(name)
    if not where.database:
        return Template(_in_memory(database).serialize())
    database.close()  # nothing of it is left in its log
    return Template(Path(where.database).read_bytes())


def migrated(url: str) -> Database:
    """The database at an address, at the newest schema; a new one of SQLite is a copy."""
    database = Database(url)
    where = database.engine.url
    if database.is_sqlite and not (where.database and Path(where.database).exists()):
        _migrated_sqlite(in_memory=not where.database).put_into(database)
    elif not inspect(database.engine).has_table("alembic_version"):
        database.upgrade()
    return database


@cache
def migrated_postgresql(server: str) -> str:
    """The name of a migrated database of a server, to copy from."""
    where = make_url(server).set(database="migrated")
    copy(where, "template1")
    database = Database(where.render_as_string(hide_password=False))
    database.upgrade()
    database.close()
    return "migrated"


@cache
def _migrated_sqlite(*, in_memory: bool) -> Template:
    if in_memory:
        database = Database("sqlite://")
        database.upgrade()
        return taken_from(database)
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/flagservice.db")
        database.upgrade()
        return taken_from(database)


def copy(where: URL, template: str) -> None:
    """Makes a database of PostgreSQL from another to which nobody is connected."""
    engine = create_engine(where.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        # Copying files is faster than writing each page to the log as well; older ones always do.
        newer = (connection.dialect.server_version_info or ()) >= (15,)
        how = " STRATEGY FILE_COPY" if newer else ""
        connection.execute(text(f"CREATE DATABASE {where.database} TEMPLATE {template}{how}"))
    engine.dispose()


def drop(where: URL) -> None:
    """Removes a database of PostgreSQL, whoever is connected to it."""
    engine = create_engine(where.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE {where.database} WITH (FORCE)"))
    engine.dispose()


def _in_memory(database: Database) -> sqlite3.Connection:
    connection = database.engine.raw_connection()
    driver = connection.driver_connection
    connection.close()
    assert isinstance(driver, sqlite3.Connection)
    return driver
