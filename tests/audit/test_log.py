"""Every unit of work leaves a leaf in its own commit, or it does not happen."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlmodel import col, select

from flagservice.audit.log import Actor, Deed, Unrecorded, Work
from flagservice.domain.elements import Kind
from flagservice.store import tables
from tests.world import World

SOMEBODY = Actor("a client", "E08000032", "request-1")


def leaves(world: World) -> list[tables.LeafRow]:
    with world.database.transaction() as session:
        return list(session.exec(select(tables.LeafRow)).all())


def policies(world: World) -> int:
    with world.database.transaction() as session:
        return len(session.exec(select(tables.PolicyTextRow)).all())


def a_change(work: Work) -> None:
    work.session.add(
        tables.PolicyTextRow(digest=work.new_id(), kind=Kind.MARAC, version=1, text="t")
    )
    work.session.flush()


def test_a_leaf_says_who_did_what_when_to_which_id_and_for_which_request(any_world: World) -> None:
    any_world.log.perform(SOMEBODY, lambda work: work.record(Deed.READ, copy="c1", found=2))
    (leaf,) = leaves(any_world)
    assert json.loads(leaf.body) == {
        "about": {"copy": "c1", "found": 2},
        "actor": "a client",
        "at": "2022-01-04T09:30:00+00:00",
        "deed": "read",
        "id": leaf.id,
        "ods": "E08000032",
        "request": "request-1",
    }
    assert (leaf.at, leaf.position) == (any_world.now, None)


def test_a_deed_and_its_leaf_are_kept_together(any_world: World) -> None:
    def deed(work: Work) -> str:
        a_change(work)
        work.record(Deed.READ)
        return "done"

    assert any_world.log.perform(SOMEBODY, deed) == "done"
    assert (len(leaves(any_world)), policies(any_world)) == (1, 1)


def test_a_deed_that_fails_keeps_neither(any_world: World) -> None:
    def deed(work: Work) -> None:
        work.record(Deed.READ)
        a_change(work)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        any_world.log.perform(SOMEBODY, deed)
    assert (len(leaves(any_world)), policies(any_world)) == (0, 0)


def test_a_deed_without_a_leaf_does_not_happen(any_world: World) -> None:
    with pytest.raises(Unrecorded):
        any_world.log.perform(SOMEBODY, a_change)
    assert policies(any_world) == 0


def test_a_row_that_would_be_written_by_nobody_is_no_success(world: World) -> None:
    def deed(work: Work) -> None:
        work.record(Deed.DISCLOSED)
        work.keep(SimpleNamespace(__tablename__="a_table_of_nobody"), id="x")

    with pytest.raises(Unrecorded):
        world.log.perform(SOMEBODY, deed)
    assert leaves(world) == []


def test_reading_without_a_leaf_is_refused_like_writing(world: World) -> None:
    with pytest.raises(Unrecorded):
        world.log.perform(SOMEBODY, lambda work: work.session.exec(select(tables.LeafRow)).all())


@pytest.mark.parametrize("losses", [0, 1, 7])
def test_a_deed_that_lost_a_race_is_done_once_more_and_leaves_one_leaf(
    world: World, losses: int
) -> None:
    deed = Racing(losses, IntegrityError("", {}, Exception("UNIQUE")))
    assert world.log.perform(SOMEBODY, deed) == losses + 1
    assert len(leaves(world)) == 1


def test_a_deed_that_loses_every_race_is_given_up(world: World) -> None:
    deed = Racing(100, OperationalError("", {}, Exception("database is locked")))
    with pytest.raises(OperationalError):
        world.log.perform(SOMEBODY, deed)
    assert deed.done == 8
    assert leaves(world) == []


def test_a_database_that_fails_otherwise_is_not_asked_again(world: World) -> None:
    deed = Racing(100, OperationalError("", {}, Exception("disk I/O error")))
    with pytest.raises(OperationalError):
        world.log.perform(SOMEBODY, deed)
    assert deed.done == 1


class Racing:
    """A deed that loses some races first."""

    def __init__(self, losses: int, wrong: DBAPIError) -> None:
        self.losses, self.wrong, self.done = losses, wrong, 0

    def __call__(self, work: Work) -> int:
        self.done += 1
        work.record(Deed.READ)
        if self.done <= self.losses:
            raise self.wrong
        return self.done


@pytest.mark.parametrize(
    ("says", "answer"),
    [(True, True), (False, False), ("a name", False), (1, False), ({"a": 1}, False), (None, False)],
)
def test_the_only_question_without_a_leaf_is_answered_with_yes_or_no(
    world: World, says: Any, answer: bool
) -> None:
    found = world.log.is_waiting(SOMEBODY, lambda _: says)
    assert found is answer
    assert leaves(world) == []


def test_whatever_a_question_changes_is_not_kept(any_world: World) -> None:
    def question(work: Work) -> bool:
        a_change(work)
        work.record(Deed.READ)
        return True

    assert any_world.log.is_waiting(SOMEBODY, question)
    assert policies(any_world) == 0
    assert leaves(any_world) == []


def test_a_leafs_place_is_nobodys_to_give_but_the_sequencers(world: World) -> None:
    world.log.perform(SOMEBODY, lambda work: work.record(Deed.READ))
    with world.database.transaction() as session:
        waiting = session.exec(select(tables.LeafRow).where(col(tables.LeafRow.position).is_(None)))
        assert len(waiting.all()) == 1
