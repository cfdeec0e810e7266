"""In order for each person and practice; the newest wins; nobody waits for a poison flag."""

from datetime import timedelta

import pytest
from sqlmodel import select

from flagservice.audit.log import Actor, Deed, Work
from flagservice.delivery.push.channel import OutgoingVersion, SendOutcome
from flagservice.store import tables
from tests.delivery.steps import (
    CHILD,
    FATHER,
    MOTHER,
    OWN,
    Practice,
    a_worker,
    given_a_plan,
    given_a_registered_family,
    look,
    the_deliveries,
    the_outcomes,
)
from tests.world import COUNCIL, World

MINUTE = timedelta(minutes=1)


def sent_for(practice: Practice) -> list[str]:
    return [one["subject"]["identifier"]["value"] for one in practice.sent]


def the_numbers(world: World, practice: Practice) -> list[int]:
    """Which versions of a copy were sent, counted from its first."""

    def deed(work: Work) -> list[int]:
        work.record(Deed.STATUS_READ)
        sent = [one["meta"]["versionId"] for one in practice.sent]
        return [work.session.get_one(tables.VersionRow, version).number for version in sent]

    return world.log.perform(Actor("test"), deed)


def refuses(number: str, outcome: SendOutcome = SendOutcome.POISONED) -> Practice:
    return Practice(
        lambda version: outcome if number.encode() in version.stored else SendOutcome.DELIVERED
    )


@pytest.mark.parametrize(
    "outcome",
    [SendOutcome.POISONED, SendOutcome.CONFLICT, SendOutcome.UNVERIFIED, SendOutcome.NOT_THEIRS],
)
def test_a_flag_that_is_refused_blocks_nobody_else(any_world: World, outcome: SendOutcome) -> None:
    given_a_registered_family(any_world)
    for reference, number in (("CPP-1", CHILD), ("CPP-2", MOTHER), ("CPP-3", FATHER)):
        given_a_plan(any_world, reference, number)
    worker = a_worker(any_world, refuses(CHILD, outcome))
    worker.run_once()
    given_a_plan(any_world, "CIN-4", MOTHER)
    worker.run_once()
    states = [one.state for one in the_deliveries(any_world)]
    assert states == ["open", "delivered", "delivered", "delivered"]


def given_a_refused_flag(world: World, outcome: SendOutcome) -> list[str]:
    """And a second plan for the same child; answers what is sent of both, by copy."""
    given_a_registered_family(world)
    given_a_plan(world, "CPP-1")
    a_worker(world, Practice(lambda _: outcome)).run_once()
    given_a_plan(world, "CIN-1")
    well = Practice()
    a_worker(world, well).run_once()
    return [one["id"] for one in well.sent]


@pytest.mark.parametrize(
    "outcome", [SendOutcome.POISONED, SendOutcome.CONFLICT, SendOutcome.UNVERIFIED]
)
def test_a_poison_flag_does_not_hold_up_the_same_persons_other_flags(
    world: World, outcome: SendOutcome
) -> None:
    assert len(given_a_refused_flag(world, outcome)) == 1
    assert [one.state for one in the_deliveries(world)] == ["open", "delivered"]


@pytest.mark.parametrize(
    "outcome",
    [SendOutcome.UNKNOWN, SendOutcome.BUSY, SendOutcome.CREDENTIALS, SendOutcome.NOT_THEIRS],
)
def test_nothing_else_overtakes_an_older_flag_of_the_same_person(
    world: World, outcome: SendOutcome
) -> None:
    assert given_a_refused_flag(world, outcome) == []
    world.now += MINUTE
    well = Practice()
    for _ in range(2):
        a_worker(world, well).run_once()
    first, second = the_deliveries(world)
    assert [one["id"] for one in well.sent] == [first.copy_id, second.copy_id]


def test_an_ill_endpoint_does_not_make_a_poison_flag_block_again(world: World) -> None:
    given_a_refused_flag(world, SendOutcome.POISONED)
    world.now += MINUTE
    a_worker(world, Practice(lambda _: SendOutcome.UNKNOWN)).run_once()
    given_a_plan(world, "S47-1")
    a_worker(world, Practice()).run_once()
    assert [one.state for one in the_deliveries(world)] == ["open", "delivered", "delivered"]


