"""Writes rows by the million: sealed by two processes, without indexes, to the disk at the end."""

import contextlib
import itertools
import multiprocessing
import sqlite3
import threading
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from flagservice.audit.tree import Frontier, leaf_hash
from tests.benchmarks.work.family import PEOPLE, Family, Rows, issued, numbers

FILE = "flagservice.db"
PLANS_EACH = 4
"""Of every family: each of its people has as many flags."""
_AT_ONCE, _AHEAD = 200, 8
"""Families that are sealed together, and how many such groups may wait to be written."""
_FAST = ("journal_mode=OFF", "synchronous=OFF", "cache_size=-2000000", "temp_store=MEMORY")


class _New(NamedTuple):
    """A family to be: its numbers, its practices, where their feeds end, its plans' reference."""

    of: Sequence[str]
    homes: Sequence[str]
    feeds: dict[str, int]
    reference: str


class Bulk:
    """One file while it is filled; nothing else has it open."""

    def __init__(self, connection: sqlite3.Connection, family: Family) -> None:
        self._family, self._connection = family, connection
        ((size, frontier),) = connection.execute("SELECT size, frontier FROM tree_head")
        self._tree = Frontier.from_bytes(frontier) if size else Frontier()
        self._feeds = Counter(dict(connection.execute("SELECT practice, flags FROM feed_counter")))

    def registered(self, of: Sequence[str], homes: Sequence[str]) -> None:
        """Three people, of whom nothing is said."""
        self._write(self._family.people(of, homes)[1])

    def flags(self, count: int, practices: Sequence[str]) -> None:
        """About so many more, of families of their own, spread evenly over these practices."""
        room = threading.Semaphore(_AHEAD)
        forked = multiprocessing.get_context("fork")
        with forked.Pool(2, initializer=_seal_for, initargs=(self._family,)) as pool:
            (stored,) = self._connection.execute("SELECT count(*) FROM person").fetchone()
            families = self._families(stored, count, practices=practices)
            groups = self._in_groups(families, room=room)
            for rows in pool.imap(_sealed, groups):
                self._write(rows)
                room.release()

    def _in_groups(self, families: Iterable[_New], *, room: threading.Semaphore) -> Iterator[Any]:
        of = iter(families)
        while group := list(itertools.islice(of, _AT_ONCE)):
            room.acquire()
            yield group

    def _families(self, stored: int, count: int, *, practices: Sequence[str]) -> Iterator[_New]:
        free, homes = numbers(100 + 2 * stored), itertools.cycle(practices)
        for place in range(count // (PLANS_EACH * len(PEOPLE))):
            at = [next(homes) for _ in PEOPLE]
            ends = {home: self._feeds[home] for home in at}
            for home in at:
                self._feeds[home] += PLANS_EACH
            yield _New([next(free) for _ in PEOPLE], at, ends, f"CPP-{stored}-{place}")

    def _write(self, rows: Rows) -> None:
        by_table = defaultdict(list)
        for table, row in rows:
            by_table[table].append(self._placed(row) if table == "leaf" else row)
        for table, together in by_table.items():
            marks = ", ".join("?" * len(together[0]))
            into = f"INSERT INTO {table} VALUES ({marks})"  # noqa: S608, a name of ours
            self._connection.executemany(into, together)

    def _placed(self, leaf: tuple[Any, ...]) -> tuple[Any, ...]:
        """At the end of the audit's tree, as the sequencer would."""
        _, id_, at, body, _ = leaf
        place = self._tree.size
        self._tree.append(leaf_hash(body))
        return None, id_, at, body, place

    def close(self) -> None:
        """The ends of the feeds, and the head of the tree."""
        ends = [(home, last, last, f"{issued(last)}000Z") for home, last in self._feeds.items()]
        self._connection.executemany(
            "INSERT OR REPLACE INTO feed_counter (practice, last, flags, requests, issued)"
            " VALUES (?, ?, ?, 0, ?)",
            ends,
        )
        head = (self._tree.size, self._tree.to_bytes())
        self._connection.execute("UPDATE tree_head SET size = ?, frontier = ?", head)


_families_of: list[Family] = []


def _seal_for(family: Family) -> None:
    """In a process that seals: after this model."""
    _families_of.append(family)


def _sealed(group: Sequence[_New]) -> list[tuple[str, tuple[Any, ...]]]:
    (family,) = _families_of
    rows: list[tuple[str, tuple[Any, ...]]] = []
    for new in group:
        people, registered = family.people(new.of, new.homes)
        rows += registered
        feeds = Counter(new.feeds)
        for number in range(PLANS_EACH):
            rows += family.plan(people, f"{new.reference}-{number}", feeds=feeds)
    return rows


@contextlib.contextmanager
def filling(folder: Path, family: Family) -> Iterator[Bulk]:
    """The service's file below this folder, which has the keys that the family's model has."""
    with contextlib.closing(sqlite3.connect(folder / FILE, isolation_level=None)) as connection:
        for pragma in _FAST:
            connection.execute(f"PRAGMA {pragma}").fetchall()
        asked = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        indexes = connection.execute(asked).fetchall()
        for name, _ in indexes:
            connection.execute(f"DROP INDEX {name}")
        connection.execute("BEGIN")
        bulk = Bulk(connection, family)
        yield bulk
        bulk.close()
        connection.execute("COMMIT")
        for _, made in indexes:
            connection.execute(made)
        connection.execute("PRAGMA journal_mode=WAL").fetchall()
