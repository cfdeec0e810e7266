"""One flag for one concern, however many plans, children and agencies stand behind it."""

from typing import Any

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
    VICTIM,
    Who,
    a_notification,
    child,
    codes,
    father,
    given_the_family,
    mother,
)
from tests.intake.ruling.orders import content
from tests.world import COUNCIL, HEALTH, POLICE, World, a_submission, person

CHILDREN: list[Who] = [
    CHILD,
    ("9990100004", "2019-05-01"),
    ("9990100012", "2017-05-01"),
    ("9990100020", "2015-05-01"),
    ("9990100039", "2013-05-01"),
]
UNBORN_CPP, UNBORN_CPP_ENDED = "818901000000100", "1025431000000104"
TODAY = "2022-10-03"


@pytest.fixture
def later(world: World) -> World:
    """A world on a day by which plans had time to start and end."""
    given_the_family(world)
    world.on(TODAY)
    return world


def plan(reference: str, *people: dict[str, Any], **more: Any) -> dict[str, Any]:
    return a_submission("child-protection", reference, *people, **more)


def siblings_plan(number: int, *adults: dict[str, Any], **more: Any) -> dict[str, Any]:
    everybody = adults or (mother(), father())
    return plan(f"SIB-{number}", person("child", *CHILDREN[number]), *everybody, **more)


def given_siblings(world: World, count: int) -> None:
    for number in range(count):
        world.registered(*CHILDREN[number], HOME)
        world.posts(COUNCIL, siblings_plan(number))


def the_flag(world: World, practice: str, who: Who) -> dict[str, Any]:
    (found,) = world.held_at(practice, who[0])
    return found


def told(world: World, practice: str, who: Who) -> list[str]:
    return sorted(content(found) for found in world.held_at(practice, who[0]))


@pytest.mark.parametrize(
    ("kind", "start", "end"),
    [
        ("child-protection", CPP_CHILD, CPP_ENDED),
        ("child-in-need", "135891007", "135890008"),
        ("section-47", "836881000000105", "810771000000107"),
    ],
)
def test_a_second_reference_keeps_the_end_code_away_until_it_ends_too(
    later: World, kind: str, start: str, end: str
) -> None:
    for reference, began in (("A-1", "2022-01-10"), ("A-2", "2022-02-10")):
        later.posts(COUNCIL, a_submission(kind, reference, child(), start=began))
    first = the_flag(later, HOME, CHILD)
    ended = {"start": "2022-01-10", "end": "2022-09-01", "version": 2}
    later.posts(COUNCIL, a_submission(kind, "A-1", child(), **ended))
    assert codes(later, HOME, CHILD) == [start]
    assert the_flag(later, HOME, CHILD)["id"] == first["id"]
    ended = {"start": "2022-02-10", "end": "2022-09-02", "version": 2}
    later.posts(COUNCIL, a_submission(kind, "A-2", child(), **ended))
    assert codes(later, HOME, CHILD) == [f"{end} inactive"]
    assert the_flag(later, HOME, CHILD)["id"] == first["id"]


def test_five_siblings_are_one_flag_on_their_fathers_record_and_their_number_is_not_told(
    later: World,
) -> None:
    given_siblings(later, 1)
    one = told(later, ELSEWHERE, FATHER)
    version = the_flag(later, ELSEWHERE, FATHER)["meta"]
    given_siblings(later, 5)
    assert told(later, ELSEWHERE, FATHER) == one
    assert the_flag(later, ELSEWHERE, FATHER)["meta"] == version
    assert all(codes(later, HOME, who) == [CPP_CHILD] for who in CHILDREN)


def test_a_parents_flag_ends_when_the_last_childs_plan_ends(later: World) -> None:
    given_siblings(later, 3)
    for number in range(3):
        assert codes(later, HOME, MOTHER) == [CPP_ADULT]
        assert codes(later, ELSEWHERE, FATHER) == [CPP_ADULT]
        later.posts(COUNCIL, siblings_plan(number, version=2, end=TODAY))
    assert codes(later, HOME, MOTHER) == [f"{CPP_ADULT_ENDED} inactive"]
    assert codes(later, ELSEWHERE, FATHER) == [f"{CPP_ADULT_ENDED} inactive"]


