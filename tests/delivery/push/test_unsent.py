"""A try in which nothing was sent is none: no wait grows by it, and no practice is judged by it."""

import threading
from datetime import timedelta

import pytest
from sqlmodel import col, select, update

from flagservice.audit.log import Actor, Deed, Work
from flagservice.delivery.push import outbox, schedule
from flagservice.delivery.push.channel import OutgoingVersion, SendOutcome
from flagservice.delivery.push.unsent import OUR_OWN, NotSent
from flagservice.delivery.push.worker import Worker
from flagservice.delivery.watch import manual_list
from flagservice.people.registrations import Registration, keep_registration
from flagservice.store import tables
from flagservice.store.sent_or_read import was_sent_or_read
from tests.delivery.steps import (
    CHILD,
    MOTHER,
    OTHER,
    OWN,
    Practice,
    a_worker,
    given_a_plan,
    given_a_registered_family,
    in_a_thread,
    leaves_that_say,
    look,
    the_deliveries,
    the_endpoint,
    the_only_delivery,
    the_outcomes,
    when_claimed,
    when_given_back,
)
from tests.patience import enough
from tests.world import World

LEASE = outbox.LEASE
MOMENT = timedelta(microseconds=1)
NOTHING_SENT = pytest.mark.parametrize("why", sorted(NotSent))


def given_two_flags(world: World) -> None:
    given_a_registered_family(world)
    for n, number in enumerate((CHILD, MOTHER)):
        given_a_plan(world, f"CPP-{n}", number)


def given_it_cannot_be_opened(world: World) -> None:
    """The first version: a disk has spoilt it, or its key is not here."""

    def spoil(work: Work) -> None:
        work.record(Deed.STATUS_READ)
        first = work.session.exec(
            select(col(tables.DeliveryRow.version_id)).where(tables.DeliveryRow.number == 1)
        ).one()
        spoilt = update(tables.VersionRow).where(col(tables.VersionRow.id) == first)
        work.session.exec(spoilt.values(sealed=b"\x01spoilt by a bad disk"))

    world.log.perform(Actor("test"), spoil)


def given_the_child_moves(world: World) -> None:
    """Its new practice is known; nothing was ruled anew as yet."""

    def moves(work: Work) -> None:
        work.record(Deed.REGISTER_LOADED)
        keep_registration(work, CHILD, Registration(world.now.date(), OTHER))

    world.log.perform(Actor("test"), moves)


class Slow(Practice):
    """Each send ends in the second half of the lease of what was claimed with it."""

    def __init__(self, world: World) -> None:
        super().__init__(self.takes_long)
        self.world = world

    def takes_long(self, _: OutgoingVersion) -> SendOutcome:
        self.world.now += LEASE / 2 + MOMENT
        return SendOutcome.DELIVERED


def an_eager_worker(world: World, channel: Practice) -> Worker:
    """It was fast until now, so it claims more than it has hands for."""
    worker = a_worker(world, channel, hands=1)
    worker.pace.sent(timedelta(0))
    return worker


def test_what_its_turn_comes_to_in_the_second_half_of_its_lease_is_given_back(
    any_world: World,
) -> None:
    given_two_flags(any_world)
    slow = Slow(any_world)
    assert an_eager_worker(any_world, slow).run_once() == 1
    assert len(slow.sent) == 1
    (late,) = [one for one in the_deliveries(any_world) if one.state == "open"]
    assert (late.attempts, late.lease, late.leased_until) == (0, None, None)
    assert late.due == late.owed
    assert the_outcomes(any_world) == ["delivered"]
    assert {"delivery": late.id, "outcome": NotSent.LATE} in leaves_that_say(
        any_world, Deed.NOT_DELIVERED
    )
    after = Practice()
    assert a_worker(any_world, after).run_once() == 1, "it is due at once"
    assert len(after.sent) == 1


def test_what_waits_behind_a_slow_send_is_given_back_before_that_ends(any_world: World) -> None:
    given_two_flags(any_world)
    given_back = threading.Event()

    def until_it_is_given_back(_: OutgoingVersion) -> SendOutcome:
        any_world.now += LEASE / 2 + MOMENT
        assert given_back.wait(timeout=enough())
        return SendOutcome.DELIVERED

    def watch() -> None:
        while not leaves_that_say(any_world, Deed.NOT_DELIVERED):
            given_back.wait(0.05)
        given_back.set()

    slow = Practice(until_it_is_given_back)
    with in_a_thread(watch):
        assert an_eager_worker(any_world, slow).run_once() == 1
    assert len(slow.sent) == 1
    assert sorted(one.attempts for one in the_deliveries(any_world)) == [0, 1]


