"""What one side is asked, and how far its answer goes: not to another side, practice or key."""

import pytest
from sqlmodel import col

from flagservice.domain.errors import Conflict
from flagservice.store import tables
from tests.intake.people import (
    CPP_ADULT,
    CPP_ADULT_ENDED,
    ELSEWHERE,
    FATHER,
    NEW,
    a_notification,
    a_plan,
    child,
    codes,
    father,
    given_the_family,
    mother,
    rows,
)
from tests.world import COUNCIL, POLICE, World


def the_question(world: World) -> str:
    """As it is kept, of the one hold that there is."""
    given_the_family(world)
    world.posts(POLICE, a_notification())
    (hold,) = rows(world, of=tables.HoldRow)
    return str(hold.about)


def test_what_a_hold_asks_cannot_be_tried_out_without_the_keys(world: World) -> None:
    """There are some hundred questions: whoever could hash them all would read every standing.

    The other world has the same ids, instants and pseudonym keys: its data keys alone differ.
    """
    another = World("sqlite://")
    assert the_question(another) != the_question(world)
    another.close()


def test_what_a_practice_decided_places_nothing_at_the_next(world: World) -> None:
    given_the_family(world)
    world.posts(POLICE, a_notification())
    world.decides(ELSEWHERE)
    assert codes(world, ELSEWHERE) == ["U"]
    world.registered(*FATHER, NEW)
    assert codes(world, ELSEWHERE) == []
    assert codes(world, NEW) == []
    assert [item.nhs_number for item in world.worklist(NEW)] == [FATHER[0]]


def test_what_a_practice_declines_still_narrows_what_others_tell_of_him(world: World) -> None:
    """It refused a flag; whether he is the man was not its to say."""
    given_the_family(world)
    world.posts(COUNCIL, a_plan(child(), father()))
    world.posts(POLICE, a_notification())
    (before,) = world.held_at(ELSEWHERE)
    assert "author" not in before
    world.decides(ELSEWHERE, "withhold")
    (after,) = world.held_at(ELSEWHERE)
    assert not {"author", "period"} & after.keys()
    (declined,) = rows(world, col(tables.HoldRow.outcome) == "withhold", of=tables.HoldRow)
    assert declined.owner_ods == ELSEWHERE


def asked(world: World, ods: str) -> list[str]:
    return [str(item.question) for item in world.worklist(ods)]


def said(world: World, practice: str) -> list[str]:
    """What stands there, without what tells one version from another."""
    apart = ("id", "meta", "identifier")
    return [
        str({k: v for k, v in one.items() if k not in apart}) for one in world.held_at(practice)
    ]


@pytest.mark.parametrize("outcome", ["place", "withhold"])
def test_what_a_fallen_accusation_would_widen_is_asked_of_the_submitter_first(
    world: World, outcome: str
) -> None:
    given_the_family(world)
    world.posts(COUNCIL, a_plan(child(), father()))
    whole = said(world, ELSEWHERE)
    world.posts(POLICE, a_notification())
    narrow = said(world, ELSEWHERE)
    assert narrow != whole
    fallen = father(standing="alleged-perpetrator", knows="must-not-know", withdrawn="not-upheld")
    world.posts(POLICE, a_notification(fallen, version=2))
    assert said(world, ELSEWHERE) == narrow
    (item,) = world.worklist(COUNCIL)
    assert (item.question, item.reference, item.role) == ("widening", "CPP-1", "father")
    assert item.why == "less is told than was said: may all of it be told?"
    world.decides(COUNCIL, outcome)
    assert said(world, ELSEWHERE) == (whole if outcome == "place" else narrow)
    assert world.worklist(COUNCIL) == []


@pytest.mark.parametrize("outcome", ["place", "withhold"])
def test_a_recorded_no_is_asked_again_where_something_else_is_said(
    world: World, outcome: str
) -> None:
    given_the_family(world)
    world.posts(COUNCIL, a_plan(child(), mother(), father(identity="unconfirmed")))
    world.decides(COUNCIL, "withhold")
    assert (codes(world, ELSEWHERE), asked(world, COUNCIL)) == ([], [])
    world.posts(COUNCIL, a_plan(version=2))
    assert (codes(world, ELSEWHERE), asked(world, COUNCIL)) == ([], ["again"])
    (item,) = world.worklist(COUNCIL)
    assert item.why == "it was decided before that this record is told nothing"
    world.decides(COUNCIL, outcome)
    assert codes(world, ELSEWHERE) == ([CPP_ADULT] if outcome == "place" else [])
    assert asked(world, COUNCIL) == []


def test_whom_a_newer_version_leaves_out_stays_and_is_asked_about(world: World) -> None:
    given_the_family(world)
    world.posts(COUNCIL, a_plan())
    before = said(world, ELSEWHERE)
    world.posts(COUNCIL, a_plan(child(), mother(), version=2))
    assert (said(world, ELSEWHERE), asked(world, COUNCIL)) == (before, ["left-out"])
    with pytest.raises(Conflict, match="a new version answers this question"):
        world.decides(COUNCIL)
    world.posts(COUNCIL, a_plan(child(), mother(), father(ended="2022-01-04"), version=3))
    assert asked(world, COUNCIL) == []
    assert codes(world, ELSEWHERE) == [f"{CPP_ADULT_ENDED} inactive"]
