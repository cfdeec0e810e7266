"""Where a record is comes from the register alone; what it learns is followed in one commit."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Event

import pytest
from sqlalchemy import text

from flagservice.audit.log import Actor, Work
from flagservice.domain.errors import Conflict
from flagservice.domain.submissions import Plan
from flagservice.intake.registration import update_registration
from flagservice.intake.submission import submit
from flagservice.people.registrations import Registration
from flagservice.store import tables
from tests.intake.people import (
    CHILD,
    CPP_CHILD,
    CPP_ENDED,
    ELSEWHERE,
    FATHER,
    HOME,
    NEW,
    a_plan,
    child,
    codes,
    father,
    given_the_family,
    open_lookups,
    rows,
    versions,
)
from tests.patience import enough
from tests.world import COUNCIL, World


@pytest.mark.parametrize("known", [True, False])
def test_a_birth_date_that_the_register_contradicts_and_an_unknown_number_are_one(
    world: World, known: bool
) -> None:
    """A corrected version answers it, and no click."""
    if known:
        world.registered(CHILD[0], "2021-12-07", HOME)
    world.posts(COUNCIL, a_plan(child()))
    assert codes(world, HOME) == []
    assert world.receipt(COUNCIL, "CPP-1") == [("child", "not reached")]
    (asked,) = world.worklist(COUNCIL)
    assert (asked.question, asked.why) == ("identity", "check number, name and birth date")
    assert (asked.would, asked.due, asked.decider) == ({}, date(2022, 1, 6), "submitter")
    with pytest.raises(Conflict, match="a new version answers"):
        world.decides(COUNCIL)
    world.registered(CHILD[0], "2021-12-07", HOME)
    right = child() | {"date_of_birth": "2021-12-07"}
    world.posts(COUNCIL, a_plan(right, version=2, start="2022-01-01"))
    assert (codes(world, HOME), world.worklist(COUNCIL)) == ([CPP_CHILD], [])


def test_a_birth_date_that_the_register_corrects_leaves_the_flag_until_the_submitter_answers(
    world: World,
) -> None:
    given_the_family(world)
    world.posts(COUNCIL, a_plan())
    (flag,) = world.held_at(HOME, CHILD[0])
    world.registered(CHILD[0], "2021-12-07", HOME)
    assert world.held_at(HOME, CHILD[0]) == [flag]
    assert [(one.question, one.role) for one in world.worklist(COUNCIL)] == [("identity", "child")]
    world.posts(COUNCIL, a_plan(version=2, end="2022-01-04"))
    assert codes(world, HOME, CHILD) == ["342891000000105 inactive"]


def test_a_register_that_is_put_right_places_what_its_birth_date_held(world: World) -> None:
    world.registered(CHILD[0], "2021-12-07", HOME)
    world.posts(COUNCIL, a_plan(child()))
    world.registered(*CHILD, HOME)
    assert codes(world, HOME) == [CPP_CHILD]
    assert world.worklist(COUNCIL) == []


def test_a_person_without_a_practice_is_an_open_look_up_and_never_a_guess(world: World) -> None:
    world.registered(*CHILD, None)
    world.posts(COUNCIL, a_plan(child()))
    assert rows(world, of=tables.CopyRow) == []
    assert open_lookups(world) == [("child", "no-practice")]
    assert world.receipt(COUNCIL, "CPP-1") == [("child", "not reached")]


def test_a_look_up_is_answered_when_the_register_learns_it_in_one_commit(any_world: World) -> None:
    any_world.posts(COUNCIL, a_plan(child()))
    before = any_world.now
    any_world.on("2022-01-10")
    any_world.registered(*CHILD, HOME)
    (lookup,) = rows(any_world, of=tables.LookupRow)
    (version,) = rows(any_world, of=tables.VersionRow)
    (delivery,) = rows(any_world, of=tables.DeliveryRow)
    assert lookup.opened == before.date()
    assert lookup.closed == date(2022, 1, 10)
    assert (version.practice, version.feed_number) == (HOME, 1)
    assert delivery.owed == any_world.now
    assert any_world.receipt(COUNCIL, "CPP-1") == [("child", "placed")]


def test_a_register_that_says_what_it_said_changes_nothing(world: World) -> None:
    given_the_family(world)
    world.posts(COUNCIL, a_plan())
    before = len(rows(world, of=tables.RulingRow))
    given_the_family(world)
    assert len(rows(world, of=tables.RulingRow)) == before


def test_after_a_move_the_old_copy_is_taken_back_and_a_new_one_has_its_own_id(
    any_world: World,
) -> None:
    given_the_family(any_world)
    any_world.posts(COUNCIL, a_plan())
    (old,) = any_world.held_at(HOME, CHILD[0])
    any_world.on("2022-01-10")
    any_world.registered(*CHILD, NEW)
    (new,) = any_world.held_at(NEW, CHILD[0])
    assert new["id"] != old["id"]
    assert new["code"] == old["code"]
    assert len(versions(any_world, new["id"])) == 1
    left = next(one for one in any_world._newest(HOME, removed=True) if one["id"] == old["id"])
    assert (left["status"], left["code"]["coding"][0]["code"]) == ("inactive", "U")
    assert not {"period", "author", "extension"} & set(left)
    assert str(left["meta"]["security"]) == str(old["meta"]["security"])


def test_history_moves_too_and_none_stays_behind(world: World) -> None:
    given_the_family(world)
    world.posts(COUNCIL, a_plan(end="2022-01-04"))
    world.registered(*CHILD, NEW)
    assert codes(world, HOME, CHILD) == []
    assert codes(world, NEW, CHILD) == [f"{CPP_ENDED} inactive"]


def test_while_nobody_knows_a_persons_practice_the_copy_stays_and_it_is_looked_for(
    world: World,
) -> None:
    given_the_family(world)
    world.posts(COUNCIL, a_plan())
    world.registered(*CHILD, None)
    assert codes(world, HOME, CHILD) == [CPP_CHILD]
    assert open_lookups(world) == [("child", "no-practice")]
    world.registered(*CHILD, NEW)
    assert codes(world, HOME, CHILD) == []
    assert codes(world, NEW, CHILD) == [CPP_CHILD]
    assert open_lookups(world) == []


def test_a_person_who_is_to_get_nothing_is_not_looked_for(world: World) -> None:
    partner = father() | {"role": "partner", "involvement": "excluded"}
    world.posts(COUNCIL, a_plan(child(), partner))
    assert open_lookups(world) == [("child", "no-practice")]
    assert world.receipt(COUNCIL, "CPP-1")[1] == ("partner", "accepted")


def test_a_registration_learned_while_the_plan_is_posted_is_not_missed(
    migrated_postgresql_url: str,
) -> None:
    """Neither deed may look past the other: one of them finds what the other has done."""
    world = World(migrated_postgresql_url)
    plan = Plan.model_validate_json(json.dumps(a_plan(child())))
    asked, may_commit = Event(), Event()

    def post(work: Work) -> None:
        submit(work, plan, rulebook=world.rulebook)
        asked.set()
        assert may_commit.wait(enough())

    def learn(work: Work) -> bool:
        said = Registration(date.fromisoformat(CHILD[1]), HOME)
        return update_registration(work, CHILD[0], registration=said, rulebook=world.rulebook)

    with ThreadPoolExecutor(2) as hands:
        posting = hands.submit(world.log.perform, Actor("client", COUNCIL), post)
        assert asked.wait(enough())
        learning = hands.submit(world.log.perform, Actor("test"), learn)
        while not learning.done() and not _somebody_waits(world):
            pass
        may_commit.set()
        posting.result(enough())
        learning.result(enough())
    assert codes(world, HOME) == [CPP_CHILD]
    assert open_lookups(world) == []
    world.close()


def _somebody_waits(world: World) -> bool:
    # On a connection of its own: both turns that a process takes at once are taken by the test.
    with world.database.engine.connect() as looking:
        asked = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(looking.execute(asked).scalar_one())


def test_the_father_elsewhere_is_not_touched_by_the_childs_move(world: World) -> None:
    given_the_family(world)
    world.posts(COUNCIL, a_plan())
    before = world.held_at(ELSEWHERE, FATHER[0])
    world.registered(*CHILD, NEW)
    assert world.held_at(ELSEWHERE, FATHER[0]) == before
