"""Whatever the order in which things are heard, the same records say the same in the end."""

import json
from collections.abc import Iterator
from math import factorial
from typing import Any

import pytest

from flagservice.kit.demo.family import Family, families
from tests.intake.people import (
    CHILD,
    CPP_ADULT,
    ELSEWHERE,
    FATHER,
    HOME,
    MOTHER,
    UNBORN_NEED,
    VICTIM,
    Who,
    a_born_plan,
    a_notification,
    a_plan,
    an_unborn_plan,
    child,
    codes,
    father,
    given_the_family,
    mother,
)
from tests.intake.ruling.orders import End, Step, ends, practices_of, steps_of
from tests.sizes import sizes
from tests.world import COUNCIL, HEALTH, POLICE, World, a_submission, person

FAMILIES = {family.name: family for family in families()}
LAST_DAY = "2022-10-03"
YOUNGER = ("9990100004", "2019-05-01")
AT = [HOME, ELSEWHERE]
EVERY = sizes("every", short=False, long=True)


@pytest.fixture
def little_world() -> Iterator[World]:
    """A whole service in memory, after everything has happened."""
    world = World("sqlite://")
    world.on(LAST_DAY)
    yield world
    world.close()


def given_registered(world: World, family: Family) -> None:
    for member in family.members.values():
        world.registered(member.nhs_number, member.born.isoformat(), member.practice)


def some(steps: int) -> int:
    """How many orders of so many steps a short run plays; see `ends`."""
    return steps * 2 ** (steps - 2)


def then_there_is_one_end(
    world: World, steps: list[Step], at: list[str], *, every: bool = True
) -> tuple[int, End]:
    orders: dict[str, list[str]] = {}
    for order, end in ends(world, steps, at=at, every=every):
        orders.setdefault(json.dumps(end, sort_keys=True), []).append(order)
    assert len(orders) == 1, [(len(found), found[0]) for found in orders.values()]
    ((end, found),) = orders.items()
    return len(found), json.loads(end)


