"""A receipt depends on its submitter's own posts and their delivery, and on nobody else's."""

import pytest
from sqlmodel import col, select

from flagservice.audit.log import Actor, Deed, Work
from flagservice.delivery.push import outbox
from flagservice.store import tables
from tests.intake.people import (
    CHILD,
    ELSEWHERE,
    FATHER,
    HOME,
    VICTIM,
    a_notification,
    a_plan,
    child,
    codes,
    father,
    given_the_family,
    mother,
    rows,
)
from tests.world import COUNCIL, HEALTH, POLICE, World, a_submission


def given_everything_owed_is_delivered(world: World) -> None:
    def deed(work: Work) -> None:
        asked = select(tables.DeliveryRow).where(col(tables.DeliveryRow.state) == "open")
        for delivery in work.session.exec(asked).all():
            outbox.deliver(work, delivery)
        work.record(Deed.STATUS_READ)

    world.log.perform(Actor("test"), deed)


def test_what_is_placed_reads_delivered_once_it_is(world: World) -> None:
    given_the_family(world)
    world.posts(COUNCIL, a_plan())
    assert {status for _, status in world.receipt(COUNCIL, "CPP-1")} == {"placed"}
    given_everything_owed_is_delivered(world)
    assert {status for _, status in world.receipt(COUNCIL, "CPP-1")} == {"delivered"}


def test_news_of_its_own_waits_for_a_delivery_again(world: World) -> None:
    given_the_family(world)
    world.posts(COUNCIL, a_plan())
    given_everything_owed_is_delivered(world)
    world.posts(COUNCIL, a_plan(version=2, categories=["neglect"]))
    assert world.receipt(COUNCIL, "CPP-1") == [
        ("child", "placed"),
        ("mother", "placed"),
        ("father", "delivered"),
    ]


def test_another_agencys_notification_changes_no_word_of_it(any_world: World) -> None:
    given_the_family(any_world)
    any_world.posts(COUNCIL, a_plan())
    given_everything_owed_is_delivered(any_world)
    before = any_world.receipt(COUNCIL, "CPP-1")
    any_world.on("2022-01-10")
    any_world.posts(POLICE, a_notification())
    assert any_world.receipt(COUNCIL, "CPP-1") == before
    assert len(rows(any_world, col(tables.DeliveryRow.state) == "open", of=tables.DeliveryRow)) == 1


def test_its_own_news_is_delivered_even_where_another_agency_lets_it_say_no_more(
    world: World,
) -> None:
    """Else the receipt would stay at `placed`, and that would tell of the notification."""
    given_the_family(world)
    world.posts(POLICE, a_notification())
    world.posts(COUNCIL, a_plan(child(), father(knows="unknown")))
    given_everything_owed_is_delivered(world)
    (before,) = world.held_at(ELSEWHERE, FATHER[0])
    world.posts(COUNCIL, a_plan(child(), father(knows="knows"), version=2))
    assert world.receipt(COUNCIL, "CPP-1")[1] == ("father", "placed")
    (after,) = world.held_at(ELSEWHERE, FATHER[0])
    assert after["meta"]["versionId"] != before["meta"]["versionId"]
    assert _said(after) == _said(before)
    given_everything_owed_is_delivered(world)
    assert world.receipt(COUNCIL, "CPP-1")[1] == ("father", "delivered")


def _said(flag: dict[str, object]) -> dict[str, object]:
    return {name: flag[name] for name in flag if name not in ("meta", "identifier")}


def test_its_own_notification_counts_as_its_own_words(world: World) -> None:
    given_the_family(world)
    world.posts(COUNCIL, a_plan())
    given_everything_owed_is_delivered(world)
    own = a_submission("perpetrator", "C-DA", father(standing="alleged-perpetrator"))
    world.posts(COUNCIL, own)
    assert world.receipt(COUNCIL, "CPP-1")[2] == ("father", "placed")


def test_where_the_holder_must_not_know_it_says_handled_and_not_what_was_done(world: World) -> None:
    given_the_family(world)
    secret = father(knows="must-not-know")
    world.posts(COUNCIL, a_plan(child(), secret))
    assert world.receipt(COUNCIL, "CPP-1")[1] == ("father", "accepted")
    given_everything_owed_is_delivered(world)
    assert world.receipt(COUNCIL, "CPP-1")[1] == ("father", "handled")


def test_two_agencies_receipts_of_one_child_know_nothing_of_each_other(world: World) -> None:
    given_the_family(world)
    health = a_submission("child-in-need", "H-1", child(identity="unconfirmed"), mother())
    world.posts(COUNCIL, a_plan(child(), mother()))
    world.posts(HEALTH, health)
    assert world.receipt(HEALTH, "H-1") == [("child", "held"), ("mother", "placed")]
    assert world.receipt(COUNCIL, "CPP-1") == [("child", "placed"), ("mother", "placed")]
    assert world.worklist(COUNCIL) == []
    assert [item.nhs_number for item in world.worklist(HEALTH)] == [CHILD[0]]


def test_a_notification_says_received_whatever_came_of_it(world: World) -> None:
    given_the_family(world)
    body = a_notification(father(standing="alleged-perpetrator"), mother(standing="victim"))
    world.posts(POLICE, body)
    given_everything_owed_is_delivered(world)
    assert world.held_at(HOME)
    assert {status for _, status in world.receipt(POLICE, "DA-1")} == {"received"}


def test_the_word_of_a_victims_notification_stays_when_another_agency_accuses_her(
    any_world: World,
) -> None:
    """Only her marker is left then: only the submitter's own words give its word."""
    given_the_family(any_world)
    alleged = father(standing="alleged-perpetrator")
    victim = mother(standing="victim")
    any_world.posts(POLICE, a_submission("domestic-abuse-victim", "DA-9", victim, alleged))
    words, lines = _words(any_world), any_world.receipt(POLICE, "DA-9")
    assert sorted(words.values()) == ["accepted", "placed"]
    accused = mother(standing="alleged-perpetrator")
    any_world.posts(HEALTH, a_submission("perpetrator", "H-1", accused))
    assert codes(any_world, HOME) == [VICTIM]
    assert _words(any_world).items() >= words.items()
    assert any_world.receipt(POLICE, "DA-9") == lines


def _words(world: World) -> dict[str, str]:
    """As they are kept, by naming."""
    return {naming.id: naming.word for naming in rows(world, of=tables.NamingRow)}


@pytest.mark.parametrize("kind", ["domestic-abuse-victim", "marac"])
def test_a_notification_of_a_victim_says_received_whatever_another_agency_says_of_her(
    world: World, kind: str
) -> None:
    given_the_family(world)
    world.posts(POLICE, a_submission(kind, "DV-1", mother(standing="victim")))
    given_everything_owed_is_delivered(world)
    accused = a_submission("perpetrator", "DA-7", mother(standing="alleged-perpetrator"))
    assert world.receipt(POLICE, "DV-1") == [("mother", "received")]
    world.posts(POLICE, accused)
    assert world.receipt(POLICE, "DV-1") == [("mother", "received")]
