"""What stands behind a flag: whose receipts its delivery is, who is asked about it, and why."""

from typing import Any

from sqlmodel import col

from flagservice.audit.log import Actor
from flagservice.delivery import acknowledgements
from flagservice.delivery.acknowledgements import Acknowledgement
from flagservice.domain.acknowledgements import AcknowledgementOutcome, QueryReason
from flagservice.domain.elements import Element
from flagservice.intake.queries import Query, queries
from flagservice.store import tables
from tests.intake.people import (
    CHILD,
    ELSEWHERE,
    FATHER,
    HOME,
    Who,
    a_notification,
    a_plan,
    child,
    father,
    given_the_family,
    rows,
)
from tests.intake.ruling.test_why import why_of
from tests.intake.test_receipts import given_everything_owed_is_delivered
from tests.world import COUNCIL, HEALTH, POLICE, World, a_submission, person

YOUNGER: Who = ("9990100004", "2021-12-20")


def another_plan(*people: dict[str, Any], **more: Any) -> dict[str, Any]:
    everybody = people or (person("child", *YOUNGER), father())
    return a_submission("child-protection", "CPP-2", *everybody, **more)


def word(world: World, ods: str, reference: str) -> str:
    return dict(world.receipt(ods, reference))["father"]


def its_version(world: World) -> str:
    (flag,) = world.held_at(ELSEWHERE, FATHER[0])
    return str(flag["meta"]["versionId"])


def test_a_siblings_plan_that_changes_nothing_is_delivered_with_what_stands_already(
    world: World,
) -> None:
    given_the_family(world)
    world.posts(COUNCIL, a_plan())
    given_everything_owed_is_delivered(world)
    before = its_version(world)
    world.posts(COUNCIL, another_plan())
    assert (word(world, COUNCIL, "CPP-2"), its_version(world)) == ("delivered", before)


def test_a_siblings_plan_waits_for_what_is_owed_of_the_flag_it_joins(world: World) -> None:
    given_the_family(world)
    world.posts(COUNCIL, a_plan())
    world.posts(COUNCIL, another_plan())
    assert word(world, COUNCIL, "CPP-2") == "placed"
    given_everything_owed_is_delivered(world)
    assert word(world, COUNCIL, "CPP-2") == word(world, COUNCIL, "CPP-1") == "delivered"


def test_no_receipt_tells_that_another_agency_had_told_the_record_before(any_world: World) -> None:
    """Her plan changes nothing of his flag: it waits for a delivery of its own all the same."""
    given_the_family(any_world)
    any_world.posts(POLICE, a_notification())
    any_world.posts(COUNCIL, a_plan(child(), father()))
    given_everything_owed_is_delivered(any_world)
    before, words = its_version(any_world), any_world.receipt(COUNCIL, "CPP-1")
    any_world.posts(HEALTH, another_plan())
    assert word(any_world, HEALTH, "CPP-2") == "placed"
    assert any_world.receipt(COUNCIL, "CPP-1") == words
    assert its_version(any_world) != before
    given_everything_owed_is_delivered(any_world)
    assert word(any_world, HEALTH, "CPP-2") == "delivered"


def test_flags_that_become_one_leave_every_receipt_as_it_was(world: World) -> None:
    given_the_family(world)
    world.posts(COUNCIL, a_plan(child(), father()))
    world.posts(HEALTH, another_plan())
    given_everything_owed_is_delivered(world)
    world.posts(POLICE, a_notification())
    assert word(world, COUNCIL, "CPP-1") == word(world, HEALTH, "CPP-2") == "delivered"


def test_a_history_that_is_delivered_late_delivers_nothing_of_the_plan_that_goes_on(
    world: World,
) -> None:
    given_the_family(world)
    world.on("2022-10-03")
    world.posts(COUNCIL, a_plan(child(), start="2022-01-10", end="2022-03-01"))
    world.posts(COUNCIL, a_plan(child(), start="2022-06-01", version=2))
    history = next(one for one in world.held_at(HOME, CHILD[0]) if one["status"] == "inactive")
    (former,) = rows(world, col(tables.GroundRow.copy_id) == history["id"], of=tables.GroundRow)
    assert former.former
    asked = Acknowledgement((history["meta"]["versionId"],), AcknowledgementOutcome.FILED)
    practice = Actor("practice", HOME)
    world.log.perform(practice, lambda work: acknowledgements.take_filed(work, asked))
    assert world.receipt(COUNCIL, "CPP-1") == [("child", "placed")]


def ask(world: World) -> int:
    asked = Acknowledgement(
        (its_version(world),), AcknowledgementOutcome.QUERIED, QueryReason.THOUGHT_ENDED
    )
    return world.log.perform(
        Actor("practice", ELSEWHERE), lambda work: acknowledgements.take_query(work, asked)
    )


def asked_of(world: World, ods: str) -> list[Query]:
    return world.log.perform(Actor("client", ods), queries)


def given_one_flag_of_two_agencies(world: World) -> None:
    given_the_family(world)
    world.posts(POLICE, a_notification())
    world.posts(COUNCIL, a_plan(child(), father()))
    world.posts(HEALTH, another_plan())


def test_a_question_about_a_flag_goes_to_each_agency_that_stands_behind_it(world: World) -> None:
    given_one_flag_of_two_agencies(world)
    assert (ask(world), ask(world)) == (1, 0)
    ((ours,), (theirs,)) = asked_of(world, COUNCIL), asked_of(world, HEALTH)
    assert (ours.reference, theirs.reference) == ("CPP-1", "CPP-2")
    assert ours.id != theirs.id
    assert ours.line.role == theirs.line.role == "father"


def test_one_agency_answers_for_itself_by_saying_more(world: World) -> None:
    given_one_flag_of_two_agencies(world)
    ask(world)
    world.posts(HEALTH, another_plan(version=2, categories=["neglect"]))
    assert asked_of(world, HEALTH) == []
    assert len(asked_of(world, COUNCIL)) == 1


def test_who_stands_behind_a_flag_no_more_is_asked_no_more(world: World) -> None:
    given_one_flag_of_two_agencies(world)
    ask(world)
    world.posts(COUNCIL, a_plan(child(), father(), version=2, end="2022-01-04"))
    assert asked_of(world, COUNCIL) == []
    assert len(asked_of(world, HEALTH)) == 1


def test_why_says_of_each_element_what_every_ground_lets_be_told(world: World) -> None:
    given_the_family(world)
    world.posts(COUNCIL, a_plan(child(), father()))
    world.now = world.now.replace(minute=31)
    world.posts(COUNCIL, another_plan(person("child", *YOUNGER), father(knows="unknown")))
    (flag,) = world.held_at(ELSEWHERE, FATHER[0])
    found = why_of(world, flag["id"])
    assert found.placement == "CP-P09 CP-P11"
    actions = {one.element: one.action for one in found.elements}
    assert (actions[Element.CONCERN], actions[Element.PLACED]) == ("disclose", "redact")


def test_why_leaves_out_what_is_held_while_something_else_is_told(world: World) -> None:
    given_the_family(world)
    world.posts(COUNCIL, a_plan(child(), father()))
    world.posts(COUNCIL, another_plan())
    world.now = world.now.replace(minute=31)
    doubted = father(identity="unconfirmed")
    world.posts(COUNCIL, another_plan(person("child", *YOUNGER), doubted, version=2))
    (flag,) = world.held_at(ELSEWHERE, FATHER[0])
    assert why_of(world, flag["id"]).placement == "CP-P09"
