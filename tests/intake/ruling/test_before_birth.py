"""An unborn child in an enquiry or a notification: its mother's record, the birth, and a loss.

What another record holds is the same to the byte on the day of the birth: its practice is told
nothing on that day, and so it learns of no day.
"""

import json
from typing import Any

import pytest

from tests.intake.people import (
    ASK,
    CHILD,
    CONCERN,
    CONCERN_ENDED,
    ELSEWHERE,
    EXPECTED,
    FATHER,
    HOME,
    HOUSEHOLD,
    IN_FAMILY,
    MOTHER,
    NEUTRAL,
    NEW,
    UNBORN,
    UNBORN_NEED,
    VICTIM,
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
from tests.world import COUNCIL, POLICE, World, a_submission, person

SIBLING = ("9990003149", "2018-05-05")
ENQUIRIES = ("section-47", "strategy-meeting", "pre-proceedings")
NOTICES = ("perpetrator", "domestic-abuse-victim", "marac")
BORN_ON = "2022-02-20"


def of_an_unborn(kind: str, *people: dict[str, Any], **more: Any) -> dict[str, Any]:
    return a_submission(kind, "E-1", UNBORN, *(people or (mother(), father())), **more)


def of_the_born(kind: str, *people: dict[str, Any], **more: Any) -> dict[str, Any]:
    everybody = people or (mother(), father())
    return a_submission(kind, "E-1", child(), *everybody, **{"version": 2, **more})


def sibling(**more: Any) -> dict[str, Any]:
    return person("sibling", *SIBLING, **more)


def abused(her: str, *, his: str = "alleged-perpetrator", **more: Any) -> list[dict[str, Any]]:
    """A mother of this standing, and a father of another."""
    return [mother(standing=her, **more), father(standing=his, knows="must-not-know")]


def told(world: World, who: tuple[str, str] = MOTHER, practice: str = HOME) -> dict[str, Any]:
    (found,) = world.held_at(practice, who[0])
    return found


def elsewhere(world: World) -> list[str]:
    """Everything that the other practice was ever told, version for version, and in what order."""
    copies = sorted(one["id"] for one in world._newest(ELSEWHERE, removed=True))
    return [f"{v.id} {v.feed_number}" for copy in copies for v in versions(world, copy)]


@pytest.mark.parametrize("kind", ENQUIRIES)
def test_an_enquiry_before_birth_stands_on_the_mothers_record(any_world: World, kind: str) -> None:
    given_the_family(any_world)
    any_world.posts(COUNCIL, of_an_unborn(kind))
    assert codes(any_world, HOME, MOTHER) == [UNBORN_NEED]
    assert EXPECTED in str(told(any_world))
    assert codes(any_world, ELSEWHERE, FATHER) == ([ASK] if kind == "section-47" else [])
    assert EXPECTED not in str(any_world.held_at(ELSEWHERE))


@pytest.mark.parametrize("kind", ENQUIRIES)
@pytest.mark.parametrize(
    "more",
    [
        {"knows": "unknown"},
        {"knows": "must-not-know"},
        {"involvement": "excluded"},
        {"standing": "both"},
    ],
    ids=str,
)
def test_a_mother_who_was_not_told_or_is_accused_is_told_no_day(
    world: World, kind: str, more: dict[str, str]
) -> None:
    given_the_family(world)
    world.posts(COUNCIL, of_an_unborn(kind, mother(**more)))
    assert codes(world, HOME, MOTHER) == [UNBORN_NEED]
    assert "2022" not in json.dumps(told(world) | {"meta": {}})
    assert ("Bradford" in str(told(world))) is (more != {"standing": "both"})
    world.posts(COUNCIL, of_an_unborn(kind, mother(**more), version=2, end="2022-01-04"))
    assert codes(world, HOME, MOTHER) == []


@pytest.mark.parametrize("kind", ENQUIRIES)
def test_the_birth_closes_the_mothers_flag_and_opens_the_childs_in_one_commit(
    any_world: World, kind: str
) -> None:
    given_the_family(any_world)
    any_world.posts(COUNCIL, of_an_unborn(kind))
    any_world.on(BORN_ON)
    any_world.posts(COUNCIL, of_the_born(kind))
    assert codes(any_world, HOME, CHILD) == ([ASK] if kind == "strategy-meeting" else [CONCERN])
    left = [f"{UNBORN_NEED} inactive", ASK] if kind == "section-47" else []
    assert codes(any_world, HOME, MOTHER) == sorted(left)
    past = [one for one in any_world.held_at(HOME, MOTHER[0]) if one["status"] == "inactive"]
    assert EXPECTED not in str(past)
    assert all("period" not in one and "extension" not in one for one in past)


def test_nothing_at_another_practice_changes_on_the_day_of_the_birth(any_world: World) -> None:
    given_the_family(any_world)
    any_world.registered(*SIBLING, ELSEWHERE)
    for kind in ENQUIRIES:
        people = mother(), father(), sibling()
        body = of_an_unborn(kind, *people)
        any_world.posts(COUNCIL, body | {"reference": kind})
    before = elsewhere(any_world)
    assert len(before) == 3
    any_world.on(BORN_ON)
    for kind in ENQUIRIES:
        body = of_the_born(kind, *people)
        any_world.posts(COUNCIL, body | {"reference": kind})
    assert elsewhere(any_world) == before
    assert codes(any_world, ELSEWHERE, SIBLING) == [CONCERN, CONCERN]
    for kind in ENQUIRIES:
        ended = of_the_born(kind, *people, version=3, end=BORN_ON)
        any_world.posts(COUNCIL, ended | {"reference": kind})
    assert codes(any_world, ELSEWHERE) == [f"{CONCERN_ENDED} inactive"]


def test_a_birth_that_was_reported_by_mistake_leaves_the_fathers_request_as_it_is(
    world: World,
) -> None:
    given_the_family(world)
    world.posts(COUNCIL, of_an_unborn("section-47"))
    before = elsewhere(world)
    world.posts(COUNCIL, of_the_born("section-47"))
    mistaken = child(withdrawn="posted-in-error")
    world.posts(COUNCIL, of_an_unborn("section-47", mistaken, mother(), father(), version=3))
    assert elsewhere(world) == before
    assert codes(world, HOME, CHILD) == []
    assert codes(world, HOME, MOTHER) == [UNBORN_NEED]


def test_a_birth_asks_nobody_again(world: World) -> None:
    """Whom the council confirmed before the birth it has confirmed."""
    given_the_family(world)
    unsure = mother(), father(identity="unconfirmed")
    world.posts(COUNCIL, of_an_unborn("section-47", *unsure))
    world.decides(COUNCIL)
    before = elsewhere(world)
    assert len(before) == 1
    world.posts(COUNCIL, of_the_born("section-47", *unsure))
    assert elsewhere(world) == before
    assert world.worklist(COUNCIL) == []


def test_a_birth_asks_no_practice_again(world: World) -> None:
    """The lead decided about an accused mother, and nothing of that has changed."""
    given_the_family(world)
    world.admitted(HOME)
    accusing = a_submission("perpetrator", "E-2", *abused("alleged-perpetrator", his="victim"))
    world.posts(POLICE, accusing)
    world.posts(POLICE, of_an_unborn("perpetrator", *abused("neither", his="both")))
    while world.worklist(HOME):
        world.decides(HOME)
    assert codes(world, HOME, MOTHER) == [NEUTRAL]
    copy = told(world)["id"]
    world.posts(POLICE, of_the_born("perpetrator", *abused("neither", his="both")))
    assert [one.nhs_number for one in world.worklist(HOME)] == []
    assert (codes(world, HOME, MOTHER), told(world)["id"]) == ([NEUTRAL], copy)


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


def test_a_request_goes_where_he_moved_when_the_child_is_born(world: World) -> None:
    given_the_family(world)
    world.posts(COUNCIL, of_an_unborn("section-47"))
    world.posts(COUNCIL, of_the_born("section-47"))
    world.registered(*FATHER, NEW)
    assert codes(world, ELSEWHERE, FATHER) == []
    assert codes(world, NEW, FATHER) == [ASK]


@pytest.mark.parametrize("kind", ENQUIRIES)
def test_a_loss_closes_it_quietly(world: World, kind: str) -> None:
    """The last version ends it, and says no more than any other end."""
    given_the_family(world)
    world.posts(COUNCIL, of_an_unborn(kind))
    world.on("2022-01-20")
    world.posts(COUNCIL, of_an_unborn(kind, version=2, end="2022-01-20"))
    history = [f"{UNBORN_NEED} inactive"] if kind == "section-47" else []
    assert codes(world, HOME, MOTHER) == history
    assert codes(world, ELSEWHERE) == []
    assert all("extension" not in one for one in world.held_at(HOME))
    assert "2022-01-20" not in json.dumps([one | {"meta": {}} for one in world.held_at(HOME)])


def test_twins_are_born_one_after_the_other(world: World) -> None:
    """Each has an enquiry of its own, and the records of others have one flag for both.

    The birth of the first leaves the second's standing, and is told to no other practice.
    """
    given_the_family(world)
    world.registered(*SIBLING, HOME)
    for reference in ("TWIN/1", "TWIN/2"):
        world.posts(COUNCIL, of_an_unborn("section-47") | {"reference": reference})
    assert codes(world, HOME, MOTHER) == [UNBORN_NEED]
    before = elsewhere(world)
    world.posts(COUNCIL, of_the_born("section-47") | {"reference": "TWIN/1"})
    assert codes(world, HOME, MOTHER) == sorted([UNBORN_NEED, ASK])
    second = a_submission(
        "section-47", "TWIN/2", person("child", *SIBLING), mother(), father(), version=2
    )
    world.posts(COUNCIL, second)
    assert codes(world, HOME, MOTHER) == sorted([f"{UNBORN_NEED} inactive", ASK])
    assert codes(world, HOME, SIBLING) == [CONCERN]
    assert elsewhere(world) == before
    assert len(before) == 1


@pytest.mark.parametrize("kind", NOTICES)
def test_a_mother_who_is_neither_loses_nothing(any_world: World, kind: str) -> None:
    given_the_family(any_world)
    people = abused("neither", his="both")
    any_world.posts(POLICE, of_an_unborn(kind, *people))
    assert codes(any_world, HOME, MOTHER) == [UNBORN_NEED]
    assert EXPECTED in str(told(any_world))
    assert EXPECTED not in str(any_world.held_at(ELSEWHERE))
    assert {status for _, status in any_world.receipt(POLICE, "E-1")} == {"received"}
    any_world.on(BORN_ON)
    any_world.posts(POLICE, of_the_born(kind, *people))
    assert codes(any_world, HOME, MOTHER) == [f"{UNBORN_NEED} inactive"]
    assert codes(any_world, HOME, CHILD) == [CONCERN if kind == "marac" else HOUSEHOLD]


@pytest.mark.parametrize("kind", NOTICES)
def test_a_victims_flag_says_when_she_expects_the_child_and_goes_on_after_the_birth(
    world: World, kind: str
) -> None:
    given_the_family(world)
    world.posts(POLICE, of_an_unborn(kind, *abused("victim")))
    assert codes(world, HOME, MOTHER) == [VICTIM]
    assert EXPECTED in str(told(world))
    copy = told(world)["id"]
    world.posts(POLICE, of_the_born(kind, *abused("victim")))
    assert codes(world, HOME, MOTHER) == [VICTIM]
    assert told(world)["id"] == copy
    assert EXPECTED not in str(told(world))


@pytest.mark.parametrize("kind", NOTICES)
@pytest.mark.parametrize("knows", ["unknown", "must-not-know"])
def test_a_mother_who_may_not_know_of_a_notification_is_told_no_day(
    world: World, kind: str, knows: str
) -> None:
    given_the_family(world)
    for her, code in (("neither", UNBORN_NEED), ("victim", VICTIM)):
        body = of_an_unborn(kind, *abused(her, his="both", knows=knows)) | {"reference": her}
        world.posts(POLICE, body)
        assert code in codes(world, HOME, MOTHER)
    assert "expected" not in str(world.held_at(HOME))


@pytest.mark.parametrize(
    ("kind", "left"), [("perpetrator", []), ("domestic-abuse-victim", []), ("marac", [ASK])]
)
@pytest.mark.parametrize("her", ["alleged-perpetrator", "both"])
def test_an_accused_mothers_record_has_no_unborn_code(
    world: World, kind: str, her: str, left: list[str]
) -> None:
    """Not even where another report accuses her: then a named clinician decides.

    Where she is a victim, too, she keeps the marker, and no more.
    """
    given_the_family(world)
    world.admitted(HOME)
    marked = [VICTIM] if her == "both" else []
    world.posts(POLICE, of_an_unborn(kind, *abused(her, his="both")))
    assert codes(world, HOME, MOTHER) == sorted([*marked, *left])
    other = a_submission(kind, "E-2", UNBORN, *abused("neither", his="both"))
    asked = len(world.worklist(HOME))
    world.posts(POLICE, other)
    assert codes(world, HOME, MOTHER) == sorted([*marked, *left])
    assert len(world.worklist(HOME)) == asked + (not marked)
    while world.worklist(HOME):
        world.decides(HOME)
    assert UNBORN_NEED not in codes(world, HOME, MOTHER)
    assert (NEUTRAL in codes(world, HOME, MOTHER)) is (not marked or kind == "perpetrator")
    assert [one for one in codes(world, HOME, MOTHER) if one == VICTIM] == marked
    assert "expected" not in str(world.held_at(HOME))


@pytest.mark.parametrize("kind", NOTICES)
def test_a_birth_changes_nothing_on_the_record_of_anybody_else_in_a_notification(
    world: World, kind: str
) -> None:
    given_the_family(world)
    world.admitted(ELSEWHERE)
    world.registered(*SIBLING, ELSEWHERE)
    people = [*abused("victim"), sibling()]
    world.posts(POLICE, of_an_unborn(kind, *people))
    while world.worklist(ELSEWHERE):
        world.decides(ELSEWHERE)
    before = elsewhere(world)
    assert before
    world.on(BORN_ON)
    world.posts(POLICE, of_the_born(kind, *people))
    assert elsewhere(world) == before
    assert world.worklist(ELSEWHERE) == []