def an_unborn_plan(reference: str, **more: Any) -> dict[str, Any]:
    unborn = {"role": "unborn", "expected_date": "2022-11-01"}
    return plan(reference, unborn, mother(), **{"start": "2022-08-01", **more})


def test_while_one_twin_is_unborn_and_on_a_plan_nothing_says_that_there_is_none(
    later: World,
) -> None:
    twins = (("9990100004", "2022-10-02"), ("9990100012", "2022-10-03"))
    for reference in ("TW-1", "TW-2"):
        later.posts(COUNCIL, an_unborn_plan(reference))
    assert codes(later, HOME, MOTHER) == [UNBORN_CPP]
    unborn = the_flag(later, HOME, MOTHER)["id"]
    for number, who in enumerate(twins, 1):
        later.registered(*who, HOME)
        born = plan(f"TW-{number}", person("child", *who), mother(), version=2, start="2022-08-01")
        later.posts(COUNCIL, born)
        still = UNBORN_CPP if number == 1 else f"{UNBORN_CPP_ENDED} inactive"
        assert codes(later, HOME, MOTHER) == sorted([CPP_ADULT, still])
    assert unborn in {found["id"] for found in later.held_at(HOME, MOTHER[0])}


def accused(**more: Any) -> dict[str, Any]:
    return father(standing="alleged-perpetrator", knows="must-not-know", **more)


def test_a_transfer_where_two_councils_overlap_changes_nothing_where_no_agency_is_told(
    later: World,
) -> None:
    later.posts(COUNCIL, plan("A-1", child(), accused(), start="2022-01-10"))
    before = the_flag(later, ELSEWHERE, FATHER)
    assert "author" not in before
    later.posts(HEALTH, plan("B-1", child(), accused(), start="2022-06-01"))
    assert content(the_flag(later, ELSEWHERE, FATHER)) == content(before)
    ended = {"start": "2022-01-10", "end": "2022-06-30", "version": 2}
    later.posts(COUNCIL, plan("A-1", child(), accused(), **ended))
    after = the_flag(later, ELSEWHERE, FATHER)
    assert (after["id"], content(after)) == (before["id"], content(before))


def test_where_the_agency_is_told_each_council_has_its_flag_and_the_end_code_waits_for_both(
    later: World,
) -> None:
    later.posts(COUNCIL, plan("A-1", child(), start="2022-01-10"))
    later.posts(HEALTH, plan("B-1", child(), start="2022-06-01"))
    authors = {one["author"]["identifier"]["value"] for one in later.held_at(HOME, CHILD[0])}
    assert authors == {COUNCIL, HEALTH}
    ended = {"start": "2022-01-10", "end": "2022-06-30", "version": 2}
    later.posts(COUNCIL, plan("A-1", child(), **ended))
    assert codes(later, HOME, CHILD) == [CPP_CHILD, f"{CPP_CHILD} inactive"]
    ended = {"start": "2022-06-01", "end": "2022-09-30", "version": 2}
    later.posts(HEALTH, plan("B-1", child(), **ended))
    assert codes(later, HOME, CHILD) == [f"{CPP_ENDED} inactive"] * 2


def test_flags_of_two_agencies_become_one_once_the_agency_may_not_be_told(later: World) -> None:
    """And the one that goes on says who it was no more."""
    later.posts(COUNCIL, plan("A-1", child(), father()))
    later.posts(HEALTH, plan("B-1", child(), father()))
    two = {one["id"] for one in later.held_at(ELSEWHERE, FATHER[0])}
    assert len(two) == 2
    later.posts(POLICE, a_notification())
    after = the_flag(later, ELSEWHERE, FATHER)
    assert after["id"] in two
    assert "author" not in after