@EVERY
@pytest.mark.parametrize(
    ("name", "orders", "played"),
    [
        # Its risk decision can only follow the notification that asks for it: half of them.
        ("family 1", factorial(4) // 2, 10),
        ("family 2", factorial(6), some(6)),
        # Of 5040, which would take many minutes, some.
        ("family 3", some(7), some(7)),
    ],
    ids=["family 1", "family 2", "family 3"],
)
def test_a_family_in_every_order_ends_in_the_same_records_and_on_the_same_worklists(
    little_world: World, name: str, orders: int, played: int, every: bool
) -> None:
    family = FAMILIES[name]
    given_registered(little_world, family)
    at = practices_of(family)
    every = every and orders != played
    found, end = then_there_is_one_end(little_world, steps_of(family), at, every=every)
    assert found == (orders if every else played)
    assert any(end["held"].values())


def post(ods: str, body: dict[str, Any]) -> Step:
    def step(world: World) -> bool:
        world.posts(ods, body)
        return True

    return step


def learn(who: Who, practice: str) -> Step:
    def step(world: World) -> bool:
        world.registered(*who, practice)
        return True

    return step


def test_a_notification_before_a_plan_and_after_it_narrows_the_same(little_world: World) -> None:
    given_the_family(little_world)
    steps = [post(COUNCIL, a_plan()), post(POLICE, a_notification())]
    _, end = then_there_is_one_end(little_world, steps, AT)
    (flag,) = [json.loads(held) for held in end["held"][ELSEWHERE]]
    assert flag["code"]["coding"][0]["code"] == CPP_ADULT
    assert "author" not in flag
    assert "period" not in flag
    assert [waiting[0] for waiting in end["waits"][ELSEWHERE]] == [FATHER[0]]


@EVERY
def test_two_agencies_and_their_versions_interleaved_end_alike(
    little_world: World, every: bool
) -> None:
    given_the_family(little_world)
    steps = [
        post(COUNCIL, a_plan()),
        post(COUNCIL, a_plan(version=2, end="2022-09-30")),
        post(HEALTH, a_submission("child-in-need", "H-1", child(), mother(), father())),
        post(POLICE, a_notification()),
        post(POLICE, a_notification(version=2, end="2022-09-30")),
    ]
    found, end = then_there_is_one_end(little_world, steps, AT, every=every)
    assert found == (factorial(5) if every else some(5))
    assert not end["waits"][ELSEWHERE]
    # The end of a notification clears nobody: what it said of the father still stands.
    assert not any("author" in json.loads(one) for one in end["held"][ELSEWHERE])


@EVERY
def test_a_registration_learned_before_or_after_what_it_answers_ends_alike(
    little_world: World, every: bool
) -> None:
    steps = [
        learn(CHILD, HOME),
        learn(FATHER, ELSEWHERE),
        post(COUNCIL, a_plan()),
        post(POLICE, a_notification()),
        learn(MOTHER, HOME),
    ]
    found, end = then_there_is_one_end(little_world, steps, AT, every=every)
    assert found == (factorial(5) if every else some(5))
    assert end["not reached"] == []


def test_a_birth_an_allegation_and_a_move_end_alike_once_the_unborn_child_was_told_of(
    little_world: World,
) -> None:
    given_the_family(little_world)
    little_world.on("2022-01-04")
    little_world.posts(COUNCIL, an_unborn_plan())
    little_world.on(LAST_DAY)
    alleged = father(standing="alleged-perpetrator")
    steps = [
        post(COUNCIL, a_born_plan()),
        post(POLICE, a_notification(alleged, mother(standing="both"))),
        post(POLICE, a_notification(alleged, mother(standing="victim"), version=2)),
        learn(MOTHER, ELSEWHERE),
    ]
    _, end = then_there_is_one_end(little_world, steps, AT)
    # Until police say that more may be told, her record is told what an accused one is.
    assert sum(UNBORN_NEED in held for held in end["held"][ELSEWHERE]) == 0


def test_an_unborn_childs_version_that_comes_after_the_birth_tells_nothing(
    little_world: World,
) -> None:
    """What is history is what a record was told: this one was never told of an unborn child."""
    given_the_family(little_world)
    little_world.posts(COUNCIL, a_born_plan())
    before = codes(little_world, HOME)
    little_world.posts(COUNCIL, an_unborn_plan())
    assert codes(little_world, HOME) == before
    assert UNBORN_NEED not in str(before)


def test_siblings_a_transfer_and_an_ending_end_alike_in_every_order(little_world: World) -> None:
    given_the_family(little_world)
    little_world.registered(*YOUNGER, HOME)
    accused = father(standing="alleged-perpetrator", knows="must-not-know")
    steps = [
        post(COUNCIL, a_plan(start="2022-02-01")),
        post(COUNCIL, a_plan(start="2022-02-01", version=2, end="2022-07-01")),
        post(
            COUNCIL,
            a_submission(
                "child-protection",
                "CPP-2",
                person("child", *YOUNGER),
                mother(),
                accused,
                start="2022-03-01",
            ),
        ),
        post(
            HEALTH,
            a_submission(
                "child-protection", "B-1", child(), mother(), father(), start="2022-08-01"
            ),
        ),
    ]
    _, end = then_there_is_one_end(little_world, steps, [HOME, ELSEWHERE])
    assert len(end["held"][ELSEWHERE]) == 1


@EVERY
def test_siblings_a_counter_allegation_its_withdrawal_and_a_birth_end_alike(
    little_world: World, every: bool
) -> None:
    """Once the unborn child was told of: what is history is what a record was told."""
    given_the_family(little_world)
    little_world.registered(*YOUNGER, HOME)
    sibling = person("sibling", *YOUNGER)
    little_world.on("2022-01-04")
    little_world.posts(COUNCIL, an_unborn_plan(mother(), father(), sibling))
    little_world.on(LAST_DAY)
    accused = father(standing="alleged-perpetrator", knows="must-not-know")
    his = father(standing="victim", knows="must-not-know")
    counter = a_submission("perpetrator", "H-9", mother(standing="alleged-perpetrator"), his)
    hers = mother(standing="alleged-perpetrator", withdrawn="not-upheld")
    own = person("child", *YOUNGER), mother(), father()
    steps = [
        post(COUNCIL, a_born_plan(child(), mother(), father(), sibling)),
        post(COUNCIL, a_submission("child-protection", "CPP-2", *own)),
        post(POLICE, a_notification(accused, mother(standing="victim"))),
        post(HEALTH, counter),
        post(HEALTH, counter | {"people": [hers, his], "version": 2}),
        learn(YOUNGER, ELSEWHERE),
    ]
    found, end = then_there_is_one_end(little_world, steps, AT, every=every)
    assert found == (factorial(6) if every else some(6))
    assert VICTIM in str([one for one in end["held"][HOME] if MOTHER[0] in one])
