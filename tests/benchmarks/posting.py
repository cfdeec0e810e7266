"""Posting a plan, in one process: policy, sealing, audit and flags in one durable commit.

Against a bare commit of one row of a kilobyte, made durable in the same way, on the same disk.
"""

import itertools
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import psycopg
from nhs_number.validate import is_valid

from tests import postgresql
from tests.benchmarks.measuring import ROUNDS, Deed, Figure, Repeated, compare
from tests.world import COUNCIL, World, a_submission, person

PEOPLE = ("child", "mother", "father")
POSTS = 12
"""In each round."""
_ROW = bytes(1024)
_numbers = (str(n) for n in itertools.count(9_990_600_000) if is_valid(str(n)))


def figures(folder: Path) -> Iterator[Figure]:
    """On SQLite, and on PostgreSQL where this machine has one."""
    yield _posted("SQLite", f"sqlite:///{folder}/posting.db", bare=_bare_sqlite(folder / "bare.db"))
    try:
        with postgresql.server() as url:
            yield _posted("PostgreSQL", url, bare=_bare_postgresql(url))
    except postgresql.NoPostgreSQL:
        return


def _posted(name: str, url: str, *, bare: Deed) -> Figure:
    world = World(url)
    try:
        return compare(
            f"post a plan with {len(PEOPLE)} people, {name}",
            Repeated(_posting(world), POSTS),
            against="a bare durable commit there",
            theirs=Repeated(bare, POSTS * 5),
        )
    finally:
        world.close()


def _posting(world: World) -> Deed:
    """Every plan names people who are named nowhere else, registered beforehand."""
    plans = []
    for place in range(POSTS * (ROUNDS + 1)):
        people = [(role, next(_numbers)) for role in PEOPLE]
        for _, number in people:
            world.registered(number, "2000-01-01", "B83901")
        named = [person(role, number, "2000-01-01", knows="knows") for role, number in people]
        plans.append(a_submission("child-protection", f"CPP-{place}", *named))
    waiting = iter(plans)
    return lambda: world.posts(COUNCIL, next(waiting))


def _bare_sqlite(path: Path) -> Deed:
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    connection.execute("CREATE TABLE bare (id INTEGER PRIMARY KEY, body BLOB)")
    return lambda: connection.execute("INSERT INTO bare (body) VALUES (?)", (_ROW,))


def _bare_postgresql(url: str) -> Deed:
    connection = psycopg.connect(url.replace("+psycopg", ""), autocommit=True)
    connection.execute("CREATE TABLE bare (id SERIAL PRIMARY KEY, body BYTEA)")
    return lambda: connection.execute("INSERT INTO bare (body) VALUES (%s)", (_ROW,))