def test_a_worker_that_is_stopped_ends_its_send_and_gives_back_the_rest(any_world: World) -> None:
    given_two_flags(any_world)

    def stops_it(_: OutgoingVersion) -> SendOutcome:
        worker.over.set()
        return SendOutcome.DELIVERED

    worker = an_eager_worker(any_world, Practice(stops_it))
    assert worker.run_once() == 1
    open_ = [one for one in the_deliveries(any_world) if one.state == "open"]
    assert [(one.attempts, one.lease) for one in open_] == [(0, None)]
    (back,) = leaves_that_say(any_world, Deed.NOT_DELIVERED)
    assert back["outcome"] == NotSent.STOPPED


@NOTHING_SENT
def test_nothing_sent_is_no_attempt_and_lengthens_no_wait(any_world: World, why: NotSent) -> None:
    given_a_registered_family(any_world)
    given_a_plan(any_world)
    for _ in range(2):
        a_worker(any_world, Practice(lambda _: SendOutcome.UNKNOWN)).run_once()
        any_world.now = the_only_delivery(any_world).due
    for _ in range(3):
        when_given_back(any_world, when_claimed(any_world), why)
        any_world.now = max(any_world.now, the_only_delivery(any_world).due)

    assert the_only_delivery(any_world).attempts == 2
    assert the_outcomes(any_world) == [SendOutcome.UNKNOWN] * 2
    assert the_endpoint(any_world).failures == 2, "the practice has given no answer"
    a_worker(any_world, Practice(lambda _: SendOutcome.UNKNOWN)).run_once()
    assert the_only_delivery(any_world).due == any_world.now + schedule.wait(3, jitter=1.0)


@pytest.mark.parametrize("why", sorted(OUR_OWN))
def test_what_we_had_no_time_for_is_due_at_once(world: World, why: NotSent) -> None:
    given_a_registered_family(world)
    given_a_plan(world)
    world.now += timedelta(hours=1)
    when_given_back(world, when_claimed(world), why)
    delivery = the_only_delivery(world)
    assert (delivery.due, delivery.outcome) == (delivery.owed, "")
    when_claimed(world)


@pytest.mark.parametrize("why", sorted(set(NotSent) - OUR_OWN))
def test_what_could_not_have_been_sent_is_looked_at_later_each_time_up_to_the_cap(
    world: World, why: NotSent
) -> None:
    given_a_registered_family(world)
    given_a_plan(world)
    waits = []
    for _ in range(13):
        when_given_back(world, when_claimed(world), why)
        waits.append((the_only_delivery(world).due - world.now).total_seconds())
        world.now = the_only_delivery(world).due
    assert waits == [1, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]


def test_what_cannot_be_opened_here_holds_up_nobody_else(any_world: World) -> None:
    given_a_registered_family(any_world)
    for reference, number in (("CPP-0", CHILD), ("CIN-1", CHILD), ("CPP-2", MOTHER)):
        given_a_plan(any_world, reference, number)
    given_it_cannot_be_opened(any_world)
    practice = Practice()
    for _ in range(2):
        a_worker(any_world, practice).run_once()
    first, *others = the_deliveries(any_world)
    assert {one.state for one in others} == {"delivered"}
    assert len(practice.sent) == 2
    assert (first.state, first.attempts, first.poisoned) == ("open", 0, True)
    assert the_outcomes(any_world) == ["delivered", "delivered"]
    (todo,) = any_world.log.perform(Actor("X26"), manual_list.waiting)
    assert todo.reason == NotSent.SEALED


def test_a_newer_version_that_came_in_between_is_still_owed_and_due(any_world: World) -> None:
    given_a_registered_family(any_world)
    given_a_plan(any_world)
    claim = when_claimed(any_world)
    given_a_plan(any_world, version=2, categories=["neglect"])
    when_given_back(any_world, claim)
    a_worker(any_world, Practice()).run_once()
    assert [one.state for one in the_deliveries(any_world)] == ["superseded", "delivered"]


def test_a_claim_that_ran_out_unsent_takes_nothing_from_who_holds_it_now(any_world: World) -> None:
    given_a_registered_family(any_world)
    given_a_plan(any_world)
    first = when_claimed(any_world)
    any_world.now += LEASE
    second = when_claimed(any_world)
    when_given_back(any_world, first, NotSent.SEALED)
    delivery = the_only_delivery(any_world)
    assert (delivery.lease, delivery.attempts) == (second.lease, 1)
    assert (delivery.leased_until, delivery.due) == (second.until, delivery.owed)
    assert not delivery.poisoned


def test_a_person_who_moved_before_anything_was_sent_was_never_heard_of(any_world: World) -> None:
    given_a_registered_family(any_world)
    given_a_plan(any_world)
    given_the_child_moves(any_world)
    practice = Practice()
    a_worker(any_world, practice).run_once()
    assert practice.sent == []
    assert not look(any_world, lambda work: was_sent_or_read(work.session, the_only_copy(work).id))
    assert the_only_delivery(any_world).outcome == NotSent.MOVED


def the_only_copy(work: Work) -> tables.CopyRow:
    return work.session.exec(select(tables.CopyRow).where(tables.CopyRow.practice == OWN)).one()
