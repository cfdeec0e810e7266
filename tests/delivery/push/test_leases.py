"""A claim is a lease: it runs out, it is proved at the end, and no two workers hold it at once."""

import json
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlmodel import select

from flagservice.audit.log import Deed, Log, Work
from flagservice.delivery.push import outbox
from flagservice.delivery.push.channel import OutgoingVersion, Reply, SendOutcome
from flagservice.delivery.push.worker import WORKER, Worker
from flagservice.store import tables
from flagservice.store.database import Database
from tests.checked import given_a_checked_system
from tests.delivery.practices import nhs_numbers
from tests.delivery.steps import (
    OWN,
    Practice,
    a_worker,
    given_a_plan,
    given_a_registered_family,
    leaves_that_say,
    the_deliveries,
    the_only_delivery,
    the_outcomes,
)
from tests.patience import enough
from tests.world import World

LEASE = outbox.LEASE
MOMENT = timedelta(microseconds=1)
MANY = 40
WORKERS = 4


def when_claimed(world: World, **more: Any) -> list[outbox.Claim]:
    return world.log.perform(WORKER, lambda work: outbox.claim(work, **more))


@pytest.mark.parametrize("lease", [timedelta(seconds=2), LEASE])
def test_a_lease_runs_out_and_another_worker_takes_the_delivery(
    any_world: World, lease: timedelta
) -> None:
    given_a_registered_family(any_world)
    given_a_plan(any_world)
    (first,) = when_claimed(any_world, lease=lease)
    any_world.now += lease - MOMENT
    assert when_claimed(any_world) == []
    any_world.now += MOMENT
    (second,) = when_claimed(any_world)
    assert second.delivery_id == first.delivery_id
    assert second.lease != first.lease


@pytest.mark.parametrize("outcome", [SendOutcome.DELIVERED, SendOutcome.UNKNOWN])
def test_a_late_worker_whose_lease_ran_out_can_neither_close_nor_put_back(
    any_world: World, outcome: SendOutcome
) -> None:
    given_a_registered_family(any_world)
    given_a_plan(any_world)
    others: list[outbox.Claim] = []

    def takes_too_long(_: OutgoingVersion) -> SendOutcome:
        any_world.now += LEASE
        others.extend(when_claimed(any_world))
        return outcome

    a_worker(any_world, Practice(takes_too_long)).run_once()
    delivery = the_only_delivery(any_world)
    assert (delivery.state, delivery.lease) == ("open", others[0].lease)
    assert the_outcomes(any_world) == []
    assert leaves_that_say(any_world, Deed.DELIVERED) == []
    assert {"delivery": delivery.id, "outcome": "let go"} in leaves_that_say(
        any_world, Deed.NOT_DELIVERED
    )


def test_what_was_superseded_meanwhile_is_let_go(world: World) -> None:
    given_a_registered_family(world)
    given_a_plan(world)

    def a_newer_version_comes(_: OutgoingVersion) -> SendOutcome:
        given_a_plan(world, version=2, categories=["neglect"])
        return SendOutcome.DELIVERED

    a_worker(world, Practice(a_newer_version_comes)).run_once()
    assert [one.state for one in the_deliveries(world)] == ["superseded", "open"]
    assert leaves_that_say(world, Deed.DELIVERED) == []


def test_the_leaf_of_an_attempt_is_durable_before_anything_is_sent(any_world: World) -> None:
    given_a_registered_family(any_world)
    given_a_plan(any_world)
    seen: list[dict[str, Any]] = []

    def looks_from_outside(_: OutgoingVersion) -> SendOutcome:
        outside = Database(any_world.url)
        with outside.transaction() as session:
            bodies = [json.loads(leaf.body) for leaf in session.exec(select(tables.LeafRow))]
        outside.close()
        seen.extend(body["about"] for body in bodies if body["deed"] == Deed.ATTEMPTED)
        return SendOutcome.DELIVERED

    a_worker(any_world, Practice(looks_from_outside)).run_once()
    delivery = the_only_delivery(any_world)
    assert seen == [{"delivery": delivery.id, "practice": OWN, "attempt": 1}]


class Watched:
    """Counts who is on the way at once, and how often each was sent."""

    def __init__(self) -> None:
        self._mine = threading.Lock()
        self._on_the_way: Counter[str] = Counter()
        self.most_at_once = 0
        self.sent: Counter[str] = Counter()

    def send(self, version: OutgoingVersion) -> Reply:
        copy = json.loads(version.stored)["id"]
        with self._mine:
            self.sent[copy] += 1
            self._on_the_way[copy] += 1
            self.most_at_once = max(self.most_at_once, self._on_the_way[copy])
        threading.Event().wait(0.002)
        with self._mine:
            self._on_the_way[copy] -= 1
        return Reply(SendOutcome.DELIVERED)


def given_many_plans(world: World) -> None:
    world.admitted(OWN)
    for n, number in zip(range(MANY), nhs_numbers(), strict=False):
        world.registered(number, "2020-01-01", OWN)
        given_a_plan(world, f"CPP-{n}", number)


def until_nothing_is_due(worker: Worker) -> None:
    while worker.log.is_waiting(WORKER, outbox.anything_due):
        worker.run_once()


def test_several_workers_never_send_the_same_delivery(any_world: World) -> None:
    given_many_plans(any_world)
    watched = Watched()
    databases = [Database(any_world.url) for _ in range(WORKERS)]
    logs = [Log(one, any_world.log.vault, clock=lambda: datetime.now(UTC)) for one in databases]
    given_a_checked_system(logs[0])  # by their clock, too
    with ThreadPoolExecutor(WORKERS) as hands:
        for done in [hands.submit(until_nothing_is_due, Worker(log, watched)) for log in logs]:
            done.result()
    for one in databases:
        one.close()

    assert watched.most_at_once == 1
    assert set(watched.sent.values()) == {1}
    assert len(watched.sent) == MANY
    assert {one.state for one in the_deliveries(any_world)} == {"delivered"}


def test_workers_that_claim_at_once_share_the_deliveries_out(any_world: World) -> None:
    given_many_plans(any_world)
    together = threading.Barrier(WORKERS)

    def claims(limit: int) -> list[outbox.Claim]:
        together.wait(timeout=enough())
        return any_world.log.perform(WORKER, partial(outbox.claim, limit=limit))

    with ThreadPoolExecutor(WORKERS) as hands:
        shares = list(hands.map(claims, [MANY // WORKERS] * WORKERS))
    claimed = Counter(claim.delivery_id for share in shares for claim in share)
    assert set(claimed.values()) == {1}
    assert len({claim.lease for share in shares for claim in share}) == len(claimed)


def test_a_claim_that_finds_nothing_leaves_a_leaf_that_says_so(world: World) -> None:
    assert when_claimed(world) == []
    assert leaves_that_say(world, Deed.NOT_DELIVERED) == [{"outcome": "somebody else was first"}]


def test_asking_whether_anything_is_due_claims_nothing(world: World) -> None:
    given_a_registered_family(world)
    given_a_plan(world)

    def twice(work: Work) -> bool:
        return outbox.anything_due(work) and outbox.anything_due(work)

    assert world.log.is_waiting(WORKER, twice)
    assert the_only_delivery(world).lease is None
