"""A wait ends when nothing moves any more: it is renewed by progress, and scaled by the machine."""

from collections.abc import Callable
from itertools import count

import pytest

from tests.patience import STILL, StoodStill, enough, slowness, until

REFERENCE = 0.09
"""Seconds that the measurement takes on the machine on which the tests' times were chosen."""


class Time:
    """Goes on by sleeping alone."""

    def __init__(self) -> None:
        self.now = 0.0

    def waits(
        self, question: Callable[[], object], progress: Callable[[], object] = lambda: None
    ) -> object:
        """Looks every second."""
        return until(
            lambda: question() or None,
            progress=progress,
            what="the door did not open",
            every=1.0,
            clock=lambda: self.now,
            sleep=self.sleep,
        )

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def time() -> Time:
    return Time()


def a_machine_that_takes(seconds: float) -> Callable[[], float]:
    return iter([100.0, 100.0 + seconds]).__next__


@pytest.mark.parametrize(("took", "times"), [(0.2, 1), (1.0, 1), (5.0, 5), (20.0, 20)])
def test_a_machine_is_as_slow_as_it_takes_for_a_loop_and_never_fast(
    took: float, times: float
) -> None:
    assert slowness(a_machine_that_takes(took * REFERENCE)) == pytest.approx(times)


def test_the_machine_is_measured_once() -> None:
    machine = a_machine_that_takes(3 * REFERENCE)
    assert slowness(machine) == slowness(machine)


def test_a_time_out_is_scaled_and_leaves_room_for_load() -> None:
    assert enough(10) == 10 * slowness() * 3
    assert enough() >= 3 * STILL


def test_what_is_true_is_not_waited_for(time: Time) -> None:
    assert time.waits(lambda: "open") == "open"
    assert time.now == 0


def test_the_answer_is_given_back_once_there_is_one(time: Time) -> None:
    numbers = count()
    assert time.waits(lambda: max(next(numbers) - 4, 0)) == 1
    assert time.now == 5


def test_a_wait_that_nothing_renews_is_as_long_as_the_time_out(time: Time) -> None:
    with pytest.raises(StoodStill, match=r"the door did not open: nothing moved .* last: 7 left"):
        time.waits(lambda: False, lambda: "7 left")
    assert enough() < time.now <= enough() + 1


def test_progress_renews_a_wait_for_as_long_as_it_goes_on(time: Time) -> None:
    assert time.waits(lambda: time.now > 10 * enough(), lambda: int(time.now / enough() * 2))


def test_progress_that_stops_renews_nothing_more(time: Time) -> None:
    left = iter(range(100, 0, -1))
    with pytest.raises(StoodStill):
        time.waits(lambda: False, lambda: next(left, 0))
    assert 99 + enough() < time.now <= 101 + enough()


def test_what_a_question_raises_is_raised(time: Time) -> None:
    def broken() -> bool:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        time.waits(broken)
