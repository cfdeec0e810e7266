"""Who asks at one time is answered in one commit; what has no answer has left no trace."""

import asyncio
import json
import threading
from collections.abc import Callable, Sequence
from types import SimpleNamespace

import pytest
from sqlmodel import col, select

from flagservice.audit import group_commit
from flagservice.audit.group_commit import GroupCommit
from flagservice.audit.log import Actor, Deed, Work
from flagservice.store import tables
from tests.patience import until
from tests.world import World

Asked = Sequence[Work]
Answers = Callable[[Asked, Sequence[int]], list[int | None]]


def squared(works: Asked, numbers: Sequence[int]) -> list[int | None]:
    """Of even numbers; the others are asked elsewhere."""
    found: list[int | None] = []
    for work, number in zip(works, numbers, strict=True):
        if number % 2:
            found.append(None)
            continue
        work.record(Deed.READ, copy=str(number))
        found.append(number * number)
    return found


def asked(one: GroupCommit[int, int], numbers: Sequence[int]) -> list[int | None]:
    async def together() -> list[int | None]:
        return await asyncio.gather(*(one.ask(Actor(f"c{n}"), n) for n in numbers))

    return asyncio.run(together())


def leaves(world: World) -> list[tuple[str, str]]:
    with world.database.transaction() as session:
        found = session.exec(select(tables.LeafRow).order_by(col(tables.LeafRow.row))).all()
    bodies = [json.loads(leaf.body) for leaf in found]
    return [(body["actor"], body["about"]["copy"]) for body in bodies]


def counting(answering: Callable[..., list[int | None]]) -> tuple[list[int], Answers]:
    """How many were answered together, each time."""
    sizes: list[int] = []

    def counted(works: Asked, numbers: Sequence[int]) -> list[int | None]:
        sizes.append(len(numbers))
        return answering(works, numbers)

    return sizes, counted


def test_who_asks_in_one_turn_of_the_loop_shares_a_commit_and_each_has_a_leaf(
    any_world: World,
) -> None:
    sizes, answering = counting(squared)
    found = asked(GroupCommit(any_world.log, answering), range(9))
    assert found == [0, None, 4, None, 16, None, 36, None, 64]
    assert sizes == [9]
    assert leaves(any_world) == [(f"c{n}", str(n)) for n in range(0, 9, 2)]


async def a_turn() -> None:
    """Until all who asked were handed in: a turn of the loop gathers, the next hands in."""
    for _ in range(3):
        await asyncio.sleep(0)


def test_nobody_waits_for_more_than_a_group(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commit, "MOST", 4)
    sizes, answering = counting(squared)
    one: GroupCommit[int, int] = GroupCommit(world.log, answering)

    async def in_turns() -> list[int | None]:
        waiting = []
        with world.database.transaction():  # so that those who come now wait together
            for numbers in ([2], [4, 6, 8], [10, 12, 14, 16]):
                waiting += [asyncio.ensure_future(one.ask(Actor("c"), n)) for n in numbers]
                await a_turn()
                until(lambda: one._waiting.qsize() != 1, what="nobody takes the first")
        return await asyncio.gather(*waiting)

    assert asyncio.run(in_turns()) == [n * n for n in range(2, 17, 2)]
    assert sizes == [1, 4, 3]


def test_where_no_thread_can_be_started_nobody_waits_for_one_and_the_next_is_answered(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    one: GroupCommit[int, int] = GroupCommit(world.log, squared)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", full)
        assert asked(one, [2, 4]) == [None, None]
    assert leaves(world) == []
    assert asked(one, [6]) == [36]


def test_a_loop_that_is_closed_meanwhile_ends_the_thread_for_nobody(world: World) -> None:
    class Closed(asyncio.AbstractEventLoop):
        def call_soon_threadsafe(self, *_: object, **__: object) -> None:
            raise RuntimeError("Event loop is closed")

    class Left:
        answer = None
        awaited = SimpleNamespace(get_loop=Closed)

    group_commit._hand_over([Left()])


def test_an_answer_without_a_leaf_is_nobodys_and_takes_the_others_with_it(world: World) -> None:
    def silent(works: Asked, numbers: Sequence[int]) -> list[int | None]:
        return [*squared(works[:-1], numbers[:-1]), 7]

    assert asked(GroupCommit(world.log, silent), [2, 4]) == [None, None]
    assert leaves(world) == []


def test_a_leaf_without_an_answer_is_not_kept(world: World) -> None:
    def forgetful(works: Asked, numbers: Sequence[int]) -> list[int | None]:
        squared(works, numbers)
        return [None for _ in numbers]

    assert asked(GroupCommit(world.log, forgetful), [2]) == [None]
    assert leaves(world) == []


def test_who_went_away_is_not_told_and_the_others_are(world: World) -> None:
    one: GroupCommit[int, int] = GroupCommit(world.log, squared)

    async def impatient() -> int | None:
        gone = asyncio.ensure_future(one.ask(Actor("gone"), 2))
        stays = asyncio.ensure_future(one.ask(Actor("stays"), 4))
        await asyncio.sleep(0)
        gone.cancel()
        return await stays

    assert asyncio.run(impatient()) == 16
    assert leaves(world) == [("gone", "2"), ("stays", "4")]


def test_a_process_that_ends_meanwhile_is_told_nothing(world: World) -> None:
    """Its loop is closed; the group goes on for whoever comes next."""
    one: GroupCommit[int, int] = GroupCommit(world.log, squared)
    loop = asyncio.new_event_loop()
    left = loop.create_task(one.ask(Actor("left"), 2))
    with world.database.transaction():
        loop.run_until_complete(a_turn())
        left.cancel()
        loop.run_until_complete(asyncio.gather(left, return_exceptions=True))
        loop.close()
    assert asked(one, [4]) == [16]
    assert leaves(world) == [("left", "2"), ("c4", "4")]
