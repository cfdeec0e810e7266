"""Delivers what is due: claim, send, conclude. Several workers may run, on several machines.

1. Claim a few due deliveries, in one commit that records the attempts before anything is sent.
2. For each, ask where the person is registered now: people move.
3. Send; wait for the outcome without holding a transaction.
4. Conclude: delivered by verified receipt, or back into the outbox, in a commit of its own.

What was claimed and not sent is given back.
"""

import random
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import timedelta

from flagservice.admission.endpoints import endpoint_of
from flagservice.audit.log import Actor, Log, Work
from flagservice.delivery.push import outbox
from flagservice.delivery.push.channel import Channel, OutgoingVersion, Reply, SendOutcome
from flagservice.delivery.push.pace import Pace
from flagservice.delivery.push.unsent import NotSent, give_back
from flagservice.people.persons import nhs_number_of
from flagservice.people.registrations import registration_of
from flagservice.store import tables
from flagservice.store.sealing.ciphers import VaultError

WORKER = Actor("delivery worker")
_LOOK = 0.1


@dataclass(frozen=True)
class Ready:
    """A claim, and what to send; or why nothing is sent."""

    claim: outbox.Claim
    version: OutgoingVersion | NotSent


@dataclass(frozen=True)
class Worker:
    """One worker. `jitter` gives numbers between 0 and 1. `hands` is how many it sends at once.

    A send takes less than half of `lease`, and starts in the first half, so that no other worker
    sends the same. Once `over` is set it starts no more.
    """

    log: Log
    channel: Channel
    jitter: Callable[[], float] = random.SystemRandom().random
    hands: int = 4
    lease: timedelta = outbox.LEASE
    pace: Pace = field(default_factory=Pace)
    over: threading.Event = field(default_factory=threading.Event)

    def run_once(self) -> int:
        """Sends what is due, up to a batch. Returns for how many it had the time."""
        if not self.log.is_waiting(WORKER, outbox.anything_due):
            return 0
        ready = self.log.perform(WORKER, self._take)
        with ThreadPoolExecutor(self.hands) as hands:
            turns = [hands.submit(self._in_time, one) for one in ready]
            self._watch(ready, turns)
        return sum(not turn.cancelled() and turn.result() for turn in turns)

    def _take(self, work: Work) -> list[Ready]:
        # (1) claim
        limit = self.pace.batch(self.hands, within=self.lease / 2)
        claims = outbox.claim(work, limit=limit, lease=self.lease)
        return [Ready(claim, _openable(work, claim)) for claim in claims]

    def _watch(self, ready: Sequence[Ready], turns: "Sequence[Future[bool]]") -> None:
        while wait(turns, timeout=_LOOK).not_done:
            for one, turn in zip(ready, turns, strict=True):
                why = self._no_longer(one)
                if why is not None and turn.cancel():
                    self._give_back(one, why)

    def _no_longer(self, ready: Ready) -> NotSent | None:
        if self.over.is_set():
            return NotSent.STOPPED
        late = self.log.clock() > ready.claim.until - self.lease / 2
        return NotSent.LATE if late else None

    def _in_time(self, ready: Ready) -> bool:
        why = self._no_longer(ready)
        if why is not None:
            self._give_back(ready, why)
        elif isinstance(ready.version, NotSent):
            self._give_back(ready, ready.version)
        else:
            self._send(ready.claim, ready.version)
        return why is None

    def _give_back(self, ready: Ready, why: NotSent) -> None:
        jitter = self.jitter()
        self.log.perform(WORKER, lambda work: give_back(work, ready.claim, why, jitter=jitter))

    def _send(self, claim: outbox.Claim, version: OutgoingVersion) -> None:
        begun = self.log.clock()
        # (3) send
        reply = self.channel.send(version)
        # (4) conclude
        self.log.perform(WORKER, lambda work: self._conclude(work, claim, reply))
        self.pace.sent(self.log.clock() - begun)

    def _conclude(self, work: Work, claim: outbox.Claim, reply: Reply) -> None:
        delivery = outbox.end_lease(work, claim)
        if delivery is None:
            # The lease ran out, or a newer version took its place: another worker sees to it.
            outbox.record_lost_claim(work, claim)
        elif reply.outcome is SendOutcome.DELIVERED:
            outbox.deliver(work, delivery)
        else:
            outbox.put_back(work, delivery, reply, jitter=self.jitter())


def _openable(work: Work, claim: outbox.Claim) -> OutgoingVersion | NotSent:
    """Returns what to send. A body that cannot be opened does not hold up the others."""
    try:
        return _outgoing(work, claim)
    except VaultError:
        return NotSent.SEALED


def _outgoing(work: Work, claim: outbox.Claim) -> OutgoingVersion | NotSent:
    delivery = work.session.get_one(tables.DeliveryRow, claim.delivery_id)
    version = work.session.get_one(tables.VersionRow, delivery.version_id)
    copy = work.session.get_one(tables.CopyRow, delivery.copy_id)
    person = work.session.get_one(tables.PersonRow, delivery.person_id)
    where = endpoint_of(work, delivery.practice)
    # (2) where now? A removal goes wherever its copy went; all else only where the record is.
    if where is None or (copy.says and _registered_at(work, person) != delivery.practice):
        return NotSent.MOVED
    stored = work.vault.open_row_under(person.data_key, version)
    return OutgoingVersion(where, stored)


def _registered_at(work: Work, person: tables.PersonRow) -> str | None:
    registration = registration_of(work, nhs_number_of(work, person))
    return registration.practice if registration else None
