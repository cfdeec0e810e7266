"""Every kind of the matrix, taken in whole: what the practices of child, mother and father hold."""

import json
from typing import Any

import pytest

from flagservice.policy.rows import DeskChoice
from tests.intake.people import (
    ASK,
    CHILD,
    CONCERN,
    CONCERN_ENDED,
    CPP_ADULT_ENDED,
    CPP_ENDED,
    ELSEWHERE,
    FATHER,
    HOME,
    HOUSEHOLD,
    MOTHER,
    UNBORN,
    UNBORN_NEED,
    VICTIM,
    child,
    codes,
    father,
    given_the_family,
    mother,
)
from tests.world import COUNCIL, HEALTH, POLICE, World, a_submission, the_rulebook

Held = dict[tuple[str, str], list[str]]


def held(world: World) -> Held:
    found = {
        (practice, who): codes(world, practice, person)
        for practice in (HOME, ELSEWHERE)
        for who, person in (("child", CHILD), ("mother", MOTHER), ("father", FATHER))
    }
    return {where: what for where, what in found.items() if what}


def of_abuse(kind: str, **more: Any) -> dict[str, Any]:
    """The mother is its victim, the father its alleged perpetrator."""
    return a_submission(
        kind,
        "DA-9",
        child(),
        mother(standing="victim"),
        father(standing="alleged-perpetrator", knows="must-not-know"),
        **more,
    )


def of_a_child(kind: str, **more: Any) -> dict[str, Any]:
    return a_submission(kind, "E-9", child(), mother(), father(), **more)


def of_an_unborn(kind: str, **more: Any) -> dict[str, Any]:
    said = of_a_child(kind.removeprefix("unborn-"), **more)
    return said | {"people": [UNBORN, *said["people"][1:]]}


def of_an_unborn_in_a_report(_: str, **more: Any) -> dict[str, Any]:
    """The mother is neither its victim nor accused."""
    people = UNBORN, child(), mother(), father(standing="both", knows="must-not-know")
    return a_submission("marac", "DA-9", *people, **more)


_AT_HOME = {(HOME, "child"): [HOUSEHOLD], (HOME, "mother"): [VICTIM]}
_EXPECTING = {(HOME, "mother"): [UNBORN_NEED]}
_RING_HIM = {(ELSEWHERE, "father"): [ASK]}
CASES = {
    "strategy-meeting": (COUNCIL, of_a_child, {(HOME, "child"): [ASK]}),
    "pre-proceedings": (COUNCIL, of_a_child, {(HOME, "child"): [CONCERN]}),
    "section-47": (
        COUNCIL,
        of_a_child,
        {(HOME, "child"): [CONCERN], (HOME, "mother"): [ASK], **_RING_HIM},
    ),
    "domestic-abuse-victim": (POLICE, of_abuse, _AT_HOME),
    "marac": (
        POLICE,
        of_abuse,
        {(HOME, "child"): [CONCERN], (HOME, "mother"): [VICTIM], **_RING_HIM},
    ),
    "perpetrator": (POLICE, of_abuse, _AT_HOME),
    "unborn-strategy-meeting": (COUNCIL, of_an_unborn, _EXPECTING),
    "unborn-pre-proceedings": (COUNCIL, of_an_unborn, _EXPECTING),
    "unborn-section-47": (COUNCIL, of_an_unborn, {**_EXPECTING, **_RING_HIM}),
    "unborn-domestic-abuse": (
        POLICE,
        of_an_unborn_in_a_report,
        {(HOME, "child"): [CONCERN], **_EXPECTING, (ELSEWHERE, "father"): [VICTIM, ASK]},
    ),
}


@pytest.mark.parametrize("kind", CASES)
def test_a_kind_reaches_the_records_that_the_matrix_says(any_world: World, kind: str) -> None:
    ods, body, wanted = CASES[kind]
    given_the_family(any_world)
    any_world.posts(ods, body(kind))
    assert held(any_world) == wanted


@pytest.mark.parametrize(
    ("kind", "left"),
    [
        ("strategy-meeting", {}),
        ("pre-proceedings", {}),
        (
            "domestic-abuse-victim",
            {(HOME, "child"): [f"{HOUSEHOLD} inactive"], (HOME, "mother"): [f"{VICTIM} inactive"]},
        ),
        ("unborn-strategy-meeting", {}),
        ("unborn-pre-proceedings", {}),
        ("unborn-section-47", {(HOME, "mother"): [f"{UNBORN_NEED} inactive"]}),
        (
            "unborn-domestic-abuse",
            {
                (HOME, "child"): [f"{CONCERN_ENDED} inactive"],
                (HOME, "mother"): [f"{UNBORN_NEED} inactive"],
            },
        ),
    ],
)
def test_what_remains_when_it_ends(world: World, kind: str, left: Held) -> None:
    ods, body, _ = CASES[kind]
    given_the_family(world)
    world.posts(ods, body(kind))
    world.posts(ods, body(kind, version=2, end="2022-01-04"))
    assert held(world) == left


def test_a_counter_allegation_takes_no_flag_away_unseen(world: World) -> None:
    """S25: the victim is accused, too. The marker stays; a clinician is asked of the accusation."""
    given_the_family(world)
    world.admitted(HOME)
    world.posts(POLICE, of_abuse("domestic-abuse-victim"))
    accused = mother(standing="alleged-perpetrator")
    world.posts(POLICE, a_submission("perpetrator", "DA-10", accused))
    assert codes(world, HOME, MOTHER) == [VICTIM]
    assert len(world.worklist(HOME)) == 1
    world.decides(HOME)
    assert codes(world, HOME, MOTHER) == [VICTIM, "U"]


@pytest.mark.parametrize("kind", ["domestic-abuse-victim", "marac"])
def test_a_counter_allegation_by_another_agency_counts_as_much(world: World, kind: str) -> None:
    """The agency and its desk do not stay on a record that is also accused; the marker does."""
    given_the_family(world)
    world.posts(POLICE, of_abuse(kind))
    assert codes(world, HOME, MOTHER) == [VICTIM]
    accused = mother(standing="alleged-perpetrator")
    world.posts(HEALTH, a_submission("perpetrator", "H-10", accused))
    (marker,) = world.held_at(HOME, MOTHER[0])
    assert marker["code"]["coding"][0]["code"] == VICTIM
    assert not {"author", "period"} & set(marker)
    assert the_rulebook().desks.of(POLICE, DeskChoice.NEUTRAL).phone in json.dumps(marker)


@pytest.mark.parametrize(
    ("involved", "told", "left"),
    [
        ("included", "knows", [f"{CPP_ADULT_ENDED} inactive"]),
        ("included", "unknown", []),
        ("excluded", "knows", []),
        ("included", "must-not-know", []),
    ],
)
def test_a_previous_plan_that_is_first_posted_when_it_has_ended(
    world: World, involved: str, told: str, left: list[str]
) -> None:
    """S22, the matrix's last row: a father who knows keeps code and status, another nothing."""
    given_the_family(world)
    dad = father(knows=told, involvement=involved)
    ended = a_submission(
        "child-protection", "OLD-1", child(), mother(), dad, start="2021-12-20", end="2022-01-03"
    )
    world.posts(COUNCIL, ended)
    (kept,) = world.held_at(HOME, CHILD[0])
    assert codes(world, HOME, CHILD) == [f"{CPP_ENDED} inactive"]
    assert kept["period"] == {"start": "2021-12-20", "end": "2022-01-03"}
    assert codes(world, HOME, MOTHER) == [f"{CPP_ADULT_ENDED} inactive"]
    assert codes(world, ELSEWHERE, FATHER) == left
