"""A held placement is work for a named side: it is asked, it decides, and the case moves on."""

from typing import Any

import pytest
from sqlmodel import col

from flagservice.domain.errors import Conflict, NotFound
from flagservice.store import tables
from tests.intake.people import (
    CHILD,
    CPP_ADULT,
    CPP_CHILD,
    ELSEWHERE,
    FATHER,
    HOME,
    NEW,
    PARTNER,
    VICTIM,
    a_notification,
    a_plan,
    an_unborn_plan,
    child,
    codes,
    decide_on,
    father,
    given_the_family,
    mother,
    open_lookups,
    rows,
)
from tests.world import COUNCIL, HEALTH, POLICE, World, a_submission, person

UNSURE = {"identity": "unconfirmed"}


def would(world: World, ods: str) -> dict[str, Any]:
    (item,) = world.worklist(ods)
    return dict(item.would)


def test_an_unconfirmed_child_waits_for_its_submitter_and_is_placed_once_confirmed(
    any_world: World,
) -> None:
    given_the_family(any_world)
    any_world.posts(COUNCIL, a_plan(child(**UNSURE)))
    assert codes(any_world, HOME) == []
    assert any_world.receipt(COUNCIL, "CPP-1") == [("child", "held")]
    (item,) = any_world.worklist(COUNCIL)
    assert (item.nhs_number, item.opened.isoformat()) == (CHILD[0], "2022-01-04")
    assert (item.due.isoformat(), item.decider, item.overdue) == ("2022-01-06", "submitter", False)
    any_world.decides(COUNCIL)
    assert codes(any_world, HOME) == [CPP_CHILD]
    assert any_world.worklist(COUNCIL) == []
    assert any_world.receipt(COUNCIL, "CPP-1") == [("child", "placed")]


def test_a_worklist_shows_in_words_what_would_be_placed(world: World) -> None:
    given_the_family(world)
    world.posts(COUNCIL, a_plan(child(**UNSURE), categories=["physical", "neglect"]))
    assert would(world, COUNCIL) == {
        "concern": "Subject to child protection plan (342191000000101)",
        "plan-category": "neglect, physical",
        "start": "2022-01-01",
        "duty-desk": "Bradford children's services duty desk, 01632 960132",
        "agency": "City of Bradford Metropolitan District Council",
    }


def test_a_submitter_decides_by_its_own_words_and_sees_no_other_agencys(world: World) -> None:
    given_the_family(world)
    world.posts(COUNCIL, a_plan(child(), father(**UNSURE)))
    alone = would(world, COUNCIL)
    world.posts(POLICE, a_notification())
    assert would(world, COUNCIL) == alone
    world.decides(COUNCIL)
    (flag,) = world.held_at(ELSEWHERE)
    assert "author" not in flag


def test_a_submitter_is_not_asked_what_only_another_agencys_words_ask_for(world: World) -> None:
    given_the_family(world)
    alleged = father(standing="alleged-perpetrator")
    world.posts(HEALTH, a_notification(alleged, mother(**UNSURE)))
    assert world.worklist(HEALTH) == []
    world.posts(POLICE, a_notification(alleged, mother(standing="victim")))
    assert world.worklist(HEALTH) == []
    assert codes(world, HOME) == ["879911000000102"]


def test_a_hold_that_grows_old_goes_to_a_second_person_and_no_clock_closes_it(world: World) -> None:
    given_the_family(world)
    world.posts(COUNCIL, a_plan(child(**UNSURE)))
    world.on("2022-01-07")
    (item,) = world.worklist(COUNCIL)
    assert (item.overdue, item.decider) == (True, "submitter's safeguarding duty manager")
    world.on("2032-01-07")
    assert len(world.worklist(COUNCIL)) == 1


