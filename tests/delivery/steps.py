"""The steps that delivery's tests are told in."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlmodel import col, select

from flagservice.audit.log import Actor, Deed, Work
from flagservice.delivery.push import outbox
from flagservice.delivery.push.channel import Channel, OutgoingVersion, Reply, SendOutcome
from flagservice.delivery.push.unsent import NotSent, give_back
from flagservice.delivery.push.worker import WORKER, Worker
from flagservice.store import tables
from tests.checked import a_registration, given_an_admitted_practice
from tests.patience import enough
from tests.world import COUNCIL, World, a_submission, person

GP = "https://gp.example/fhir"
OWN, OTHER = "B83901", "B83902"
CHILD, MOTHER, FATHER = "9990001111", "9990002258", "9990002517"
BORN = "2020-01-01"
Answering = Callable[[OutgoingVersion], SendOutcome]


@dataclass
class Practice:
    """A way to a practice that answers as it is told, and remembers what it was sent."""

    answer: Answering = lambda _: SendOutcome.DELIVERED
    sent: list[dict[str, Any]] = field(default_factory=list)
    _mine: threading.Lock = field(default_factory=threading.Lock)

    def send(self, version: OutgoingVersion) -> Reply:
        with self._mine:
            self.sent.append(json.loads(version.stored))
        return Reply(self.answer(version))


def given_a_registered_family(world: World) -> None:
    for number, practice in ((CHILD, OWN), (MOTHER, OWN), (FATHER, OTHER)):
        world.registered(number, BORN, practice)
    world.admitted(OWN, OTHER)


_KINDS = {"CPP": "child-protection", "CIN": "child-in-need", "S47": "section-47"}


def given_a_plan(
    world: World, reference: str = "CPP-1", number: str = CHILD, **more: Any
) -> dict[str, Any]:
    """For one child, so that it owes one flag; answers the body that was posted.

    Two plans of one kind are one flag: `CIN-1` and `S47-1` are of others.
    """
    kind = _KINDS[reference.partition("-")[0]]
    body = a_submission(kind, reference, person("child", number, BORN), **more)
    world.posts(COUNCIL, body)
    return body


def a_worker(world: World, channel: Channel, **more: Any) -> Worker:
    """With the longest jitter, so that waits are exact."""
    return Worker(world.log, channel, jitter=lambda: 1.0, **more)


def when_claimed(world: World) -> outbox.Claim:
    (claim,) = world.log.perform(WORKER, outbox.claim)
    return claim


def when_given_back(world: World, claim: outbox.Claim, why: NotSent = NotSent.LATE) -> None:
    world.log.perform(WORKER, lambda work: give_back(work, claim, why))


def look(world: World, question: Callable[[Work], Any]) -> Any:
    """One question to the database, with its leaf."""

    def deed(work: Work) -> Any:
        work.record(Deed.STATUS_READ)
        return question(work)

    return world.log.perform(Actor("test"), deed)


def the_deliveries(world: World) -> list[tables.DeliveryRow]:
    """Every one, in the order of their numbers."""
    asked = select(tables.DeliveryRow).order_by(
        col(tables.DeliveryRow.practice), col(tables.DeliveryRow.number)
    )
    found: list[tables.DeliveryRow] = look(world, lambda work: list(work.session.exec(asked)))
    return found


def the_only_delivery(world: World) -> tables.DeliveryRow:
    (one,) = the_deliveries(world)
    return one


def the_outcomes(world: World) -> list[str]:
    """Of every attempt, oldest first."""
    asked = select(col(tables.AttemptRow.outcome)).order_by(
        col(tables.AttemptRow.at), col(tables.AttemptRow.number)
    )
    found: list[str] = look(world, lambda work: list(work.session.exec(asked)))
    return found


def the_endpoint(world: World, practice: str = OWN) -> tables.EndpointRow:
    found: tables.EndpointRow = look(
        world, lambda work: work.session.get_one(tables.EndpointRow, practice)
    )
    return found


def leaves_that_say(world: World, deed: Deed) -> list[dict[str, Any]]:
    """What each leaf of one deed is about."""

    def question(work: Work) -> list[dict[str, Any]]:
        bodies = [json.loads(leaf.body) for leaf in work.session.exec(select(tables.LeafRow))]
        return [body["about"] for body in bodies if body["deed"] == deed]

    found: list[dict[str, Any]] = look(world, question)
    return found


@contextmanager
def in_a_thread(step: Callable[[], Any]) -> Iterator[None]:
    """Something that happens meanwhile; what goes wrong in it goes wrong here."""
    wrong: list[BaseException] = []

    def run() -> None:
        try:
            step()
        except BaseException as raised:  # noqa: BLE001, raised again below
            wrong.append(raised)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        thread.join(timeout=enough())
    assert not thread.is_alive(), "it did not end"
    if wrong:
        raise wrong[0]


def given_it_listens_at(world: World, practice: str, url: str, *, token: str) -> None:
    """A practice's system on the loopback address, admitted."""
    world.checked()
    given_an_admitted_practice(world.log, a_registration(practice, url=url, token=token))