def test_a_poison_flag_is_tried_again_and_can_still_be_delivered(world: World) -> None:
    given_a_refused_flag(world, SendOutcome.POISONED)
    world.now += MINUTE
    a_worker(world, Practice()).run_once()
    assert [one.state for one in the_deliveries(world)] == ["delivered", "delivered"]
    assert the_outcomes(world) == [SendOutcome.POISONED, "delivered", "delivered"]


def test_a_newer_version_supersedes_what_was_still_owed(any_world: World) -> None:
    given_a_registered_family(any_world)
    given_a_plan(any_world)
    given_a_plan(any_world, version=2, categories=["neglect"])
    given_a_plan(any_world, version=3, categories=["emotional"])
    practice = Practice()
    a_worker(any_world, practice).run_once()
    assert the_numbers(any_world, practice) == [3]
    states = [one.state for one in the_deliveries(any_world)]
    assert states == ["superseded", "superseded", "delivered"]


def test_a_delivered_version_stays_delivered_when_a_newer_one_is_owed(world: World) -> None:
    given_a_registered_family(world)
    given_a_plan(world)
    a_worker(world, Practice()).run_once()
    given_a_plan(world, version=2, categories=["neglect"])
    assert [one.state for one in the_deliveries(world)] == ["delivered", "open"]


def test_a_newer_version_waits_for_an_older_one_that_is_still_on_its_way(any_world: World) -> None:
    given_a_registered_family(any_world)
    given_a_plan(any_world)
    meanwhile = Practice()

    def a_newer_version_comes(_: OutgoingVersion) -> SendOutcome:
        given_a_plan(any_world, version=2, categories=["neglect"])
        assert a_worker(any_world, meanwhile).run_once() == 0
        return SendOutcome.DELIVERED

    slow = Practice(a_newer_version_comes)
    a_worker(any_world, slow).run_once()
    after = Practice()
    a_worker(any_world, after).run_once()

    sent = [the_numbers(any_world, one) for one in (slow, meanwhile, after)]
    assert sent == [[1], [], [2]]
    assert [one.state for one in the_deliveries(any_world)] == ["superseded", "delivered"]


def test_a_newer_version_waits_no_longer_than_a_dead_workers_lease(world: World) -> None:
    given_a_registered_family(world)
    given_a_plan(world)

    class Killed(BaseException):
        """As a kill: nothing is concluded."""

    def dies(_: OutgoingVersion) -> SendOutcome:
        raise Killed

    with pytest.raises(Killed):
        a_worker(world, Practice(dies)).run_once()
    given_a_plan(world, version=2, categories=["neglect"])
    practice = Practice()
    world.now += timedelta(seconds=59)
    assert a_worker(world, practice).run_once() == 0
    world.now += timedelta(seconds=1)
    a_worker(world, practice).run_once()
    assert the_numbers(world, practice) == [2]


def test_people_at_one_practice_are_served_in_the_order_in_which_they_became_due(
    world: World,
) -> None:
    given_a_registered_family(world)
    for reference, number in (("CPP-1", MOTHER), ("CPP-2", CHILD)):
        given_a_plan(world, reference, number)
        world.now += MINUTE
    practice = Practice()
    worker = a_worker(world, practice, hands=1)
    while worker.run_once():
        pass
    assert sent_for(practice) == [MOTHER, CHILD]


def test_a_receipt_becomes_delivered_by_a_verified_receipt_and_by_nothing_else(
    any_world: World,
) -> None:
    given_a_registered_family(any_world)
    given_a_plan(any_world)
    for outcome in sorted(set(SendOutcome) - {SendOutcome.DELIVERED}):
        a_worker(any_world, Practice(lambda _, o=outcome: o)).run_once()
        assert any_world.receipt(COUNCIL, "CPP-1") == [("child", "placed")]
        any_world.now += timedelta(minutes=15)
    a_worker(any_world, Practice()).run_once()
    assert any_world.receipt(COUNCIL, "CPP-1") == [("child", "delivered")]
    given_a_plan(any_world, version=2, categories=["neglect"])
    assert any_world.receipt(COUNCIL, "CPP-1") == [("child", "placed")]
    counted = look(any_world, lambda work: work.session.exec(select(tables.AttemptRow)).all())
    assert len(counted) == len(SendOutcome)
    assert {one.practice for one in the_deliveries(any_world)} == {OWN}
