"""Every version of a plan replaces the one before it: birth, people added, people left out, end."""

import pytest
from sqlmodel import col

from flagservice.domain.errors import Conflict, Invalid
from flagservice.intake.submission import SubmissionEffect
from flagservice.store import tables
from tests.intake.people import (
    CHILD,
    CPP_ADULT,
    CPP_ADULT_ENDED,
    CPP_CHILD,
    CPP_ENDED,
    ELSEWHERE,
    FATHER,
    HOME,
    HOUSEHOLD,
    IN_FAMILY,
    MOTHER,
    NEW,
    PARTNER,
    UNBORN_NEED,
    VICTIM,
    a_born_plan,
    a_notification,
    a_plan,
    an_unborn_plan,
    child,
    codes,
    father,
    given_the_family,
    mother,
    open_lookups,
    rows,
)
from tests.world import COUNCIL, POLICE, World, a_submission, person


def test_an_unborn_child_has_no_record_and_the_mothers_says_when_it_is_expected(
    world: World,
) -> None:
    given_the_family(world)
    world.posts(COUNCIL, an_unborn_plan())
    (flag,) = world.held_at(HOME)
    assert flag["code"]["coding"][0]["code"] == UNBORN_NEED
    assert "2022-03-01" in str(flag["extension"])
    assert world.receipt(COUNCIL, "CIN-1") == [("mother", "placed")]


def test_a_born_child_gets_its_own_flag_and_the_mothers_unborn_one_becomes_history(
    any_world: World,
) -> None:
    given_the_family(any_world)
    any_world.posts(COUNCIL, an_unborn_plan())
    any_world.on("2022-02-20")
    assert any_world.posts(COUNCIL, a_born_plan()).effect is SubmissionEffect.ACCEPTED
    assert codes(any_world, HOME, CHILD) == ["135891007"]
    assert codes(any_world, HOME, MOTHER) == [IN_FAMILY, f"{UNBORN_NEED} inactive"]
    past = next(f for f in any_world.held_at(HOME, MOTHER[0]) if f["status"] == "inactive")
    assert "extension" not in past
    assert "period" not in past
    assert "author" not in past


def test_the_unborn_history_stays_as_it_is_while_nothing_changes_for_her(world: World) -> None:
    given_the_family(world)
    world.posts(COUNCIL, an_unborn_plan())
    world.posts(COUNCIL, a_born_plan())
    before = [f for f in world.held_at(HOME, MOTHER[0]) if f["status"] == "inactive"]
    world.posts(COUNCIL, a_born_plan(version=3, review_due="2022-06-01"))
    assert [f for f in world.held_at(HOME, MOTHER[0]) if f["status"] == "inactive"] == before


def test_the_unborn_history_goes_when_she_becomes_an_alleged_perpetrator(world: World) -> None:
    given_the_family(world)
    world.posts(COUNCIL, an_unborn_plan())
    world.posts(COUNCIL, a_born_plan())
    world.posts(POLICE, a_notification(mother(standing="both")))
    assert codes(world, HOME, MOTHER) == [IN_FAMILY, VICTIM]


def test_the_unborn_history_moves_with_her(world: World) -> None:
    given_the_family(world)
    world.posts(COUNCIL, an_unborn_plan())
    world.posts(COUNCIL, a_born_plan())
    world.registered(*MOTHER, NEW)
    assert codes(world, HOME, MOTHER) == []
    assert codes(world, NEW, MOTHER) == [IN_FAMILY, f"{UNBORN_NEED} inactive"]


def test_a_child_that_was_reported_born_by_mistake_is_unborn_again(world: World) -> None:
    given_the_family(world)
    world.posts(COUNCIL, an_unborn_plan())
    world.posts(COUNCIL, a_born_plan())
    with pytest.raises(Invalid, match="another child than before"):
        world.posts(COUNCIL, an_unborn_plan(version=3))
    again = an_unborn_plan(version=3)
    again["people"].append(child(withdrawn="posted-in-error"))
    world.posts(COUNCIL, again)
    assert codes(world, HOME, MOTHER) == [f"{IN_FAMILY} inactive", UNBORN_NEED]
    assert codes(world, HOME, CHILD) == []


