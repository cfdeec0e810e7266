"""What was taken back before a practice heard of it is owed to nobody: silence says least.

A worker that dies says nothing, so what it had claimed may have been sent, and is recalled.
"""

import pytest

from flagservice.delivery.push import outbox
from flagservice.delivery.push.channel import SendOutcome
from flagservice.delivery.push.unsent import NotSent
from tests.delivery.steps import (
    BORN,
    FATHER,
    OTHER,
    Practice,
    a_worker,
    given_a_registered_family,
    the_deliveries,
    the_only_delivery,
    when_claimed,
    when_given_back,
)
from tests.world import POLICE, World, a_submission, person

ALLEGED = person("father", FATHER, BORN, standing="alleged-perpetrator", knows="must-not-know")


def given_a_placed_flag(world: World) -> None:
    """By its practice's decision."""
    given_a_registered_family(world)
    world.posts(POLICE, a_submission("perpetrator", "DA-1", ALLEGED))
    world.decides(OTHER)


def when_it_is_taken_back(world: World) -> None:
    ended = a_submission("perpetrator", "DA-1", ALLEGED, version=2, end="2022-01-04")
    world.posts(POLICE, ended)


def then_its_removal_is(world: World, sent: list[str]) -> None:
    practice = Practice()
    a_worker(world, practice).run_once()
    assert [one["status"] for one in practice.sent] == sent


def then_nothing_was_ever_sent(world: World) -> None:
    then_its_removal_is(world, sent=[])
    states = [one.state for one in the_deliveries(world)]
    assert states == ["superseded", "nothing was ever sent"]


def test_the_removal_of_what_was_never_sent_is_never_sent(any_world: World) -> None:
    given_a_placed_flag(any_world)
    when_it_is_taken_back(any_world)
    then_nothing_was_ever_sent(any_world)


def test_the_removal_of_what_was_sent_is_sent(any_world: World) -> None:
    given_a_placed_flag(any_world)
    a_worker(any_world, Practice()).run_once()
    when_it_is_taken_back(any_world)
    then_its_removal_is(any_world, sent=["inactive"])


@pytest.mark.parametrize("why", sorted(NotSent))
def test_the_removal_of_what_was_given_back_unsent_is_never_sent(
    any_world: World, why: NotSent
) -> None:
    given_a_placed_flag(any_world)
    when_given_back(any_world, when_claimed(any_world), why)
    when_it_is_taken_back(any_world)
    then_nothing_was_ever_sent(any_world)


def test_a_removal_that_came_between_a_claim_and_its_giving_back_is_never_sent(
    any_world: World,
) -> None:
    given_a_placed_flag(any_world)
    claim = when_claimed(any_world)
    when_it_is_taken_back(any_world)
    assert [one.state for one in the_deliveries(any_world)] == ["superseded", "open"]
    when_given_back(any_world, claim)
    then_nothing_was_ever_sent(any_world)


def test_the_removal_of_what_a_dead_worker_had_claimed_is_sent(any_world: World) -> None:
    given_a_placed_flag(any_world)
    when_claimed(any_world)
    when_it_is_taken_back(any_world)
    any_world.now += outbox.LEASE
    then_its_removal_is(any_world, sent=["inactive"])


@pytest.mark.parametrize("dies", [True, False])
def test_the_removal_of_what_an_earlier_try_may_have_sent_is_sent(
    any_world: World, *, dies: bool
) -> None:
    given_a_placed_flag(any_world)
    if dies:
        when_claimed(any_world)
        any_world.now += outbox.LEASE
    else:
        a_worker(any_world, Practice(lambda _: SendOutcome.UNKNOWN)).run_once()
        any_world.now = the_only_delivery(any_world).due
    claim = when_claimed(any_world)
    when_it_is_taken_back(any_world)
    when_given_back(any_world, claim)
    then_its_removal_is(any_world, sent=["inactive"])
