"""Every day that is kept or told is London's, also in the hour when UTC has yesterday's date."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from flagservice.domain.errors import Invalid
from flagservice.store import tables
from tests.intake.people import (
    ELSEWHERE,
    HOME,
    a_plan,
    child,
    father,
    given_the_family,
    mother,
    rows,
)
from tests.world import COUNCIL, World

AT_NIGHT = datetime(2022, 6, 30, 23, 5, tzinfo=UTC)
"""00:05 of 1 July in London: when a council's nightly run posts."""
MIDNIGHTS = [
    # The last instant before, and the first one of, a day in London; on both sides of both changes.
    ("2022-01-31T23:59:59+00:00", "2022-02-01T00:00:00+00:00", "2022-02-01"),
    ("2022-03-26T23:59:59+00:00", "2022-03-27T00:00:00+00:00", "2022-03-27"),
    ("2022-03-27T22:59:59+00:00", "2022-03-27T23:00:00+00:00", "2022-03-28"),
    ("2022-06-30T22:59:59+00:00", "2022-06-30T23:00:00+00:00", "2022-07-01"),
    ("2022-10-29T22:59:59+00:00", "2022-10-29T23:00:00+00:00", "2022-10-30"),
    ("2022-10-30T23:59:59+00:00", "2022-10-31T00:00:00+00:00", "2022-10-31"),
]


@pytest.mark.parametrize(("before", "after", "day"), MIDNIGHTS)
@pytest.mark.parametrize("field", ["start", "end"])
def test_a_plan_that_starts_or_ends_today_is_taken_from_midnight_in_london_on(
    world: World, field: str, before: str, after: str, day: str
) -> None:
    given_the_family(world)
    body = a_plan(child(), **{field: day})
    world.now = datetime.fromisoformat(before)
    with pytest.raises(Invalid, match=f"{field}: is in the future"):
        world.posts(COUNCIL, body)
    world.now = datetime.fromisoformat(after)
    world.posts(COUNCIL, body)


def starts(world: World, practice: str) -> list[Any]:
    return [flag["period"]["start"] for flag in world.held_at(practice)]


def test_the_day_on_which_a_flag_was_placed_is_londons(any_world: World) -> None:
    given_the_family(any_world)
    any_world.now = AT_NIGHT
    any_world.posts(COUNCIL, a_plan(child(), mother(), father(), start="2022-07-01"))
    assert starts(any_world, HOME) == ["2022-07-01", "2022-07-01"]
    assert starts(any_world, ELSEWHERE) == ["2022-07-01"]
    (flag,) = any_world.held_at(ELSEWHERE)
    assert flag["meta"]["lastUpdated"].startswith("2022-06-30T23:00:00")


def test_a_hold_and_a_look_up_are_opened_and_due_by_londons_days(world: World) -> None:
    given_the_family(world)
    world.now = AT_NIGHT
    nobody = {"role": "father", "not_identified": "not-traced"}
    world.posts(COUNCIL, a_plan(child(identity="unconfirmed"), nobody))
    (item,) = world.worklist(COUNCIL)
    assert (item.opened, item.due) == (date(2022, 7, 1), date(2022, 7, 5))
    (gap,) = rows(world, of=tables.LookupRow)
    assert gap.opened == date(2022, 7, 1)


def test_a_hold_is_overdue_from_midnight_in_london_on(world: World) -> None:
    given_the_family(world)
    world.now = AT_NIGHT
    world.posts(COUNCIL, a_plan(child(identity="unconfirmed")))
    world.now = datetime(2022, 7, 5, 22, 59, tzinfo=UTC)
    assert not world.worklist(COUNCIL)[0].overdue
    world.now = datetime(2022, 7, 5, 23, 0, tzinfo=UTC)
    assert world.worklist(COUNCIL)[0].overdue
