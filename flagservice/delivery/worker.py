"""Delivers what is due: claim, send, conclude. Several may run, on several machines.

1. Claim a few due deliveries, in one commit that records the attempts before anything is sent.
2. For each, ask where the person is registered now: people move.
3. Send; wait for the outcome without holding a transaction.
4. Conclude: delivered by verified receipt, or back into the outbox, in a commit of its own.
"""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from flagservice.audit.log import Actor, Log, Work
from flagservice.delivery import outbox
from flagservice.delivery.channels.fhir_rest import ILL, THIS_ONE, Outcome, Parcel, Reply
from flagservice.directory.endpoints import reach
from flagservice.directory.registrations import known
from flagservice.store import tables
from flagservice.store.ciphers import VaultError

WORKER = Actor("delivery worker")


class Channel(Protocol):
    """A way to a practice's system."""

    def send(self, parcel: Parcel) -> Reply:
        """Tries once; any doubt is an outcome."""


@dataclass(frozen=True)
class Worker:
    """One worker. `jitter` gives numbers between 0 and 1; `hands` is how many it sends at once.

    A send takes less than half of `lease`, and starts in the first half: two never send the same.
    """

    log: Log
    channel: Channel
    jitter: Callable[[], float] = random.SystemRandom().random
    hands: int = 4
    lease: timedelta = outbox.LEASE

    def run_once(self) -> int:
        """Attempts every delivery that is due now, up to a batch; answers how many there were."""
        if not self.log.is_waiting(WORKER, outbox.anything_due):
            return 0
        ready = self.log.perform(WORKER, lambda work: _take(work, self.lease))
        with ThreadPoolExecutor(self.hands) as hands:
            list(hands.map(self._attempt, ready))
        return len(ready)

    def _attempt(self, ready: "Ready") -> None:
        # (3) send
        if isinstance(ready.parcel, Outcome):
            reply = Reply(ready.parcel)
        elif self.log.clock() > ready.claim.until - self.lease / 2:
            reply = Reply(Outcome.LATE)
        else:
            reply = self.channel.send(ready.parcel)
        # (4) conclude
        self.log.perform(WORKER, lambda work: self._conclude(work, ready.claim, reply))

    def _conclude(self, work: Work, claim: outbox.Claim, reply: Reply) -> None:
        delivery = outbox.held(work, claim)
        if delivery is None:
            # The lease ran out, or a newer version took its place: somebody else sees to it.
            outbox.let_go(work, claim)
        elif reply.outcome is Outcome.DELIVERED:
            outbox.deliver(work, delivery)
        else:
            outbox.put_back(
                work,
                delivery,
                outbox.Retry(
                    reply.outcome,
                    self.jitter(),
                    after=reply.after,
                    poisoned=reply.outcome in THIS_ONE,
                    endpoint_ill=reply.outcome in ILL,
                ),
            )


@dataclass(frozen=True)
class Ready:
    """A claim, and what to send; or why nothing is sent."""

    claim: outbox.Claim
    parcel: Parcel | Outcome


def _take(work: Work, lease: timedelta) -> list[Ready]:
    # (1) claim
    return [Ready(claim, _openable(work, claim)) for claim in outbox.claim(work, lease=lease)]


def _openable(work: Work, claim: outbox.Claim) -> Parcel | Outcome:
    """What cannot be opened holds up nobody else's."""
    try:
        return _parcel(work, claim)
    except VaultError:
        return Outcome.SEALED


def _parcel(work: Work, claim: outbox.Claim) -> Parcel | Outcome:
    delivery = work.session.get_one(tables.Delivery, claim.delivery_id)
    version = work.session.get_one(tables.Version, delivery.version_id)
    copy = work.session.get_one(tables.Copy, delivery.copy_id)
    person = work.session.get_one(tables.Person, delivery.person_id)
    where = reach(work, delivery.practice)
    # (2) where now? A removal goes wherever its copy went; all else only where the record is.
    if where is None or (copy.says and _registered_at(work, person) != delivery.practice):
        return Outcome.MOVED
    stored = work.vault.open(
        person.data_key, version.sealed, table="version", row=version.id, version=version.number
    )
    return Parcel(where, stored)


def _registered_at(work: Work, person: tables.Person) -> str | None:
    number = work.vault.open(
        person.data_key, person.sealed, table="person", row=person.id, version=1
    )
    registration = known(work, number.decode())
    return registration.practice if registration else None
