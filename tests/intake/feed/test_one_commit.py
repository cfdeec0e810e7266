"""What a 2xx promises is durable in one commit: a fault at any statement leaves nothing of it.

Every statement of the deed is made to fail in turn, and the commit itself. Each time a second
connection looks at what everybody else can see, while the deed is under way and after it.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain, count
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, event, select
from sqlmodel import SQLModel

from tests.intake.people import (
    CHILD,
    FATHER,
    HOME,
    NEW,
    a_notification,
    a_plan,
    child,
    decide_on,
    father,
    given_the_family,
    mother,
)
from tests.sizes import sizes
from tests.world import COUNCIL, POLICE, World

Deed = Callable[[World], object]
Seen = dict[str, Counter[tuple[Any, ...]]]


class Broken(Exception):
    """The fault that is put in."""


def post_a_plan(world: World) -> None:
    world.posts(COUNCIL, a_plan())


def post_for_a_record_that_is_nowhere(world: World) -> None:
    world.posts(COUNCIL, a_plan(child() | {"nhs_number": "9990004293"}))


def narrow(world: World) -> None:
    world.posts(POLICE, a_notification(father(standing="both"), mother(standing="victim")))


def end_the_plan(world: World) -> None:
    world.posts(COUNCIL, a_plan(version=2, end="2022-01-04"))


def move(world: World) -> None:
    world.registered(*CHILD, NEW)


COMMIT = 0
PLAN, OF_PLAN = post_a_plan, {"submission", "naming", "ruling", "leaf"}
TOLD = {"version", "copy", "delivery", "feed_counter", "ruling", "leaf"}


EVERY = sizes("every", short=5, long=1)


@EVERY
@pytest.mark.parametrize(
    ("before", "deed", "changes"),
    [
        ([], PLAN, {"plan"} | OF_PLAN | TOLD),
        ([], post_for_a_record_that_is_nowhere, {"plan", "lookup"} | OF_PLAN),
        ([PLAN], narrow, {"plan", "hold"} | OF_PLAN | TOLD),
        ([PLAN], end_the_plan, {"plan"} | OF_PLAN | TOLD),
        ([PLAN], move, {"registration"} | TOLD),
    ],
)
def test_a_deed_is_whole_or_not_at_all(
    any_world: World, before: list[Deed], deed: Deed, changes: set[str], every: int
) -> None:
    given_the_family(any_world)
    for earlier in before:
        earlier(any_world)
    then_it_is_whole_or_not_at_all(any_world, deed, changes, every=every)


@EVERY
def test_a_decision_is_whole_or_not_at_all(any_world: World, every: int) -> None:
    given_the_family(any_world)
    any_world.posts(COUNCIL, a_plan(child(identity="unconfirmed")))
    (item,) = any_world.worklist(COUNCIL)
    then_it_is_whole_or_not_at_all(
        any_world, lambda world: decide_on(world, COUNCIL, item.id), {"hold"} | TOLD, every=every
    )


@EVERY
def test_a_register_that_contradicts_is_whole_or_not_at_all(any_world: World, every: int) -> None:
    given_the_family(any_world)
    any_world.posts(COUNCIL, a_plan())
    then_it_is_whole_or_not_at_all(
        any_world,
        lambda world: world.registered(FATHER[0], "1993-09-29", HOME),
        {"registration", "hold"} | TOLD,
        every=every,
    )


def then_it_is_whole_or_not_at_all(
    world: World, deed: Deed, changes: set[str], *, every: int
) -> None:
    outside = create_engine(world.database.engine.url)
    try:
        before = seen(outside)
        faults = _break_everywhere(world, deed, outside, every=every)
        after = seen(outside)
    finally:
        outside.dispose()
    assert faults > 10 // every
    assert {name for name in after if after[name] != before[name]} >= changes


def _break_everywhere(world: World, deed: Deed, outside: Engine, *, every: int) -> int:
    """Breaks the commit, then a statement after the other until none is left; answers how many.

    `every` so many is broken.
    """
    before, faults = seen(outside), 0
    for which in chain([COMMIT], count(1, every)):
        with breaking(world.database.engine, which, lambda: seen(outside)) as during:
            try:
                deed(world)
            except Broken:
                assert during == [before]
            else:
                break
        assert seen(outside) == before
        faults += 1
    return faults


def seen(outside: Engine) -> Seen:
    """Every row of every table, as somebody else sees it now."""
    with outside.connect() as connection:
        return {
            table.name: Counter(tuple(row) for row in connection.execute(select(table)))
            for table in SQLModel.metadata.sorted_tables
        }


@contextmanager
def breaking(engine: Engine, which: int, look: Callable[[], Seen]) -> Iterator[list[Seen]]:
    """Breaks the statement of that number, or the commit; keeps what was to be seen then."""
    during: list[Seen] = []
    statements = count(1)

    def fails() -> None:
        during.append(look())
        raise Broken

    def statement(*_: object) -> None:
        if next(statements) == which:
            fails()

    def commit(*_: object) -> None:
        if which == COMMIT:
            fails()

    event.listen(engine, "before_cursor_execute", statement)
    event.listen(engine, "commit", commit)
    try:
        yield during
    finally:
        event.remove(engine, "before_cursor_execute", statement)
        event.remove(engine, "commit", commit)
