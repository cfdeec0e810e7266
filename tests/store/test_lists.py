"""A list of any length is asked for by one statement, and by the index of its column."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, Integer, event, text
from sqlmodel import Session, col, select

from flagservice.admission import endpoints
from flagservice.api.records import fast_path
from flagservice.delivery.pull import batched
from flagservice.intake import plans
from flagservice.intake.ruling import person_files
from flagservice.people import persons, registrations
from flagservice.store import feed, leaves, tables
from flagservice.store.columns import EnumText, Instant
from flagservice.store.lists import TextList, one_of
from tests.world import World

STATEMENTS = {
    "clients": fast_path._CLIENTS,
    "now": batched._NOW,
    "unserved": batched._UNSERVED,
    "served": batched._SERVED,
    "one page": batched._NEW[1],
    "admitted": endpoints._ADMITTED,
    "registered": registrations._FOUND,
    "named": person_files._NAMED,
    "holds": person_files._HOLDS,
    "copies": person_files._COPIES,
    "lookups": person_files._LOOKUPS,
    "people": persons._FOUND,
    "plan": plans._FOUND,
    "counters": feed._COUNTERS,
}
"""All that are asked in the hot paths."""


def told(session: Session, names: list[str]) -> set[str]:
    asked = select(col(tables.ClientRow.id))
    return set(
        session.exec(asked.where(one_of(col(tables.ClientRow.id), "ids")), params={"ids": names})
    )


@pytest.mark.parametrize(
    "names", [[], ["a"], ["a", 'b"', "c,d", "{e}", "é\\", "none"]], ids=["none", "one", "many"]
)
def test_it_finds_whatever_is_in_the_list_however_it_is_spelled(
    any_world: World, names: list[str]
) -> None:
    there = ["a", 'b"', "c,d", "{e}", "é\\", "other"]
    with any_world.database.transaction() as session:
        for name in there:
            session.add(
                tables.ClientRow(id=name, ods="X26", kind="gp-system", scopes="", keys="[]")
            )
        session.flush()
        assert told(session, names) == set(there) & set(names)
        session.rollback()


@pytest.fixture
def warned(any_world: World) -> Engine:
    """A database that reads a table from end to end only where it has no other way."""
    engine = any_world.database.engine
    if not any_world.database.is_sqlite:
        event.listen(engine, "begin", lambda c: c.exec_driver_sql("SET LOCAL enable_seqscan=off"))
    return engine


@pytest.mark.parametrize("asked", STATEMENTS.values(), ids=STATEMENTS)
def test_no_table_is_read_from_end_to_end(warned: Engine, asked: Any) -> None:
    """The database says how it would go about it; a scan is slow with a million flags."""
    assert [step for step in steps(warned, asked) if re.search(r"^SCAN|Seq Scan", step)] == []


def of_type(type_: object) -> object:
    match type_:
        case TextList():
            return ["x"]
        case Instant():
            return datetime.now(UTC)
        case Integer():
            return 1
        case EnumText():
            return next(iter(type_.members))
        case _:
            return "x"


def steps(engine: Engine, asked: Any) -> list[str]:
    said: list[tuple[str, Any]] = []
    event.listen(engine, "before_cursor_execute", lambda *given: said.append((given[2], given[3])))
    binds = asked.compile(dialect=engine.dialect).binds
    values = {name: of_type(one.type) for name, one in binds.items() if one.required}
    explain = "EXPLAIN QUERY PLAN" if engine.dialect.name == "sqlite" else "EXPLAIN"
    with engine.begin() as connection:
        connection.execute(asked, values)
        statement, given = said[-1]
        found = connection.exec_driver_sql(f"{explain} {statement}", given)
        return [row[-1] for row in found if "VIRTUAL TABLE" not in row[-1]]


def test_leaves_are_written_in_the_order_in_which_they_were_made(any_world: World) -> None:
    made = [
        {"id": f"{n:032x}", "at": any_world.now, "body": bytes([n]) + b"\\x00{\"'}"}
        for n in range(40)
    ]
    with any_world.database.transaction() as session:
        leaves.write(session, made)
        asked = select(tables.LeafRow).order_by(col(tables.LeafRow.row))
        kept = [{"id": one.id, "at": one.at, "body": one.body} for one in session.exec(asked)]
        assert kept == made
        assert session.connection().execute(text("SELECT count(*) FROM leaf")).scalar_one() == 40
