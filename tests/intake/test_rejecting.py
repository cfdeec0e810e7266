"""A practice says "not our patient": the register is asked again, and nothing goes in circles."""

import pytest

from flagservice.audit.log import Actor
from flagservice.delivery.acknowledgements import Acknowledgement
from flagservice.delivery.pull import feed
from flagservice.domain.acknowledgements import AcknowledgementOutcome
from flagservice.domain.copies import Form
from flagservice.intake.rejection import take_acknowledgement
from flagservice.store import tables
from tests.intake.people import (
    CHILD,
    ELSEWHERE,
    FATHER,
    HOME,
    NEW,
    a_notification,
    a_plan,
    child,
    father,
    given_the_family,
    rows,
)
from tests.world import COUNCIL, POLICE, World


def given_a_plan(world: World) -> None:
    world.admitted(HOME, ELSEWHERE, NEW)
    given_the_family(world)
    world.posts(COUNCIL, a_plan(child(), father()))


def when_rejected(world: World, practice: str) -> int:
    """All that the practice has read so far is of people whom it does not know."""
    actor = Actor("gp", practice)
    read = world.log.perform(actor, lambda w: feed.feed(w, form=Form.FLAG, limit=100)).found
    answer = Acknowledgement(tuple(one.version_id for one in read), AcknowledgementOutcome.REJECTED)
    return world.log.perform(
        actor, lambda w: take_acknowledgement(w, answer, rulebook=world.rulebook)
    )


def the_words(world: World) -> dict[str, str]:
    return dict(world.receipt(COUNCIL, "CPP-1"))


def open_lookups(world: World) -> list[tuple[str, str]]:
    found = rows(world, of=tables.LookupRow)
    return [(row.role, row.reason) for row in found if row.closed is None]


def test_that_the_register_says_it_again_changes_nothing(any_world: World) -> None:
    given_a_plan(any_world)
    assert when_rejected(any_world, ELSEWHERE) == 1
    versions = len(rows(any_world, of=tables.VersionRow))
    for _ in range(3):
        any_world.registered(*FATHER, ELSEWHERE)
    assert len(rows(any_world, of=tables.VersionRow)) == versions
    assert any_world.held_at(ELSEWHERE) == []
    assert the_words(any_world)["father"] == "not reached"
    assert open_lookups(any_world) == [("father", "the-practice-says-not-its-patient")]


def test_another_practice_gets_the_flag_once_the_register_says_so(any_world: World) -> None:
    given_a_plan(any_world)
    when_rejected(any_world, ELSEWHERE)
    any_world.registered(*FATHER, NEW)
    (flag,) = any_world.held_at(NEW)
    assert flag["subject"]["identifier"]["value"] == FATHER[0]
    assert the_words(any_world)["father"] == "placed"
    assert open_lookups(any_world) == []


def test_the_same_practice_is_trusted_again_once_the_register_said_something_else(
    world: World,
) -> None:
    given_a_plan(world)
    when_rejected(world, ELSEWHERE)
    world.registered(*FATHER, None)
    assert open_lookups(world) == [("father", "the-practice-says-not-its-patient")]
    world.registered(*FATHER, ELSEWHERE)
    assert len(world.held_at(ELSEWHERE)) == 1


def test_a_new_plan_for_somebody_who_was_rejected_waits_for_the_register(world: World) -> None:
    given_a_plan(world)
    when_rejected(world, ELSEWHERE)
    world.posts(COUNCIL, {**a_plan(child(), father()), "reference": "CPP-2"})
    assert dict(world.receipt(COUNCIL, "CPP-2")) == {"child": "placed", "father": "not reached"}
    assert world.held_at(ELSEWHERE) == []


def test_relatives_are_not_touched(world: World) -> None:
    given_a_plan(world)
    before = world.held_at(HOME)
    when_rejected(world, ELSEWHERE)
    assert world.held_at(HOME) == before
    assert the_words(world)["child"] == "placed"


def test_what_stayed_where_nobody_knew_the_practice_is_taken_back(world: World) -> None:
    """While no practice is known the copy stays where it is; it does not once that one rejects."""
    given_a_plan(world)
    world.registered(*FATHER, None)
    assert len(world.held_at(ELSEWHERE)) == 1
    assert when_rejected(world, ELSEWHERE) == 1
    assert world.held_at(ELSEWHERE) == []


def test_a_practice_that_has_rejected_somebody_decides_nothing_about_them(world: World) -> None:
    given_a_plan(world)
    world.posts(POLICE, a_notification())
    assert [hold.owner_ods for hold in rows(world, of=tables.HoldRow) if hold.open] == [ELSEWHERE]
    when_rejected(world, ELSEWHERE)
    assert not [hold for hold in rows(world, of=tables.HoldRow) if hold.open]


@pytest.mark.parametrize("practice", [HOME, NEW])
def test_nobody_rejects_what_stands_elsewhere(world: World, practice: str) -> None:
    given_a_plan(world)
    (flag,) = world.held_at(ELSEWHERE)
    answer = Acknowledgement((flag["meta"]["versionId"],), AcknowledgementOutcome.REJECTED)
    taken = world.log.perform(
        Actor("gp", practice), lambda w: take_acknowledgement(w, answer, rulebook=world.rulebook)
    )
    assert taken == 0
    assert world.held_at(ELSEWHERE) == [flag]


def test_two_of_one_practice_are_rejected_at_once(world: World) -> None:
    given_a_plan(world)
    world.registered(*CHILD, ELSEWHERE)
    assert when_rejected(world, ELSEWHERE) == 2
    assert set(the_words(world).values()) == {"not reached"}
