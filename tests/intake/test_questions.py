"""What one side is asked, and how far its answer goes: not to another side, practice or key."""

from sqlmodel import col

from flagservice.store import tables
from tests.intake.people import (
    ELSEWHERE,
    FATHER,
    NEW,
    a_notification,
    a_plan,
    child,
    codes,
    father,
    given_the_family,
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
