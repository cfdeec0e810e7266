"""An outsider's answers are the same to the byte, whether or not there are flags (P7).

`make twin` plays many more traces, longer ones, and asks more after each round.
"""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy import make_url
from sqlmodel import col, func, select

from flagservice.domain.copies import DeliveryState
from flagservice.store import tables
from tests.databases.templates import copy, migrated_postgresql
from tests.sizes import sizes
from tests.twin import cast
from tests.twin.outside.comparing import Tally
from tests.twin.traffic import Acknowledge, Decide, Fall, Move, Post, Round, Rule, rounds
from tests.twin.twins import Leak, Twins
from tests.twin.worlds import TwinWorld, furnished, three_worlds


def said(party: cast.Party, kind: str, family: int, **more: Any) -> Post:
    """One that everybody knows of, with all three people."""
    sure = {"identity": ("confirmed",) * 3, "involvement": ("included",) * 3}
    knows = {"knows": ("knows",) * 3, "people": 3, "ends": False}
    return Post(**{"party": party, "kind": kind, "family": family, **sure, **knows, **more})


PLAN, ACCUSED = "child-protection", "perpetrator"
UNSURE = ("confirmed", "confirmed", "unconfirmed")
A_RICH_TRACE = [
    Round(
        ordinary=(
            said(cast.OTHERS[0], PLAN, 3),
            said(cast.OTHERS[0], PLAN, 4, identity=UNSURE),
            said(cast.OTHERS[1], ACCUSED, 4),
        ),
        hidden={
            "B": (said(cast.COUNCIL_IN, PLAN, 0), said(cast.COUNCIL_IN, "section-47", 1)),
            "C": (said(cast.POLICE_IN, ACCUSED, 1), Fall(cast.INSIDE[0], 503)),
        },
        seed=1,
    ),
    Round(
        ordinary=(Acknowledge(cast.OTHER_PRACTICES[0]), Decide(cast.OTHERS[0], "place")),
        hidden={
            "B": (said(cast.POLICE_IN, ACCUSED, 0), Rule(), Acknowledge(cast.PRACTICES[0])),
            "C": (
                Decide(cast.LEADS[0], "place"),
                Decide(cast.LEADS[1], "place"),
                Move(0, 0, cast.INSIDE[1]),
            ),
        },
        minutes=61,
        seed=2,
    ),
]
"""Plans, a notification, decisions, a move, deliveries that fail, and a policy that changes."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("twins")


@pytest.fixture
def twins(folder: Path) -> Iterator[Twins]:
    """Three worlds on SQLite."""
    with three_worlds(folder) as worlds:
        yield Twins(worlds, most=24)


@sizes("examples", short=2, long=5)
def test_no_outsider_can_tell_the_worlds_of_any_trace_apart(folder: Path, examples: int) -> None:
    played = []

    @settings(
        max_examples=examples,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(rounds(3))
    def traces(trace: list[Round]) -> None:
        with three_worlds(folder) as worlds:
            played.append(Twins(worlds, most=16).plays(trace))

    traces()
    tally = sum(played, Tally())
    assert tally.requests > 200 * examples
    assert tally.differing == 0


# No part of a request repeats after 7 of them: what is left out is different each time.
@sizes("every", short=7, long=1)
def test_every_outsider_asks_every_route_by_every_method_and_sees_the_same(
    twins: Twins, every: int
) -> None:
    tally = twins.plays(A_RICH_TRACE, sweeping=every)
    assert tally.requests > 5000 / every
    assert tally.successes > 100 / every
    then_the_worlds_did_differ(twins)


def then_the_worlds_did_differ(twins: Twins) -> None:
    copies = [_count(world, tables.CopyRow) for world in twins.worlds]
    decisions = col(tables.HoldRow.outcome).is_not(None)
    decided = [_count(world, tables.HoldRow, where=decisions) for world in twins.worlds]
    delivered = col(tables.DeliveryRow.state) == DeliveryState.DELIVERED
    filed = [_count(world, tables.DeliveryRow, where=delivered) for world in twins.worlds]
    assert copies[0] < min(copies[1:])
    assert decided[2] > decided[0] > 0
    assert filed[1] > filed[0] > 0


def test_no_outsider_can_tell_them_apart_on_postgresql(postgresql_server: str) -> None:
    opened = list(_on_postgresql(postgresql_server))
    try:
        tally = Twins(opened, most=24).plays(A_RICH_TRACE)
        assert tally.requests > 500
    finally:
        for world in opened:
            world.close()


def _on_postgresql(server: str) -> Iterator[TwinWorld]:
    first, *others = (make_url(server).set(database=f"twin_{name}") for name in "abc")
    copy(first, migrated_postgresql(server))
    furnished(first.render_as_string(hide_password=False))
    for other in others:
        copy(other, first.database or "")
    for name, where in zip("ABC", (first, *others), strict=True):
        yield TwinWorld(where.render_as_string(hide_password=False), name=name).warmed()


def _count(world: TwinWorld, table: Any, *, where: Any = True) -> int:
    with world.database.transaction() as session:
        asked = select(func.count()).select_from(table).where(where)
        return int(session.exec(asked).one())


class Leaky:
    """An application with a fault of ours: what it does depends on whether there is a copy."""

    def __init__(self, world: TwinWorld, fault: Callable[[TwinWorld, Any], None]) -> None:
        self._world, self._fault, self._app = world, fault, world.app._app
        self._inside = world.app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def faulty(message: Any) -> None:
            if message["type"] == "http.response.start":
                self._fault(self._world, message)
            await send(message)

        await self._inside(scope, receive, faulty)


def _inside(world: TwinWorld) -> int:
    """Copies that no outsider may know of: none in world A."""
    with world.database.transaction() as session:
        asked = select(func.count()).where(col(tables.CopyRow.practice).in_(cast.INSIDE))
        return int(session.exec(asked).one())


def counts_in_a_header(world: TwinWorld, message: Any) -> None:
    found = str(_inside(world)).encode()
    message["headers"] = [*message["headers"], (b"x-remaining", found)]


def orders_its_headers_by_it(world: TwinWorld, message: Any) -> None:
    if _inside(world):
        message["headers"] = message["headers"][::-1]


def says_gone_where_something_was(world: TwinWorld, message: Any) -> None:
    if message["status"] == 404 and _inside(world):
        message["status"] = 410


def looks_once_more(world: TwinWorld, _: Any) -> None:
    if _inside(world):
        _inside(world)


FAULTS = [
    counts_in_a_header,
    orders_its_headers_by_it,
    says_gone_where_something_was,
    looks_once_more,
]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_any_sort_is_found_and_told_as_lines_for_a_shell(
    twins: Twins, fault: Callable[[TwinWorld, Any], None]
) -> None:
    for world in twins.worlds:
        world.app = Leaky(world, fault)
    with pytest.raises(Leak) as leak:
        twins.plays(A_RICH_TRACE)
    told = str(leak.value).splitlines()
    assert told[0].startswith("worlds A and ")
    assert "# world B alone" in told
    assert "# answered differently" in told
    assert told[-1].startswith("curl -i ")
    assert any("-X POST" in line and "/plans" in line for line in told)


def test_a_new_route_is_asked_without_anybody_saying_so(twins: Twins) -> None:
    for world in twins.worlds:
        world.fastapi.add_api_route("/brand-new/{anything}", partial(_inside, world))
    with pytest.raises(Leak, match=r"/brand-new/"):
        twins.plays(A_RICH_TRACE, sweeping=1)
