"""An `Idempotency-Key` gets one answer, for ever, in the commit of the deed."""

import pytest
from sqlmodel import col

from flagservice.audit.log import Actor, Deed, Work
from flagservice.domain.errors import Conflict
from flagservice.intake.idempotency import KeptAnswer, answer_once
from flagservice.store import tables
from tests.intake.people import rows
from tests.world import World


class Caller:
    """Does a deed once for each key, and counts how often it was really done."""

    def __init__(self, world: World, name: str = "client") -> None:
        self.world = world
        self.actor = Actor(name, "E08000032")
        self.done = 0

    def asks(self, key: str | None, *, digest: str = "d1", fails: bool = False) -> KeptAnswer:
        def deed(work: Work) -> KeptAnswer:
            def do() -> KeptAnswer:
                self.done += 1
                work.record(Deed.SUBMITTED)
                if fails:
                    raise Conflict("refused")
                return KeptAnswer(201, f"answer {self.done}".encode())

            return answer_once(work, key, digest=digest, deed=do)

        return self.world.log.perform(self.actor, deed)


def test_the_same_key_and_body_get_the_first_answer_and_nothing_is_done_again(
    any_world: World,
) -> None:
    caller = Caller(any_world)
    first = caller.asks("k")
    assert caller.asks("k") == first == KeptAnswer(201, b"answer 1")
    assert caller.done == 1


def test_the_same_key_with_another_body_is_a_conflict(world: World) -> None:
    caller = Caller(world)
    caller.asks("k")
    with pytest.raises(Conflict):
        caller.asks("k", digest="d2")
    assert caller.done == 1


def test_without_a_key_everything_is_done_each_time(world: World) -> None:
    caller = Caller(world)
    assert (caller.asks(None), caller.asks(None)) == (
        KeptAnswer(201, b"answer 1"),
        KeptAnswer(201, b"answer 2"),
    )


def test_one_callers_key_is_not_anothers(world: World) -> None:
    one, other = Caller(world), Caller(world, "somebody else")
    one.asks("k")
    other.asks("k", digest="d2")
    assert (one.done, other.done) == (1, 1)


def test_a_refused_deed_leaves_no_answer_so_it_can_be_tried_again(world: World) -> None:
    caller = Caller(world)
    with pytest.raises(Conflict):
        caller.asks("k", fails=True)
    assert caller.asks("k") == KeptAnswer(201, b"answer 2")


def test_the_kept_answer_is_sealed_and_its_repetition_is_recorded(world: World) -> None:
    caller = Caller(world)
    caller.asks("k")
    caller.asks("k")
    (row,) = rows(world, of=tables.IdempotencyRow)
    assert b"answer" not in row.sealed
    leaves = rows(world, col(tables.LeafRow.position).is_(None), of=tables.LeafRow)
    assert sum(b'"deed":"repeated"' in leaf.body for leaf in leaves) == 1
