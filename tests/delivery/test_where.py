"""Sent to where the record is now, through real GP systems; nothing to a system not admitted."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from flagservice.audit.log import Actor, Deed, Work
from flagservice.delivery.acknowledgements import Acknowledgement, take_filed
from flagservice.delivery.pull import feed
from flagservice.delivery.push.channel import SendOutcome
from flagservice.delivery.push.fhir_rest import FhirRest
from flagservice.delivery.watch import manual_list
from flagservice.domain.acknowledgements import AcknowledgementOutcome
from flagservice.domain.copies import Form
from flagservice.domain.errors import Forbidden
from flagservice.people.registrations import Registration, keep_registration
from flagservice.store import tables
from tests.checked import a_registration, given_an_admitted_practice
from tests.delivery.practices import PUSH, GpSystem, a_gp_system
from tests.delivery.steps import (
    BORN,
    CHILD,
    FATHER,
    MOTHER,
    OTHER,
    OWN,
    Practice,
    a_worker,
    given_a_plan,
    given_a_registered_family,
    given_it_listens_at,
    leaves_that_say,
    look,
    the_deliveries,
    the_endpoint,
    the_only_delivery,
    the_outcomes,
)
from tests.world import COUNCIL, World, a_submission, person

PERSON_FREE = {"what", "reason", "opened", "urgency", "owner", "id"}


@pytest.fixture
def gp(tmp_path: Path) -> Iterator[GpSystem]:
    """The own practice's system, as a process of its own."""
    with a_gp_system(tmp_path / OWN, OWN, patients=[CHILD, MOTHER]) as system:
        yield system


@pytest.fixture
def channel() -> Iterator[FhirRest]:
    one = FhirRest(within=timedelta(seconds=10))
    yield one
    one.close()


def given_it_is_admitted(world: World, gp: GpSystem) -> None:
    given_a_registered_family(world)
    given_it_listens_at(world, OWN, gp.url, token=PUSH)


def the_stored_bytes(world: World) -> list[bytes]:
    """Of every version at the own practice, as it polls them."""
    found: list[bytes] = world.log.perform(
        Actor("client", OWN),
        lambda work: [one.content for one in feed.feed(work, form=Form.FLAG, limit=100).found],
    )
    return found


def then_it_reads_nothing(world: World) -> None:
    with pytest.raises(Forbidden):
        the_stored_bytes(world)


def test_what_a_practice_gets_is_the_stored_bytes_less_the_id(
    any_world: World, gp: GpSystem, channel: FhirRest
) -> None:
    given_it_is_admitted(any_world, gp)
    given_a_plan(any_world)
    a_worker(any_world, channel).run_once()

    (line,) = gp.journal()
    stored = json.loads(the_stored_bytes(any_world)[0])
    pushed = json.loads(line["body"])
    assert "id" not in pushed
    assert pushed == {name: value for name, value in stored.items() if name != "id"}
    assert the_only_delivery(any_world).state == "delivered"


def test_every_version_arrives_in_order_and_there_is_one_resource(
    world: World, gp: GpSystem, channel: FhirRest
) -> None:
    given_it_is_admitted(world, gp)
    worker = a_worker(world, channel)
    for version, category in enumerate(("physical", "neglect", "emotional"), start=1):
        given_a_plan(world, version=version, categories=[category])
        worker.run_once()
    assert len(gp.held()) == 1
    echoed = [one["identifier"][1]["value"] for one in gp.history()]
    assert echoed == [one.version_id for one in the_deliveries(world)]
    assert {one.state for one in the_deliveries(world)} == {"delivered"}


def test_sent_twice_is_applied_once(world: World, gp: GpSystem, channel: FhirRest) -> None:
    given_it_is_admitted(world, gp)
    given_a_plan(world)

    def forgets(version: Any) -> SendOutcome:
        assert channel.send(version).outcome is SendOutcome.DELIVERED
        return SendOutcome.UNKNOWN

    a_worker(world, Practice(forgets)).run_once()
    world.now += timedelta(minutes=1)
    a_worker(world, channel).run_once()
    assert [line["status"] for line in gp.journal()] == [201, 200]
    assert len(gp.held()) == 1
    assert the_only_delivery(world).state == "delivered"


def test_a_system_that_is_down_gets_its_flags_once_it_is_back(
    world: World, tmp_path: Path, channel: FhirRest
) -> None:
    given_a_registered_family(world)
    with a_gp_system(tmp_path / OWN, OWN, patients=[CHILD]) as gp:
        given_it_listens_at(world, OWN, gp.url, token=PUSH)
    given_a_plan(world)
    a_worker(world, channel).run_once()
    assert the_outcomes(world) == [SendOutcome.UNKNOWN]
    with a_gp_system(tmp_path / OWN, OWN, patients=[CHILD]) as gp:
        given_it_listens_at(world, OWN, gp.url, token=PUSH)
        world.now += timedelta(minutes=1)
        a_worker(world, channel).run_once()
        assert len(gp.held()) == 1


def test_a_person_whom_the_system_does_not_know_stays_owed(
    world: World, gp: GpSystem, channel: FhirRest
) -> None:
    given_it_is_admitted(world, gp)
    world.registered(FATHER, BORN, OWN)
    given_a_plan(world, number=FATHER)
    a_worker(world, channel).run_once()
    assert the_outcomes(world) == [SendOutcome.NOT_THEIRS]
    assert the_only_delivery(world).state == "open"


