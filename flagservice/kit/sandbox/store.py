"""Keeps the practice's records: flags and tasks in one table, ordinary entries in another.

The patient's side is given `Entries` alone, so it has no statement that reads a flag. No version of
a flag is ever deleted.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
CREATE TABLE IF NOT EXISTS notice (
    number INTEGER PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL,
    version INTEGER NOT NULL, patient TEXT NOT NULL, body BLOB NOT NULL, UNIQUE (kind, id));
CREATE INDEX IF NOT EXISTS notice_patient ON notice (patient);
CREATE TABLE IF NOT EXISTS notice_version (
    kind TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (kind, id, version));
CREATE TABLE IF NOT EXISTS notice_identifier (
    kind TEXT NOT NULL, system TEXT NOT NULL, value TEXT NOT NULL, id TEXT NOT NULL,
    PRIMARY KEY (kind, system, value, id));
CREATE INDEX IF NOT EXISTS notice_identifier_id ON notice_identifier (kind, id);
CREATE TABLE IF NOT EXISTS entry (
    number INTEGER PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL,
    patient TEXT NOT NULL, body BLOB NOT NULL, UNIQUE (kind, id));
CREATE INDEX IF NOT EXISTS entry_patient ON entry (patient);
"""

Identifier = tuple[str, str]


@dataclass(frozen=True, slots=True)
class ResourceKey:
    """A resource's type and its id on this server."""

    kind: str
    id: str


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """One version of a resource, ready to be written."""

    key: ResourceKey
    version: int
    patient: str
    body: bytes


class SandboxStore:
    """One SQLite file behind one connection; a lock makes each unit of work whole."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(path, check_same_thread=False)
        self._connection.executescript(SCHEMA)
        self.notices = Notices(self)
        self.entries = Entries(self)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keeps other threads out meanwhile."""
        with self._lock:
            yield

    @contextmanager
    def commit(self) -> Iterator[sqlite3.Connection]:
        """Makes what is done inside one transaction, durable on leaving."""
        with self._lock, self._connection:
            yield self._connection

    def rows(self, statement: str, *values: str | int) -> list[tuple[Any, ...]]:
        """Returns the rows that a reading statement finds."""
        with self._lock:
            return self._connection.execute(statement, values).fetchall()

    def bodies(self, statement: str, *values: str | int) -> list[bytes]:
        """Returns the first column of those rows."""
        return [row[0] for row in self.rows(statement, *values)]

    def close(self) -> None:
        """Closes the file, after a unit of work under way."""
        with self._lock:
            self._connection.close()


class Notices:
    """Flags and tasks: what others tell the practice about a person."""

    def __init__(self, store: SandboxStore) -> None:
        self._store = store

    def put(self, kept: StoredVersion, *, identifiers: set[Identifier]) -> None:
        """Keeps a new version; the earlier ones stay."""
        kind, identity = kept.key.kind, kept.key.id
        with self._store.commit() as connection:
            connection.execute(
                "INSERT INTO notice (kind, id, version, patient, body) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT (kind, id) DO UPDATE SET version = excluded.version,"
                " patient = excluded.patient, body = excluded.body",
                (kind, identity, kept.version, kept.patient, kept.body),
            )
            connection.execute(
                "INSERT INTO notice_version VALUES (?, ?, ?, ?)",
                (kind, identity, kept.version, kept.body),
            )
            connection.execute(
                "DELETE FROM notice_identifier WHERE kind = ? AND id = ?", (kind, identity)
            )
            connection.executemany(
                "INSERT INTO notice_identifier VALUES (?, ?, ?, ?)",
                [(kind, system, value, identity) for system, value in sorted(identifiers)],
            )

    def matching(
        self, kind: str, *, identifier: Identifier
    ) -> list[tuple[ResourceKey, int, bytes]]:
        """Returns key, version and body of what carries the identifier now."""
        rows = self._store.rows(
            "SELECT n.id, n.version, n.body FROM notice_identifier AS i"
            " JOIN notice AS n ON n.kind = i.kind AND n.id = i.id"
            " WHERE i.kind = ? AND i.system = ? AND i.value = ? ORDER BY n.number",
            kind,
            *identifier,
        )
        return [(ResourceKey(kind, identity), version, body) for identity, version, body in rows]

    def read(self, key: ResourceKey) -> list[bytes]:
        """Returns the current version, if there is one."""
        statement = "SELECT body FROM notice WHERE kind = ? AND id = ?"
        return self._store.bodies(statement, key.kind, key.id)

    def version(self, key: ResourceKey, *, number: int) -> list[bytes]:
        """Returns one version, if there is one."""
        statement = "SELECT body FROM notice_version WHERE kind = ? AND id = ? AND version = ?"
        return self._store.bodies(statement, key.kind, key.id, number)

    def about(self, patient: str, *, kind: str) -> list[bytes]:
        """Returns the current versions about one person, in the order that they first came."""
        statement = "SELECT body FROM notice WHERE patient = ? AND kind = ? ORDER BY number"
        return self._store.bodies(statement, patient, kind)


class Entries:
    """What may stand in a record that a patient opens, each in its current version."""

    def __init__(self, store: SandboxStore) -> None:
        self._store = store

    def add(self, kept: StoredVersion) -> None:
        """Keeps a new entry."""
        with self._store.commit() as connection:
            connection.execute(
                "INSERT INTO entry (kind, id, patient, body) VALUES (?, ?, ?, ?)",
                (kept.key.kind, kept.key.id, kept.patient, kept.body),
            )

    def publish(self, kept: StoredVersion) -> None:
        """Keeps an entry in place of its earlier version."""
        with self._store.commit() as connection:
            connection.execute(
                "INSERT INTO entry (kind, id, patient, body) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (kind, id) DO UPDATE SET patient = excluded.patient,"
                " body = excluded.body",
                (kept.key.kind, kept.key.id, kept.patient, kept.body),
            )

    def retract(self, key: ResourceKey) -> None:
        """Removes the entry, if there is one."""
        with self._store.commit() as connection:
            connection.execute("DELETE FROM entry WHERE kind = ? AND id = ?", (key.kind, key.id))

    def read(self, key: ResourceKey) -> list[bytes]:
        """Returns the entry, if there is one."""
        statement = "SELECT body FROM entry WHERE kind = ? AND id = ?"
        return self._store.bodies(statement, key.kind, key.id)

    def about(self, patient: str) -> list[bytes]:
        """Returns the entries about one person, in the order that they came."""
        statement = "SELECT body FROM entry WHERE patient = ? ORDER BY number"
        return self._store.bodies(statement, patient)