def test_a_father_who_is_not_identified_is_an_open_gap_until_he_is(world: World) -> None:
    given_the_family(world)
    unknown = {"role": "father", "not_identified": "not-named"}
    world.posts(COUNCIL, a_plan(child(), mother(), unknown))
    assert world.receipt(COUNCIL, "CPP-1")[2] == ("father", "not reached")
    assert open_lookups(world) == [("father", "not-identified")]
    world.posts(COUNCIL, a_plan(child(), mother(), unknown, version=2))
    (kept,) = rows(world, of=tables.LookupRow)
    assert kept.opened.isoformat() == "2022-01-04"
    world.posts(COUNCIL, a_plan(version=3))
    assert codes(world, ELSEWHERE, FATHER) == [CPP_ADULT]
    assert open_lookups(world) == []


def test_two_fathers_not_identified_are_two_gaps_and_one_identified_leaves_one(
    world: World,
) -> None:
    given_the_family(world)
    unknown = {"role": "father", "not_identified": "not-traced"}
    world.posts(COUNCIL, a_plan(child(), unknown, unknown))
    assert len(open_lookups(world)) == 2
    world.posts(COUNCIL, a_plan(child(), father(), unknown, version=2))
    assert open_lookups(world) == [("father", "not-identified")]


def test_an_ended_plan_looks_for_nobody_any_more(world: World) -> None:
    given_the_family(world)
    unknown = {"role": "father", "not_identified": "not-named"}
    world.posts(COUNCIL, a_plan(child(), unknown))
    world.posts(COUNCIL, a_plan(child(), unknown, version=2, end="2022-01-04"))
    assert open_lookups(world) == []


def test_an_adult_whom_an_open_plan_leaves_out_stays_and_is_asked_about(world: World) -> None:
    given_the_family(world)
    world.registered(*PARTNER, ELSEWHERE)
    partner = person("partner", *PARTNER, nomination="lives-with-child")
    world.posts(COUNCIL, a_plan(child(), father(), partner))
    assert codes(world, ELSEWHERE) == [CPP_ADULT, CPP_ADULT]
    world.posts(COUNCIL, a_plan(child(), version=2))
    assert codes(world, ELSEWHERE) == [CPP_ADULT, CPP_ADULT]
    assert world.receipt(COUNCIL, "CPP-1") == [("child", "placed")]
    asked = {(item.question, item.role, item.reference) for item in world.worklist(COUNCIL)}
    assert asked == {("left-out", "father", "CPP-1"), ("left-out", "partner", "CPP-1")}
    with pytest.raises(Conflict, match="a new version answers this question"):
        world.decides(COUNCIL, "withhold")
    gone = [father(ended="2022-01-04"), partner | {"withdrawn": "wrong-person"}]
    world.posts(COUNCIL, a_plan(child(), *gone, version=3))
    assert codes(world, ELSEWHERE) == [f"{CPP_ADULT_ENDED} inactive"]
    assert world.worklist(COUNCIL) == []
    assert world.receipt(COUNCIL, "CPP-1")[1:] == [("father", "ended"), ("partner", "taken back")]


def test_an_adult_whom_only_the_last_version_leaves_out_is_history_like_the_rest(
    world: World,
) -> None:
    given_the_family(world)
    world.posts(COUNCIL, a_plan(child(), father()))
    world.posts(COUNCIL, a_plan(child(), version=2, end="2022-01-04"))
    assert codes(world, ELSEWHERE, FATHER) == [f"{CPP_ADULT_ENDED} inactive"]
    world.posts(COUNCIL, a_plan(child(), version=3, end="2022-01-04"))
    assert codes(world, ELSEWHERE, FATHER) == [f"{CPP_ADULT_ENDED} inactive"]


