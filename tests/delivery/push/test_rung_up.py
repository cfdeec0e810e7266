"""What a person has to see to: flags at a practice admitted no more, and decisions overdue."""

from datetime import timedelta

import pytest
from sqlmodel import select

from flagservice.admission.checkers import revoke_checker
from flagservice.admission.decisions import OperatorDecision
from flagservice.admission.endpoints import suspend
from flagservice.admission.lapses import practice_systems
from flagservice.admission.result_notes import VALID_FOR
from flagservice.admission.results import accept, withdraw
from flagservice.audit.log import Actor, Deed, Work
from flagservice.delivery.pull.feed import feed
from flagservice.delivery.watch import manual_list
from flagservice.delivery.watch.manual_list import ManualTask
from flagservice.domain.copies import Form
from flagservice.domain.holds import Escalation, Owner, Question
from flagservice.store import tables
from tests.checked import DECIDED, SIGNING, VERSION, a_finding, a_registration
from tests.checked import given_an_admitted_practice as given_it_registers
from tests.delivery.steps import (
    CHILD,
    OWN,
    Practice,
    a_worker,
    given_a_plan,
    given_a_registered_family,
)
from tests.intake.people import rows
from tests.world import World

GOVERNANCE = Actor("X26")
NO_MORE = ("flags at a practice", "its system is admitted no more")


def the_list(world: World) -> list[ManualTask]:
    return world.log.perform(GOVERNANCE, manual_list.waiting)


def given_a_flag_is_there(world: World, *, pushed: bool = True) -> None:
    given_a_registered_family(world)
    given_a_plan(world)
    if pushed:
        a_worker(world, Practice()).run_once()
    else:
        world.log.perform(Actor("client", OWN), lambda work: feed(work, form=Form.FLAG, limit=9))
    assert the_list(world) == []


def withdraws(work: Work) -> None:
    (result,) = work.session.exec(select(tables.LeakResultRow)).all()
    withdraw(work, result.id, decision=DECIDED)


def finds(work: Work) -> None:
    accept(work, a_finding(work.now), decision=DECIDED)


def revokes(work: Work) -> None:
    revoke_checker(work, SIGNING.name, decision=OperatorDecision("IG", "key lost"))


def suspends(work: Work) -> None:
    suspend(work, OWN, decision=OperatorDecision("IG", "it leaks"))


@pytest.mark.parametrize("lapse", [withdraws, finds, revokes, suspends])
@pytest.mark.parametrize("pushed", [True, False], ids=["pushed", "polled"])
def test_flags_that_are_at_a_practice_admitted_no_more_are_on_the_list_from_that_day(
    world: World, lapse: object, pushed: bool
) -> None:
    given_a_flag_is_there(world, pushed=pushed)
    world.now += timedelta(days=3)
    lapsed = world.now.date()
    world.log.perform(GOVERNANCE, lapse)
    for days, owner in ((0, "operator on duty"), (1, "information governance lead")):
        world.now += timedelta(days=days)
        todo = next(one for one in the_list(world) if one.what != "delivery")
        assert (todo.what, todo.reason) == NO_MORE
        assert (todo.opened, todo.owner) == (lapsed, owner)
        assert not [secret for secret in (OWN, CHILD) if secret in str(vars(todo))]


def test_the_day_on_which_its_year_ran_out_is_the_clocks(any_world: World) -> None:
    given_a_flag_is_there(any_world)
    ran = any_world.now
    any_world.now += VALID_FOR + timedelta(days=30)
    (todo,) = the_list(any_world)
    assert (todo.what, todo.opened) == (NO_MORE[0], (ran + VALID_FOR).date())
    assert todo.urgency == "overdue"
    any_world.admitted(OWN)
    assert the_list(any_world) == []


def test_a_practice_that_says_it_runs_another_version_lapses_by_saying_so(world: World) -> None:
    given_a_flag_is_there(world)
    world.now += timedelta(days=3)
    given_it_registers(world.log, a_registration(OWN, version=VERSION + "1"))
    (todo,) = the_list(world)
    assert (todo.what, todo.opened) == (NO_MORE[0], world.now.date())


def test_what_was_taken_back_is_on_no_list(world: World) -> None:
    given_a_flag_is_there(world)
    world.registered(CHILD, "2021-12-01", "B83999")
    a_worker(world, Practice()).run_once()
    world.log.perform(GOVERNANCE, withdraws)
    assert NO_MORE not in {(one.what, one.reason) for one in the_list(world)}


def test_an_operator_finds_the_practice_by_its_name_in_the_list(any_world: World) -> None:
    given_a_flag_is_there(any_world)
    (before,) = [
        one for one in any_world.log.perform(GOVERNANCE, practice_systems) if one.practice == OWN
    ]
    assert before.lapsed is None
    any_world.log.perform(GOVERNANCE, suspends)
    (todo,) = the_list(any_world)
    (row,) = [
        one for one in any_world.log.perform(GOVERNANCE, practice_systems) if one.practice == OWN
    ]
    assert (row.name, row.lapsed) == (todo.id, any_world.now)


def given_a_hold(world: World) -> tables.HoldRow:
    """As a ruling opens one; due on the second day."""
    given_a_registered_family(world)
    given_a_plan(world)

    def deed(work: Work) -> None:
        work.record(Deed.HELD)
        naming = work.session.exec(select(tables.NamingRow)).first()
        assert naming is not None
        work.session.add(
            tables.HoldRow(
                id="a-hold",
                plan_id=naming.plan_id,
                person_id=str(naming.person_id),
                question=Question.PLACEMENT,
                owner=Owner.PRACTICE,
                owner_ods=OWN,
                then=Escalation.PRACTICE,
                opened=work.today,
                due=work.today + timedelta(days=1),
                about="neglect",
                version=1,
            )
        )

    a_worker(world, Practice()).run_once()
    world.log.perform(GOVERNANCE, deed)
    (hold,) = rows(world, of=tables.HoldRow)
    return hold


def test_a_decision_that_is_overdue_is_the_second_named_persons(any_world: World) -> None:
    hold = given_a_hold(any_world)
    any_world.now += timedelta(days=1)
    assert the_list(any_world) == []
    any_world.now += timedelta(days=1)
    (todo,) = the_list(any_world)
    assert (todo.id, todo.what) == (hold.id, "decision overdue")
    assert todo.owner is Escalation.PRACTICE
    assert (todo.opened, todo.urgency) == (hold.due, "overdue")
    secrets = (OWN, CHILD, hold.person_id, hold.plan_id, "neglect", "protection")
    assert not [secret for secret in secrets if secret in str(vars(todo))]


def test_a_decision_that_was_made_is_on_no_list(world: World) -> None:
    given_a_hold(world)

    def decide(work: Work) -> None:
        work.record(Deed.DECIDED)
        hold = work.session.get_one(tables.HoldRow, "a-hold")
        hold.open = False
        work.session.add(hold)

    world.log.perform(GOVERNANCE, decide)
    world.now += timedelta(days=9)
    assert the_list(world) == []
