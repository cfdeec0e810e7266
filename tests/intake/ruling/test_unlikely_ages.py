"""Whoever may be in the wrong row is asked about: nothing is placed until the submitter says so."""

from typing import Any

import pytest

from flagservice.domain.errors import Invalid
from flagservice.intake.submission import SubmissionEffect
from tests.intake.people import (
    CHILD,
    CPP_ADULT,
    CPP_CHILD,
    FATHER,
    HOME,
    MOTHER,
    Who,
    a_plan,
    an_unborn_plan,
    child,
    codes,
    given_the_family,
    mother,
)
from tests.world import COUNCIL, POLICE, World, a_submission, person

ADULT: Who = ("9990004811", "2002-06-01")
"""19 on the first day of these tests."""
YOUNG: Who = ("9990004811", "2010-01-01")
OLD: Who = ("9990004811", "1950-03-14")


def given_registered(world: World, who: Who) -> None:
    given_the_family(world)
    world.registered(*who, HOME)


def questions(world: World, ods: str = COUNCIL) -> list[tuple[str, str | None]]:
    return [(item.nhs_number, item.why) for item in world.worklist(ods)]


def test_a_child_who_is_an_adult_is_placed_once_the_submitter_confirms(any_world: World) -> None:
    given_registered(any_world, ADULT)
    any_world.posts(COUNCIL, a_plan(person("child", *ADULT)))
    assert codes(any_world, HOME, ADULT) == []
    assert questions(any_world) == [(ADULT[0], "the child is 18 or older")]
    any_world.decides(COUNCIL)
    assert codes(any_world, HOME, ADULT) == [CPP_CHILD]
    assert questions(any_world) == []


@pytest.mark.parametrize(
    ("who", "why"),
    [
        (YOUNG, "a parent was younger than 13 at the birth"),
        (OLD, "the mother was 61 or older at the birth"),
    ],
)
def test_a_mother_of_an_unlikely_age_is_asked_about_and_the_child_is_not(
    world: World, who: Who, why: str
) -> None:
    given_registered(world, who)
    world.posts(COUNCIL, a_plan(child(), person("mother", *who, knows="knows")))
    assert codes(world, HOME, CHILD) == [CPP_CHILD]
    assert codes(world, HOME, who) == []
    assert questions(world) == [(who[0], why)]
    world.decides(COUNCIL)
    assert codes(world, HOME, who) == [CPP_ADULT]


def test_a_mother_of_an_unlikely_age_of_an_unborn_child_is_asked_about(world: World) -> None:
    given_registered(world, OLD)
    world.posts(COUNCIL, an_unborn_plan(person("mother", *OLD, knows="knows")))
    assert codes(world, HOME, OLD) == []
    assert questions(world) == [(OLD[0], "the mother was 61 or older at the birth")]


def test_police_are_asked_about_a_child_who_is_an_adult(world: World) -> None:
    given_registered(world, ADULT)
    victim = person("partner", *FATHER, standing="victim", nomination="partner-of-parent")
    adult = person("child", *ADULT)
    world.posts(POLICE, a_submission("domestic-abuse-victim", "V-1", victim, adult))
    assert codes(world, HOME, ADULT) == []
    assert questions(world, POLICE) == [(ADULT[0], "the child is 18 or older")]


def test_a_confirmed_identity_is_no_answer_to_a_doubt(world: World) -> None:
    """A decision answers one question: another doubt about the same words is asked anew."""
    given_registered(world, YOUNG)
    unsure: dict[str, Any] = {"identity": "unconfirmed", "knows": "knows"}
    world.posts(COUNCIL, a_plan(child(), person("mother", YOUNG[0], "1995-03-14", **unsure)))
    world.registered(YOUNG[0], "1995-03-14", HOME)
    assert questions(world) == [(YOUNG[0], "the identity is unconfirmed")]
    world.decides(COUNCIL)
    assert codes(world, HOME, YOUNG) == [CPP_ADULT]
    world.posts(COUNCIL, a_plan(child(), person("mother", *YOUNG, **unsure), version=2))
    assert questions(world) == [
        (YOUNG[0], "a parent was younger than 13 at the birth; the identity is unconfirmed")
    ]


def test_a_child_who_comes_of_age_on_a_plan_is_not_asked_about(world: World) -> None:
    """Time takes nothing away: the flag stands, and the next version changes nothing of that."""
    almost: Who = (ADULT[0], "2004-01-10")
    given_registered(world, almost)
    world.posts(COUNCIL, a_plan(person("child", *almost)))
    world.on("2022-01-12")
    world.posts(COUNCIL, a_plan(person("child", *almost), version=2, categories=["neglect"]))
    assert codes(world, HOME, almost) == [CPP_CHILD]
    assert questions(world) == []
    world.posts(COUNCIL, a_plan(person("child", ADULT[0], "2003-01-10"), version=3))
    assert len(questions(world)) == 1


def test_a_version_that_time_has_overtaken_is_refused_unless_it_was_taken_or_is_too_late(
    world: World,
) -> None:
    given_the_family(world)
    world.posts(COUNCIL, an_unborn_plan())
    world.on("2022-04-01")
    assert world.posts(COUNCIL, an_unborn_plan()).effect is SubmissionEffect.REPEATED
    with pytest.raises(Invalid, match="expected_date: is more than 28 days past"):
        world.posts(COUNCIL, an_unborn_plan(version=2))
    with pytest.raises(Invalid, match="expected_date: is more than 28 days past"):
        world.posts(COUNCIL, {**an_unborn_plan(), "reference": "CIN-2"})
    world.posts(COUNCIL, an_unborn_plan(version=3, end="2022-04-01"))
    assert world.posts(COUNCIL, an_unborn_plan(version=2)).effect is SubmissionEffect.SUPERSEDED


def test_why_a_birth_date_is_contradicted_is_not_told(world: World) -> None:
    given_the_family(world)
    world.registered(MOTHER[0], "1995-03-15", HOME)
    world.posts(COUNCIL, a_plan(child(), mother()))
    assert questions(world) == [(MOTHER[0], "check number, name and birth date")]