def test_an_alleged_perpetrator_whose_identity_is_confirmed_is_then_held_for_the_practice(
    world: World,
) -> None:
    """The submitter's word settles who it is, and never places."""
    given_the_family(world)
    alleged = father(standing="alleged-perpetrator", knows="must-not-know", **UNSURE)
    world.posts(POLICE, a_notification(alleged))
    assert world.worklist(ELSEWHERE) == []
    assert would(world, POLICE) == {"held next for": "practice safeguarding lead"}
    world.decides(POLICE)
    assert codes(world, ELSEWHERE) == []
    assert world.worklist(POLICE) == []
    assert would(world, ELSEWHERE)["concern"].startswith("Unspecified Safeguarding Concern")
    world.decides(ELSEWHERE)
    assert codes(world, ELSEWHERE) == ["U"]
    (flag,) = world.held_at(ELSEWHERE)
    assert flag["period"] == {"start": "2022-01-04", "end": "2023-01-04"}
    assert "author" not in flag


def test_a_declined_hold_places_nothing_and_asks_nobody_again(world: World) -> None:
    given_the_family(world)
    world.posts(POLICE, a_notification())
    world.decides(ELSEWHERE, "withhold")
    world.posts(COUNCIL, a_plan(child()))
    assert codes(world, ELSEWHERE) == []
    assert world.worklist(ELSEWHERE) == []


def test_a_submitter_who_declines_is_told_that_nothing_was_placed(world: World) -> None:
    given_the_family(world)
    world.posts(COUNCIL, a_plan(child(**UNSURE)))
    world.decides(COUNCIL, "withhold")
    assert codes(world, HOME) == []
    assert world.receipt(COUNCIL, "CPP-1") == [("child", "accepted")]


def test_a_decision_no_longer_stands_when_the_standing_that_it_was_about_has_changed(
    world: World,
) -> None:
    given_the_family(world)
    world.posts(POLICE, a_notification())
    world.decides(ELSEWHERE)
    assert codes(world, ELSEWHERE) == ["U"]
    counter = a_submission(
        "perpetrator",
        "H-1",
        mother(standing="alleged-perpetrator"),
        father(standing="victim", knows="must-not-know"),
    )
    world.posts(HEALTH, counter)
    # While the lead is asked again what was placed stays.
    assert codes(world, ELSEWHERE) == [VICTIM, "U"]
    assert FATHER[0] in [item.nhs_number for item in world.worklist(ELSEWHERE)]


def test_a_decision_no_longer_stands_when_what_the_holder_knows_has_changed(world: World) -> None:
    given_the_family(world)
    world.posts(COUNCIL, an_unborn_plan(mother(), father(knows="unknown")))
    world.decides(COUNCIL)
    assert codes(world, ELSEWHERE) == ["1064961000000107"]
    world.posts(COUNCIL, an_unborn_plan(mother(), father(knows="must-not-know"), version=2))
    assert codes(world, ELSEWHERE) == ["1064961000000107"]
    assert len(world.worklist(COUNCIL)) == 1


def test_the_newest_decision_of_a_side_stands(world: World) -> None:
    given_the_family(world)
    world.posts(POLICE, a_notification())
    world.decides(ELSEWHERE, "withhold")
    world.posts(POLICE, a_notification(version=2))
    world.decides(ELSEWHERE, "place")
    assert codes(world, ELSEWHERE) == ["U"]
    world.posts(POLICE, a_notification(version=3))
    assert codes(world, ELSEWHERE) == ["U"]


def test_a_hold_is_closed_when_nothing_asks_for_it_any_more(world: World) -> None:
    given_the_family(world)
    world.posts(COUNCIL, a_plan(child(**UNSURE)))
    world.posts(COUNCIL, a_plan(child(), version=2))
    assert world.worklist(COUNCIL) == []
    assert codes(world, HOME) == [CPP_CHILD]
    (hold,) = rows(world, of=tables.HoldRow)
    assert (hold.open, hold.outcome) == (False, None)


def test_a_hold_that_is_still_asked_for_keeps_its_age(world: World) -> None:
    given_the_family(world)
    world.posts(COUNCIL, a_plan(child(**UNSURE)))
    world.on("2022-02-01")
    world.posts(COUNCIL, a_plan(child(**UNSURE), version=2))
    (item,) = world.worklist(COUNCIL)
    assert item.opened.isoformat() == "2022-01-04"


def test_an_ended_plan_asks_nobody(world: World) -> None:
    given_the_family(world)
    world.posts(COUNCIL, a_plan(child(**UNSURE)))
    world.posts(COUNCIL, a_plan(child(**UNSURE), version=2, end="2022-01-04"))
    assert world.worklist(COUNCIL) == []