def test_a_step_down_and_up_again_is_told_by_each_kinds_own_pair(later: World) -> None:
    need = "135891007"
    steps = [
        plan("P-1", child(), start="2022-01-10"),
        plan("P-1", child(), start="2022-01-10", version=2, end="2022-03-01"),
        a_submission("child-in-need", "N-1", child(), start="2022-03-01"),
        a_submission(
            "child-in-need", "N-1", child(), start="2022-03-01", version=2, end="2022-06-01"
        ),
        plan("P-2", child(), start="2022-06-01"),
    ]
    found = []
    for body in steps:
        later.posts(COUNCIL, body)
        found.append(codes(later, HOME, CHILD))
    assert found == [
        [CPP_CHILD],
        [f"{CPP_ENDED} inactive"],
        [need, f"{CPP_ENDED} inactive"],
        ["135890008 inactive", f"{CPP_ENDED} inactive"],
        sorted(["135890008 inactive", CPP_CHILD, f"{CPP_CHILD} inactive"]),
    ]


def test_an_end_code_waits_for_another_kind_of_the_same_pair(later: World) -> None:
    enquiry, meeting = "836881000000105", "810771000000107"
    later.posts(COUNCIL, a_submission("section-47", "S-1", child()))
    later.posts(COUNCIL, a_submission("pre-proceedings", "PP-1", child()))
    later.posts(COUNCIL, a_submission("section-47", "S-1", child(), version=2, end=TODAY))
    assert codes(later, HOME, CHILD) == [enquiry, f"{enquiry} inactive"]
    later.posts(COUNCIL, a_submission("pre-proceedings", "PP-1", child(), version=2, end=TODAY))
    assert codes(later, HOME, CHILD) == [f"{meeting} inactive"]


def test_while_something_of_the_pair_is_held_an_ending_retracts_without_a_code(
    later: World,
) -> None:
    later.posts(COUNCIL, plan("A-1", child(), father()))
    later.posts(COUNCIL, plan("A-2", child(), father(identity="unconfirmed")))
    later.posts(COUNCIL, plan("A-1", child(), father(), version=2, end=TODAY))
    assert codes(later, ELSEWHERE, FATHER) == []
    (removed,) = later._newest(ELSEWHERE, removed=True)
    assert removed["code"]["coding"][0]["code"] == "U"


def test_while_something_of_the_pair_is_withheld_an_ending_retracts_without_a_code(
    later: World,
) -> None:
    partner = person("partner", *FATHER, involvement="excluded", knows="unknown")
    later.posts(COUNCIL, plan("A-1", child(), father()))
    later.posts(COUNCIL, plan("A-2", person("child", *CHILDREN[1]), partner))
    later.posts(COUNCIL, plan("A-1", child(), father(), version=2, end=TODAY))
    assert codes(later, ELSEWHERE, FATHER) == []


def test_a_role_whose_records_never_get_the_pair_keeps_no_code_away(later: World) -> None:
    """A sibling's record is told of no child in need plan, so there is nothing to keep it for."""
    need, ended = "135891007", "135890008"
    sibling = person("sibling", *CHILD)
    later.posts(COUNCIL, a_submission("child-in-need", "N-1", child()))
    another = person("child", *CHILDREN[1])
    later.posts(COUNCIL, a_submission("child-in-need", "N-2", another, sibling))
    assert codes(later, HOME, CHILD) == [need]
    later.posts(COUNCIL, a_submission("child-in-need", "N-1", child(), version=2, end=TODAY))
    assert codes(later, HOME, CHILD) == [f"{ended} inactive"]


def test_an_element_withheld_for_one_ground_is_not_told_because_of_another(later: World) -> None:
    later.posts(COUNCIL, plan("A-1", child(), father()))
    assert "period" in the_flag(later, ELSEWHERE, FATHER)
    later.posts(COUNCIL, plan("A-2", child(), father(knows="unknown")))
    both = the_flag(later, ELSEWHERE, FATHER)
    assert "period" not in both
    later.posts(COUNCIL, plan("A-2", child(), father(knows="unknown"), version=2, end=TODAY))
    again = the_flag(later, ELSEWHERE, FATHER)
    assert (again["id"], "period" in again) == (both["id"], True)


def _extension(flag: dict[str, Any], name: str) -> Any:
    (found,) = [one for one in flag["extension"] if one["url"].endswith(name)]
    return found["valueDate"]


