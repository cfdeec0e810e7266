"""No more is claimed at once than the hands can send in half a lease, at the speed measured."""

from datetime import timedelta

import pytest

from flagservice.delivery.push import outbox
from flagservice.delivery.push.channel import OutgoingVersion, SendOutcome
from flagservice.delivery.push.pace import MOST, Pace
from tests.delivery.practices import nhs_numbers
from tests.delivery.steps import OWN, Practice, a_worker, given_a_plan
from tests.world import World

SECOND = timedelta(seconds=1)
HALF = outbox.LEASE / 2


def a_pace(*seconds: float) -> Pace:
    pace = Pace()
    for took in seconds:
        pace.sent(took * SECOND)
    return pace


def test_until_it_was_measured_each_hand_takes_one() -> None:
    assert a_pace().batch(4, within=HALF) == 4


@pytest.mark.parametrize(
    ("seconds", "batch"),
    [
        ((0.0,), MOST),
        ((1.0,), MOST),
        ((10.0,), 12),
        ((5.0, 15.0), 12),
        ((10.1,), 8),
        ((15.0,), 8),
        ((29.0,), 4),
        ((31.0,), 4),
        ((3600.0,), 4),
        ((-3600.0,), MOST),
    ],
)
def test_a_batch_is_what_the_hands_can_send_in_that_time(
    seconds: tuple[float, ...], batch: int
) -> None:
    assert a_pace(*seconds).batch(4, within=HALF) == batch


def test_what_was_long_ago_is_forgotten() -> None:
    slow_once = a_pace(*[29.0] * 20)
    for _ in range(20):
        slow_once.sent(SECOND)
    assert slow_once.batch(4, within=HALF) == MOST


def test_a_worker_claims_less_when_sending_is_slow_and_more_when_it_is_fast(world: World) -> None:
    world.admitted(OWN)
    for n, number in zip(range(70), nhs_numbers(), strict=False):
        world.registered(number, "2020-01-01", OWN)
        given_a_plan(world, f"CPP-{n}", number)
    took = [14 * SECOND]

    def takes(_: OutgoingVersion) -> SendOutcome:
        world.now += took[0]
        return SendOutcome.DELIVERED

    worker = a_worker(world, Practice(takes), hands=1)
    assert [worker.run_once() for _ in range(3)] == [1, 2, 2]
    took[0] = SECOND
    sizes = [worker.run_once() for _ in range(8)]
    assert sizes == sorted(sizes)
    assert sizes[-1] == MOST