def test_an_ended_plan_looks_for_no_practice_to_hold_anything_at(world: World) -> None:
    world.posts(COUNCIL, a_plan(child(**UNSURE)))
    assert open_lookups(world) == [("child", "no-practice")]
    world.posts(COUNCIL, a_plan(child(**UNSURE), version=2, end="2022-01-04"))
    assert open_lookups(world) == []


def test_a_hold_for_a_practice_that_is_not_known_is_an_open_look_up_until_it_is(
    world: World,
) -> None:
    world.posts(POLICE, a_notification())
    assert open_lookups(world) == [("father", "no-practice")]
    (asked,) = world.worklist(POLICE)
    assert (asked.question, asked.why) == ("identity", "check number, name and birth date")
    world.registered(*FATHER, ELSEWHERE)
    assert world.worklist(POLICE) == []
    assert open_lookups(world) == []
    assert len(world.worklist(ELSEWHERE)) == 1


def test_when_the_practice_changes_the_new_one_is_asked(world: World) -> None:
    given_the_family(world)
    world.posts(POLICE, a_notification())
    world.registered(*FATHER, NEW)
    assert world.worklist(ELSEWHERE) == []
    assert len(world.worklist(NEW)) == 1


def test_only_the_named_side_may_decide_and_only_once(any_world: World) -> None:
    given_the_family(any_world)
    any_world.posts(POLICE, a_notification())
    (item,) = any_world.worklist(ELSEWHERE)
    for stranger in (HOME, POLICE, COUNCIL):
        with pytest.raises(NotFound):
            decide_on(any_world, stranger, item.id)
    with pytest.raises(NotFound):
        decide_on(any_world, ELSEWHERE, "0" * 32)
    decide_on(any_world, ELSEWHERE, item.id)
    with pytest.raises(Conflict):
        decide_on(any_world, ELSEWHERE, item.id)


def test_what_is_decided_is_kept_sealed_with_its_reason(world: World) -> None:
    given_the_family(world)
    world.posts(POLICE, a_notification())
    world.decides(ELSEWHERE)
    (hold,) = rows(world, col(tables.HoldRow.outcome) == "place", of=tables.HoldRow)
    assert hold.sealed
    assert b"Amed" not in hold.sealed


def test_what_would_be_placed_for_somebody_who_is_not_nominated_is_nothing(world: World) -> None:
    """To confirm who it is would place nothing, and the worklist says so."""
    given_the_family(world)
    partner = person("partner", *PARTNER, involvement="excluded", identity="unconfirmed")
    world.posts(COUNCIL, a_plan(child(), partner))
    assert would(world, COUNCIL) == {}


def test_a_practices_refusal_is_for_the_version_that_it_saw(world: World) -> None:
    given_the_family(world)
    world.posts(POLICE, a_notification())
    world.decides(ELSEWHERE, "withhold")
    assert world.worklist(ELSEWHERE) == []
    world.posts(POLICE, a_notification(version=2))
    assert len(world.worklist(ELSEWHERE)) == 1


def test_who_is_declined_by_the_submitter_narrows_nothing_elsewhere(world: World) -> None:
    """It may be somebody else altogether: what was said of that person is not held against him."""
    given_the_family(world)
    world.posts(COUNCIL, a_plan(child(), father()))
    alleged = father(standing="alleged-perpetrator", knows="must-not-know", **UNSURE)
    world.posts(POLICE, a_notification(alleged))
    assert "author" not in world.held_at(ELSEWHERE)[0]
    world.decides(POLICE, "withhold")
    assert "author" in world.held_at(ELSEWHERE)[0]


def test_two_holds_stand_oldest_first(world: World) -> None:
    given_the_family(world)
    world.posts(COUNCIL, a_plan(child(), father(**UNSURE)))
    world.on("2022-01-05")
    world.posts(COUNCIL, a_plan(child(**UNSURE), father(**UNSURE), version=2))
    opened = [item.opened.isoformat() for item in world.worklist(COUNCIL)]
    assert opened == ["2022-01-04", "2022-01-05"]
    world.decides(COUNCIL)
    assert codes(world, ELSEWHERE) == [CPP_ADULT]