def test_a_child_on_two_plans_has_the_earliest_start_the_soonest_review_and_every_category(
    later: World,
) -> None:
    one = {"start": "2022-02-01", "review_due": "2022-12-01", "categories": ["physical"]}
    two = {"start": "2022-05-01", "review_due": "2022-11-01", "categories": ["neglect"]}
    later.posts(COUNCIL, plan("A-1", child(), **one))
    later.posts(COUNCIL, plan("A-2", child(), **two))
    flag = the_flag(later, HOME, CHILD)
    assert flag["period"]["start"] == "2022-02-01"
    assert _extension(flag, "review-due") == "2022-11-01"
    assert {"802311000000100", "802271000000100"} <= {
        coding["code"] for part in flag["category"] for coding in part["coding"]
    }


def test_each_plans_review_is_counted_for_itself_and_the_soonest_is_told(world: World) -> None:
    given_the_family(world)
    world.posts(COUNCIL, plan("A-1", child(), father()))
    world.on("2022-02-04")
    world.posts(COUNCIL, plan("A-2", child(), father()))
    assert _extension(the_flag(world, ELSEWHERE, FATHER), "review-due") == "2022-04-04"
    world.posts(COUNCIL, plan("A-1", child(), father(), version=2, end="2022-02-04"))
    assert _extension(the_flag(world, ELSEWHERE, FATHER), "review-due") == "2022-05-04"


def test_two_reports_are_one_marker_and_an_accusation_is_asked_about_alone(later: World) -> None:
    victim = mother(standing="victim")
    for reference in ("DA-1", "DA-2"):
        later.posts(POLICE, a_submission("perpetrator", reference, accused(), victim))
    assert codes(later, HOME, MOTHER) == [VICTIM]
    assert codes(later, ELSEWHERE, FATHER) == []


def test_what_a_question_lets_stand_stays_when_its_neighbour_ends(later: World) -> None:
    """Both plans were told of; one is doubted, the other ends. The doubt takes nothing away."""
    later.posts(COUNCIL, plan("A-1", child(), father()))
    later.posts(COUNCIL, plan("A-2", child(), father()))
    before = the_flag(later, ELSEWHERE, FATHER)
    doubted = father(identity="unconfirmed")
    later.posts(COUNCIL, plan("A-2", child(), doubted, version=2))
    assert the_flag(later, ELSEWHERE, FATHER)["id"] == before["id"]
    later.posts(COUNCIL, plan("A-1", child(), father(), version=2, end=TODAY))
    assert codes(later, ELSEWHERE, FATHER) == [CPP_ADULT]
    assert the_flag(later, ELSEWHERE, FATHER)["id"] == before["id"]
    later.registered(*FATHER, NEW)
    assert codes(later, NEW, FATHER) == [CPP_ADULT]


def test_a_question_alone_places_nothing_beside_or_instead(later: World) -> None:
    doubted = father(identity="unconfirmed")
    later.posts(COUNCIL, plan("A-1", child(), father()))
    later.posts(COUNCIL, plan("A-2", child(), doubted))
    assert codes(later, ELSEWHERE, FATHER) == [CPP_ADULT]
    later.posts(COUNCIL, plan("A-1", child(), father(), version=2, end=TODAY))
    assert codes(later, ELSEWHERE, FATHER) == []


def test_all_that_stands_behind_a_flag_moves_with_the_person_as_one(later: World) -> None:
    given_siblings(later, 3)
    later.registered(*FATHER, NEW)
    assert codes(later, NEW, FATHER) == [CPP_ADULT]
    assert codes(later, ELSEWHERE, FATHER) == []


def test_a_copy_goes_on_where_its_plan_says_something_else_of_the_person(later: World) -> None:
    """The child that a plan was about turns out to be the sibling of the one that it is about."""
    later.registered(*CHILDREN[1], HOME)
    later.posts(COUNCIL, plan("A-1", child(), start="2022-01-10"))
    before = the_flag(later, HOME, CHILD)["id"]
    people = person("child", *CHILDREN[1]), person("sibling", *CHILD)
    later.posts(COUNCIL, plan("A-1", *people, start="2022-01-10", version=2))
    after = the_flag(later, HOME, CHILD)
    assert (after["id"], codes(later, HOME, CHILD)) == (before, [CPP_ADULT])
    assert after.get("period", {}).get("start") != "2022-01-10"