def test_a_token_that_the_system_does_not_take_keeps_it_owed_and_slows_the_endpoint(
    world: World, gp: GpSystem, channel: FhirRest
) -> None:
    given_a_registered_family(world)
    given_it_listens_at(world, OWN, gp.url, token="not-the-token")
    given_a_plan(world)
    a_worker(world, channel).run_once()
    assert the_outcomes(world) == [SendOutcome.CREDENTIALS]
    assert the_only_delivery(world).state == "open"
    assert the_endpoint(world).failures == 1
    assert gp.held() == []


def test_a_person_who_moved_is_not_sent_to_the_old_practice(any_world: World) -> None:
    given_a_registered_family(any_world)
    given_a_plan(any_world)

    def moves(work: Work) -> None:
        work.record(Deed.REGISTER_LOADED)
        keep_registration(work, CHILD, Registration(any_world.now.date(), OTHER))

    any_world.log.perform(Actor("test"), moves)
    practice = Practice()
    a_worker(any_world, practice).run_once()
    assert practice.sent == []
    assert the_outcomes(any_world) == []
    assert the_only_delivery(any_world).state == "open"


def test_after_a_move_the_old_practice_gets_the_removal_and_the_new_one_a_copy(
    world: World,
) -> None:
    given_a_registered_family(world)
    given_a_plan(world)
    a_worker(world, Practice()).run_once()
    world.registered(CHILD, BORN, OTHER)
    sent_to: dict[str, str] = {}

    def notes(version: Any) -> SendOutcome:
        sent_to[version.endpoint.practice] = json.loads(version.stored)["status"]
        return SendOutcome.DELIVERED

    a_worker(world, Practice(notes)).run_once()
    assert sent_to == {OWN: "inactive", OTHER: "active"}
    assert {one.state for one in the_deliveries(world)} == {"delivered"}


def test_nothing_leaves_for_a_practice_that_was_not_admitted(any_world: World) -> None:
    any_world.registered(CHILD, BORN, OWN)
    given_a_plan(any_world)
    practice = Practice()
    for _ in range(3):
        assert a_worker(any_world, practice).run_once() == 0
        any_world.now += timedelta(hours=1)
    assert practice.sent == []
    assert leaves_that_say(any_world, Deed.ATTEMPTED) == []
    then_it_reads_nothing(any_world)


def test_a_version_that_did_not_pass_is_pushed_nothing_reads_nothing_and_is_rung_up(
    any_world: World,
) -> None:
    given_a_registered_family(any_world)
    given_an_admitted_practice(any_world.log, a_registration(OWN, version="a later one"))
    given_a_plan(any_world)
    practice = Practice()
    assert a_worker(any_world, practice).run_once() == 0
    assert practice.sent == []
    then_it_reads_nothing(any_world)
    (todo,) = any_world.log.perform(Actor("X26"), manual_list.waiting)
    assert (todo.reason, todo.owner) == ("practice system not admitted", "operator on duty")
    given_an_admitted_practice(any_world.log, a_registration(OWN))
    a_worker(any_world, practice).run_once()
    assert the_only_delivery(any_world).state == "delivered"


def test_it_stands_on_the_manual_list_with_an_owner_and_a_clock_and_no_location(
    any_world: World,
) -> None:
    any_world.registered(CHILD, BORN, OWN)
    given_a_plan(any_world)
    opened = any_world.now.date()
    for hours, urgency in ((0, "late"), (1, "late"), (5, "overdue")):
        any_world.now += timedelta(hours=hours)
        (todo,) = any_world.log.perform(Actor("X26"), manual_list.waiting)
        assert (todo.urgency, todo.opened) == (urgency, opened)
        assert set(vars(todo)) == PERSON_FREE
        assert OWN not in str(vars(todo))
        assert CHILD not in str(vars(todo))
    any_world.admitted(OWN)
    a_worker(any_world, Practice()).run_once()
    assert the_only_delivery(any_world).state == "delivered"
    assert the_manual_list(any_world) == set()


def test_a_record_whose_practice_or_person_nobody_knows_is_on_the_manual_list(world: World) -> None:
    world.admitted(OWN)
    nobody = {"role": "father", "not_identified": "not-named"}
    child = person("child", CHILD, BORN)
    world.posts(COUNCIL, a_submission("child-protection", "CPP-1", child, nobody))
    assert the_manual_list(world) == {("child", "no-practice"), ("father", "not-identified")}
    world.registered(CHILD, BORN, OWN)
    assert the_manual_list(world) == {("father", "not-identified")}


def the_manual_list(world: World) -> set[tuple[str, str]]:
    listed = world.log.perform(Actor("X26"), manual_list.waiting)
    return {(todo.what, todo.reason) for todo in listed}


def test_a_practice_that_polls_closes_its_delivery_by_acknowledging_it_and_no_others(
    any_world: World,
) -> None:
    given_a_registered_family(any_world)
    given_a_plan(any_world, "CPP-1", CHILD)
    given_a_plan(any_world, "CPP-2", FATHER)
    versions = [one.version_id for one in the_deliveries(any_world)]
    acknowledge = Actor("client", OWN)
    for closed in (1, 0):
        taken = any_world.log.perform(
            acknowledge,
            lambda work: take_filed(
                work, Acknowledgement((*versions, "nothing"), AcknowledgementOutcome.FILED)
            ),
        )
        assert taken == closed
    assert [one.state for one in the_deliveries(any_world)] == ["delivered", "open"]
    practice = Practice()
    a_worker(any_world, practice).run_once()
    assert [one["subject"]["identifier"]["value"] for one in practice.sent] == [FATHER]


def test_an_endpoint_never_shows_its_token(world: World) -> None:
    given_a_registered_family(world)
    row = look(world, lambda work: work.session.get_one(tables.EndpointRow, OWN))
    assert row.url == "https://gp.example/fhir"
    assert b"A. Lead" not in row.sealed
