"""Tried again for ever: later each time up to a cap, and an ill endpoint is slowed, not dropped."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flagservice.delivery.push import schedule
from flagservice.delivery.push.channel import (
    ENDPOINT_ILL,
    FLAG_REFUSED,
    OutgoingVersion,
    Reply,
    SendOutcome,
)
from tests.delivery.steps import (
    CHILD,
    FATHER,
    MOTHER,
    OTHER,
    OWN,
    Practice,
    a_worker,
    given_a_plan,
    given_a_registered_family,
    the_deliveries,
    the_endpoint,
    the_only_delivery,
    the_outcomes,
)
from tests.world import World

YEAR = timedelta(days=365)


@given(st.integers(0, 10**6), st.floats(0, 1))
def test_a_wait_is_half_to_the_whole_of_its_step_and_never_above_the_cap(
    attempts: int, jitter: float
) -> None:
    whole = schedule.wait(attempts, jitter=1.0)
    assert whole / 2 <= schedule.wait(attempts, jitter=jitter) <= whole <= schedule.CAP
    assert schedule.wait(attempts + 1, jitter=jitter) >= schedule.wait(attempts, jitter=jitter)


def test_the_steps_double_from_two_seconds_to_a_quarter_of_an_hour() -> None:
    steps = [schedule.wait(n, jitter=1.0).total_seconds() for n in range(1, 13)]
    assert steps == [2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]


@given(st.integers(0, 10**6))
def test_a_pause_of_an_endpoint_never_exceeds_the_cap(failures: int) -> None:
    assert timedelta(0) <= schedule.pause(failures) <= schedule.CAP


@pytest.mark.parametrize(
    ("age", "urgency"),
    [
        (timedelta(minutes=14, seconds=59), "routine"),
        (timedelta(minutes=15), "late"),
        (timedelta(hours=3, minutes=59), "late"),
        (timedelta(hours=4), "overdue"),
        (YEAR, "overdue"),
    ],
)
def test_age_raises_the_urgency_and_names_an_owner(age: timedelta, urgency: str) -> None:
    assert schedule.urgency(age) == urgency
    assert schedule.OWNERS[schedule.urgency(age)]


@pytest.mark.parametrize("outcome", sorted(set(SendOutcome) - {SendOutcome.DELIVERED}))
def test_no_outcome_but_delivery_ever_closes_one_not_after_a_year_of_tries(
    world: World, outcome: SendOutcome
) -> None:
    given_a_registered_family(world)
    given_a_plan(world)
    ill = Practice(lambda _: outcome)
    started = world.now
    tries = 0
    while world.now < started + timedelta(hours=6):
        tries += a_worker(world, ill).run_once()
        world.now += schedule.CAP
    world.now += YEAR
    world.checked()  # a result lasts a year; the system was checked again
    tries += a_worker(world, ill).run_once()

    delivery = the_only_delivery(world)
    assert (delivery.state, delivery.attempts) == ("open", tries)
    assert tries >= 20
    assert the_outcomes(world) == [outcome] * tries
    assert delivery.due - world.now <= schedule.CAP
    assert a_worker(world, Practice()).run_once() == 0
    world.now += schedule.CAP
    assert a_worker(world, Practice()).run_once() == 1
    assert the_only_delivery(world).state == "delivered"


def test_every_outcome_speaks_of_the_endpoint_or_of_the_flag_or_of_neither() -> None:
    assert not ENDPOINT_ILL & FLAG_REFUSED
    assert SendOutcome.DELIVERED not in ENDPOINT_ILL | FLAG_REFUSED


def test_five_failures_pause_an_endpoint_and_leave_all_others_alone(world: World) -> None:
    given_a_registered_family(world)
    ill = Practice(
        lambda version: (
            SendOutcome.UNKNOWN if version.endpoint.practice == OWN else SendOutcome.DELIVERED
        )
    )
    given_a_plan(world, "CPP-1", CHILD)
    for _ in range(5):
        world.now = the_only_delivery(world).due
        a_worker(world, ill).run_once()
    assert the_endpoint(world).failures == 5
    given_a_plan(world, "CPP-2", MOTHER)
    given_a_plan(world, "CPP-3", FATHER)
    paused = the_endpoint(world).paused_until
    world.now = (paused or world.now) - timedelta(microseconds=1)
    a_worker(world, ill).run_once()

    states = [(one.practice, one.state, one.attempts) for one in the_deliveries(world)]
    assert states == [(OWN, "open", 5), (OWN, "open", 0), (OTHER, "delivered", 1)]


def test_one_good_answer_and_an_endpoint_is_well_again(world: World) -> None:
    given_a_registered_family(world)
    given_a_plan(world)
    for _ in range(7):
        a_worker(world, Practice(lambda _: SendOutcome.CREDENTIALS)).run_once()
        world.now += schedule.CAP
    assert the_endpoint(world).failures == 7
    a_worker(world, Practice()).run_once()
    assert the_only_delivery(world).state == "delivered"
    assert (the_endpoint(world).failures, the_endpoint(world).paused_until) == (0, None)


class Busy:
    """Asks to be left alone for so long."""

    def __init__(self, after: timedelta) -> None:
        self.after = after

    def send(self, _: OutgoingVersion) -> Reply:
        return Reply(SendOutcome.BUSY, self.after)


@pytest.mark.parametrize(
    ("asked", "waits"),
    [
        (timedelta(0), timedelta(seconds=2)),
        (timedelta(minutes=3), timedelta(minutes=3)),
        (timedelta(days=1), schedule.CAP),
    ],
)
def test_retry_after_is_honoured_up_to_a_quarter_of_an_hour(
    world: World, asked: timedelta, waits: timedelta
) -> None:
    given_a_registered_family(world)
    given_a_plan(world)
    a_worker(world, Busy(asked)).run_once()
    assert the_only_delivery(world).due == world.now + waits


def test_an_endpoint_that_asks_to_wait_is_left_alone_with_every_flag(world: World) -> None:
    given_a_registered_family(world)
    given_a_plan(world, "CPP-1", CHILD)
    a_worker(world, Busy(timedelta(minutes=3))).run_once()
    given_a_plan(world, "CPP-2", MOTHER)
    assert a_worker(world, Practice()).run_once() == 0
    world.now += timedelta(minutes=3)
    assert a_worker(world, Practice()).run_once() == 2
