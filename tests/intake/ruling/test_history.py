"""What stays readable of a plan's time once it is over: its own period, and none but its own."""

import pytest

from tests.intake.people import (
    CHILD,
    CPP_ADULT,
    CPP_ADULT_ENDED,
    CPP_CHILD,
    CPP_ENDED,
    ELSEWHERE,
    FATHER,
    HOME,
    MOTHER,
    NEW,
    Who,
    child,
    codes,
    father,
    given_the_family,
    mother,
)
from tests.intake.ruling.test_concerns import CHILDREN, TODAY, plan, the_flag, told
from tests.world import COUNCIL, World, person


@pytest.fixture
def later(world: World) -> World:
    """A world on a day by which plans had time to start and end."""
    given_the_family(world)
    world.on(TODAY)
    return world


def periods(world: World, practice: str, who: Who) -> list[tuple[str, str, str | None]]:
    found = world.held_at(practice, who[0])
    said = [(one["status"], one["period"]["start"], one["period"].get("end")) for one in found]
    return sorted(said, key=str)


def test_a_later_plan_leaves_the_earlier_period_readable(later: World) -> None:
    ended = {"start": "2022-01-10", "end": "2022-03-01"}
    later.posts(COUNCIL, plan("A-1", child(), mother(), **ended))
    assert codes(later, HOME, CHILD) == [f"{CPP_ENDED} inactive"]
    later.posts(COUNCIL, plan("A-2", child(), mother(), start="2022-06-01"))
    assert periods(later, HOME, CHILD) == [
        ("active", "2022-06-01", None),
        ("inactive", "2022-01-10", "2022-03-01"),
    ]
    assert codes(later, HOME, CHILD) == [CPP_CHILD, f"{CPP_CHILD} inactive"]
    assert codes(later, HOME, MOTHER) == [CPP_ADULT, f"{CPP_ADULT} inactive"]


def test_history_without_days_is_one_however_often_it_was(later: World) -> None:
    for number, (start, end) in enumerate(
        [("2022-01-10", "2022-02-01"), ("2022-04-01", "2022-05-01"), ("2022-07-01", "2022-08-01")]
    ):
        who = person("child", *CHILDREN[0])
        later.posts(COUNCIL, plan(f"A-{number}", who, mother(), start=start, end=end))
    assert codes(later, HOME, MOTHER) == [f"{CPP_ADULT_ENDED} inactive"]
    assert len(periods(later, HOME, CHILD)) == 3


@pytest.mark.parametrize("moves", [False, True], ids=["stays", "moves"])
def test_a_reference_that_is_opened_again_leaves_the_earlier_period_readable(
    later: World, moves: bool
) -> None:
    ended = {"start": "2022-01-10", "end": "2022-03-01"}
    later.posts(COUNCIL, plan("A-1", child(), **ended))
    later.posts(COUNCIL, plan("A-1", child(), start="2022-06-01", version=2))
    if moves:
        later.registered(*CHILD, NEW)
    at = NEW if moves else HOME
    earlier = ("inactive", "2022-01-10", "2022-03-01")
    assert periods(later, at, CHILD) == [("active", "2022-06-01", None), earlier]
    again = {"start": "2022-06-01", "end": "2022-09-01", "version": 3}
    ids = {found["id"]: found["period"]["start"] for found in later.held_at(at, CHILD[0])}
    later.posts(COUNCIL, plan("A-1", child(), **again))
    assert periods(later, at, CHILD) == [earlier, ("inactive", "2022-06-01", "2022-09-01")]
    assert ids == {found["id"]: found["period"]["start"] for found in later.held_at(at, CHILD[0])}


def test_a_plan_that_was_ended_by_mistake_is_one_period(later: World) -> None:
    """It begins on the day on which it began: there was no gap."""
    later.posts(COUNCIL, plan("A-1", child(), start="2022-01-10", end="2022-03-01"))
    later.posts(COUNCIL, plan("A-1", child(), start="2022-01-10", version=2))
    assert periods(later, HOME, CHILD) == [("active", "2022-01-10", None)]


def test_an_end_that_is_corrected_is_the_corrected_one(later: World) -> None:
    for version, end in enumerate(("2022-09-01", "2022-08-01"), 1):
        later.posts(COUNCIL, plan("A-1", child(), start="2022-01-10", end=end, version=version))
    assert periods(later, HOME, CHILD) == [("inactive", "2022-01-10", "2022-08-01")]


def test_plans_that_follow_each_other_by_a_day_are_one_period(later: World) -> None:
    later.posts(COUNCIL, plan("A-1", child(), start="2022-01-10", end="2022-03-01"))
    before = the_flag(later, HOME, CHILD)["id"]
    later.posts(COUNCIL, plan("A-2", child(), start="2022-03-02"))
    assert codes(later, HOME, CHILD) == [CPP_CHILD]
    assert the_flag(later, HOME, CHILD)["id"] == before


def test_what_is_history_already_stays_whatever_is_held_since(later: World) -> None:
    """That something is held, or withheld, is told to no record."""
    later.posts(COUNCIL, plan("A-1", child(), father(), start="2022-01-10", end="2022-03-01"))
    before = told(later, ELSEWHERE, FATHER)
    later.posts(COUNCIL, plan("A-2", child(), father(identity="unconfirmed")))
    assert told(later, ELSEWHERE, FATHER) == before