def test_an_adult_who_is_named_again_is_placed_again(world: World) -> None:
    given_the_family(world)
    world.posts(COUNCIL, a_plan())
    world.posts(COUNCIL, a_plan(child(), mother(), version=2))
    world.posts(COUNCIL, a_plan(version=3))
    assert codes(world, ELSEWHERE, FATHER) == [CPP_ADULT]


def test_an_ended_plan_leaves_history_or_nothing_as_the_policy_says(any_world: World) -> None:
    given_the_family(any_world)
    people = child(), mother(), father(knows="unknown")
    any_world.posts(COUNCIL, a_plan(*people))
    any_world.posts(COUNCIL, a_plan(*people, version=2, end="2022-01-04"))
    assert codes(any_world, HOME, CHILD) == [f"{CPP_ENDED} inactive"]
    assert codes(any_world, HOME, MOTHER) == [f"{CPP_ADULT_ENDED} inactive"]
    assert codes(any_world, ELSEWHERE, FATHER) == []
    assert {status for _, status in any_world.receipt(COUNCIL, "CPP-1")} == {"ended"}
    (past,) = any_world.held_at(HOME, CHILD[0])
    assert past["period"] == {"start": "2022-01-01", "end": "2022-01-04"}
    assert [category["coding"][0]["code"] for category in past["category"]] == ["SG"]


def test_a_plan_that_is_first_heard_of_when_it_has_ended_leaves_the_same(world: World) -> None:
    given_the_family(world)
    world.posts(COUNCIL, a_plan(child(), mother(), father(knows="unknown"), end="2022-01-04"))
    assert codes(world, HOME, CHILD) == [f"{CPP_ENDED} inactive"]
    assert codes(world, HOME, MOTHER) == [f"{CPP_ADULT_ENDED} inactive"]
    assert codes(world, ELSEWHERE, FATHER) == []


def test_a_plan_that_is_opened_again_is_told_again(world: World) -> None:
    given_the_family(world)
    world.posts(COUNCIL, a_plan(end="2022-01-04"))
    world.posts(COUNCIL, a_plan(version=2))
    assert codes(world, HOME, CHILD) == [CPP_CHILD]


def test_an_ended_request_goes_without_a_trace(world: World) -> None:
    given_the_family(world)
    enquiry = a_submission("section-47", "S47-1", child(), father())
    world.posts(COUNCIL, enquiry)
    (task,) = world.held_at(ELSEWHERE)
    assert (task["resourceType"], task["status"]) == ("Task", "requested")
    assert world.receipt(COUNCIL, "S47-1") == [("child", "placed"), ("father", "requested")]
    world.posts(COUNCIL, enquiry | {"version": 2, "end": "2022-01-04"})
    assert codes(world, ELSEWHERE) == []
    removed = _removed(world, task["id"])
    assert removed["status"] == "cancelled"
    assert "extension" not in removed
    assert "requester" not in removed


def _removed(world: World, copy_id: str) -> dict[str, object]:
    (found,) = [one for one in world._newest(ELSEWHERE, removed=True) if one["id"] == copy_id]
    return found


def test_a_notification_tells_the_childs_record_of_the_household_and_no_more(world: World) -> None:
    given_the_family(world)
    alleged = father(standing="alleged-perpetrator", knows="must-not-know")
    world.posts(POLICE, a_notification(alleged, child(standing="victim")))
    assert codes(world, HOME, CHILD) == [HOUSEHOLD]
    assert codes(world, ELSEWHERE, FATHER) == []
    assert world.receipt(POLICE, "DA-1") == [("father", "received"), ("child", "received")]


def test_every_plan_keeps_its_newest_version_alone_and_every_version_that_came(
    world: World,
) -> None:
    given_the_family(world)
    for version in (2, 1, 3):
        world.posts(COUNCIL, a_plan(version=version))
    (plan,) = rows(world, of=tables.PlanRow)
    kept = rows(world, col(tables.SubmissionRow.plan_id) == plan.id, of=tables.SubmissionRow)
    assert plan.version == 3
    assert sorted(one.version for one in kept) == [1, 2, 3]
