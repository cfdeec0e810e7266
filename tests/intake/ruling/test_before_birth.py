"""What another record holds says no day of a birth: it is not told on the day of it.

Its copy goes on where it says the same.
"""

import json
from typing import Any

from tests.intake.people import (
    ELSEWHERE,
    FATHER,
    HOME,
    IN_FAMILY,
    MOTHER,
    a_born_plan,
    a_plan,
    an_unborn_plan,
    child,
    codes,
    father,
    given_the_family,
    mother,
    versions,
)
from tests.world import COUNCIL, World, a_submission, person

EXPECTED = "2022-03-01"
UNBORN = {"role": "unborn", "expected_date": EXPECTED}
SIBLING = ("9990003149", "2018-05-05")
BORN_ON = "2022-02-20"


def sibling(**more: Any) -> dict[str, Any]:
    return person("sibling", *SIBLING, **more)


def told(world: World, who: tuple[str, str] = MOTHER, practice: str = HOME) -> dict[str, Any]:
    (found,) = world.held_at(practice, who[0])
    return found


def elsewhere(world: World) -> list[str]:
    """Everything that the other practice was ever told, version for version, and in what order."""
    copies = sorted(one["id"] for one in world._newest(ELSEWHERE, removed=True))
    return [f"{v.id} {v.feed_number}" for copy in copies for v in versions(world, copy)]


def test_a_siblings_flag_of_a_plan_says_no_day_of_the_birth(world: World) -> None:
    given_the_family(world)
    world.registered(*SIBLING, ELSEWHERE)
    unborn = a_submission("child-protection", "CPP-1", UNBORN, mother(), sibling())
    world.posts(COUNCIL, unborn)
    before = elsewhere(world)
    world.on(BORN_ON)
    world.posts(COUNCIL, a_plan(child(), mother(), sibling(), version=2))
    assert elsewhere(world) == before
    assert "2022-01-04" in str(told(world, SIBLING, ELSEWHERE)), "the day it was placed at first"


def test_a_father_who_is_told_more_after_the_birth_is_not_told_its_day(world: World) -> None:
    """His flag goes on, and the day that it says is the day on which it was placed at first."""
    given_the_family(world)
    world.posts(COUNCIL, an_unborn_plan(mother(), father()))
    before = told(world, FATHER, ELSEWHERE)
    world.on(BORN_ON)
    world.posts(COUNCIL, a_born_plan(child(), mother(), father()))
    assert codes(world, ELSEWHERE, FATHER) == [IN_FAMILY]
    after = told(world, FATHER, ELSEWHERE)
    assert (after["id"], after["period"]) == (before["id"], {"start": "2022-01-04"})
    assert BORN_ON not in json.dumps(after | {"meta": {}})


def test_a_mothers_flag_of_another_code_does_not_go_on(world: World) -> None:
    """She was not told: what was said of the unborn child leaves nothing behind."""
    given_the_family(world)
    world.posts(COUNCIL, an_unborn_plan(mother(knows="unknown")))
    before = told(world)["id"]
    world.posts(COUNCIL, a_born_plan(child(), mother(knows="unknown")))
    assert codes(world, HOME, MOTHER) == [IN_FAMILY]
    assert told(world)["id"] != before
    assert [one.withdrawn for one in versions(world, before)] == [True, False]
