"""What is taken back is gone from every record, as an error or without a word, and stays gone."""

from itertools import permutations
from typing import Any

import pytest
from sqlmodel import col

from flagservice.domain.elements import NOTIFICATIONS, Kind
from flagservice.store import tables
from tests.intake.people import (
    ELSEWHERE,
    FATHER,
    HOME,
    MOTHER,
    NEW,
    UNBORN_NEED,
    a_born_plan,
    a_plan,
    an_unborn_plan,
    child,
    codes,
    father,
    given_the_family,
    mother,
    rows,
)
from tests.world import COUNCIL, POLICE, World, a_submission, person

POSTED = [kind for kind in Kind if not kind.startswith("unborn-")]
REASONS = ["wrong-person", "posted-in-error", "not-upheld"]
PRACTICES = (HOME, ELSEWHERE)


def said_by(kind: Kind) -> str:
    return POLICE if kind in NOTIFICATIONS else COUNCIL


def one_of(kind: Kind, version: int = 1, **more: Any) -> dict[str, Any]:
    his = {"standing": "alleged-perpetrator", "knows": "must-not-know"}
    accused = father(**his) if kind in NOTIFICATIONS else father()
    her = mother(standing="victim") if kind in NOTIFICATIONS else mother()
    return a_submission(kind, "W-1", child(), her, accused, version=version, **more)


def stands(world: World) -> list[str]:
    return [code for practice in PRACTICES for code in codes(world, practice)]


@pytest.mark.parametrize("kind", POSTED)
@pytest.mark.parametrize("reason", REASONS)
@pytest.mark.parametrize("end", [{}, {"end": "2022-01-04"}], ids=["open", "ended"])
def test_a_submission_of_any_kind_is_taken_back_whole(
    world: World, kind: Kind, reason: str, end: dict[str, str]
) -> None:
    given_the_family(world)
    ods = said_by(kind)
    world.posts(ods, one_of(kind))
    assert stands(world)
    if end:
        world.posts(ods, one_of(kind, 2, **end))
    world.posts(ods, one_of(kind, 3, withdrawn=reason, **end))
    assert stands(world) == []
    removed = [one for place in PRACTICES for one in world._newest(place, removed=True)]
    assert removed
    flags = {one["status"] for one in removed if one["resourceType"] == "Flag"}
    assert flags <= ({"inactive"} if reason == "not-upheld" else {"entered-in-error"})
    assert world.worklist(ods) == []


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
@pytest.mark.parametrize("named", [(child(), mother()), (child(), mother(), father())], ids=len)
def test_whom_a_withdrawn_submission_leaves_out_is_taken_back_in_any_order(
    world: World, order: tuple[int, ...], named: tuple[dict[str, Any], ...]
) -> None:
    given_the_family(world)
    versions = [a_plan(), a_plan(version=2), a_plan(*named, version=3, withdrawn="posted-in-error")]
    for which in order:
        world.posts(COUNCIL, versions[which])
    assert stands(world) == []
    assert world.worklist(COUNCIL) == []


def test_what_is_posted_again_after_it_was_taken_back_stands_for_those_whom_it_names(
    world: World,
) -> None:
    given_the_family(world)
    world.posts(COUNCIL, a_plan())
    world.posts(COUNCIL, a_plan(version=2, withdrawn="posted-in-error"))
    world.posts(COUNCIL, a_plan(child(), mother(), version=3))
    assert codes(world, HOME, MOTHER) != []
    assert codes(world, ELSEWHERE, FATHER) == []
    assert world.worklist(COUNCIL) == []


@pytest.mark.parametrize("reason", REASONS)
def test_one_person_is_taken_back_and_the_others_stay(world: World, reason: str) -> None:
    given_the_family(world)
    world.posts(COUNCIL, a_plan())
    others = codes(world, HOME)
    world.posts(COUNCIL, a_plan(child(), mother(), father(withdrawn=reason), version=2))
    assert codes(world, ELSEWHERE, FATHER) == []
    assert codes(world, HOME) == others
    world.posts(COUNCIL, a_plan(version=3))
    assert codes(world, ELSEWHERE, FATHER) != []


def test_each_practice_that_was_ever_told_is_told_of_the_error_once(world: World) -> None:
    """Also one that took the flag back before, when he moved away."""
    given_the_family(world)
    world.posts(COUNCIL, a_plan())
    world.registered(*FATHER, NEW)
    world.posts(COUNCIL, a_plan(child(), mother(), father(withdrawn="wrong-person"), version=2))
    for practice in (ELSEWHERE, NEW):
        (removed,) = world._newest(practice, removed=True)
        assert removed["status"] == "entered-in-error"
    before = len(rows(world, of=tables.VersionRow))
    world.posts(COUNCIL, a_plan(child(), mother(), father(withdrawn="wrong-person"), version=3))
    assert len(rows(world, of=tables.VersionRow)) == before


def test_what_is_history_of_an_unborn_child_is_an_error_too(world: World) -> None:
    given_the_family(world)
    world.posts(COUNCIL, an_unborn_plan())
    world.posts(COUNCIL, a_born_plan())
    wrong = mother(withdrawn="wrong-person")
    world.posts(COUNCIL, a_born_plan(child(), wrong, version=3))
    hers = [one for one in world._newest(HOME, removed=True) if MOTHER[0] in str(one)]
    assert [one["status"] for one in hers] == ["entered-in-error"] * 2


def test_a_wrong_mother_of_an_unborn_child_is_taken_back_as_the_right_one_is_named(
    world: World,
) -> None:
    given_the_family(world)
    wrong = ("9990004811", "1988-12-12")
    world.registered(*wrong, NEW)
    world.posts(COUNCIL, an_unborn_plan(person("mother", *wrong)))
    assert codes(world, NEW) == [UNBORN_NEED]
    taken_back = person("mother", *wrong, withdrawn="wrong-person")
    world.posts(COUNCIL, an_unborn_plan(taken_back, mother(), version=2))
    assert (codes(world, NEW), codes(world, HOME, MOTHER)) == ([], [UNBORN_NEED])


@pytest.mark.parametrize("reason", REASONS)
def test_an_accused_is_taken_back_for_the_reason_that_is_given_without_his_standing(
    world: World, reason: str
) -> None:
    given_the_family(world)
    world.posts(POLICE, one_of(Kind.MARAC))
    people = child(), mother(standing="victim"), father(withdrawn=reason)
    world.posts(POLICE, a_submission("marac", "W-1", *people, version=2))
    his = rows(world, col(tables.NamingRow.accused), of=tables.NamingRow)
    assert [one.withdrawn for one in his] == [reason]
    assert codes(world, ELSEWHERE, FATHER) == []
