"""Keeps the versions that are owed to practices: each in the commit that issued it.

Three things close a delivery: a verified receipt, a newer version of the same copy, or a recorded
human decision. A claim is a lease: it runs out, so that another worker takes a dead one's row. A
claim counts as sent, until the worker says that it was not (`unsent`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, exists, or_
from sqlalchemy.orm import aliased
from sqlmodel import col, select, update

from flagservice.admission.endpoints import is_admitted
from flagservice.audit.log import Deed, Work
from flagservice.delivery.push import schedule
from flagservice.delivery.push.channel import ENDPOINT_ILL, FLAG_REFUSED, Reply
from flagservice.domain.copies import CopyStatus, DeliveryState
from flagservice.store import tables
from flagservice.store.sent_or_read import was_sent_or_read

LEASE = timedelta(seconds=60)
_FEW = 20


@dataclass(frozen=True)
class Claim:
    """A delivery that one worker holds for a while; `lease` proves that it still does."""

    delivery_id: str
    lease: str
    until: datetime


@dataclass(frozen=True)
class OwedVersion:
    """A version of a copy, and its order among all that the practice is owed."""

    copy: tables.CopyRow
    version_id: str
    order: int
    removal: bool


def owe(work: Work, owed: Sequence[OwedVersion]) -> None:
    """Owes these versions, and supersedes what was owed before of the same copies.

    The removal of what was never sent and never read is not owed: it would be the first that the
    practice hears of the flag.
    """
    earlier = [one.copy.id for one in owed if one.copy.number > 1]
    if earlier:
        work.session.exec(
            update(tables.DeliveryRow)
            .where(col(tables.DeliveryRow.copy_id).in_(earlier))
            .where(col(tables.DeliveryRow.state) == DeliveryState.OPEN)
            .values(state=DeliveryState.SUPERSEDED, closed=work.now)
        )
    for one in owed:
        unseen = one.removal and not was_sent_or_read(work.session, one.copy.id)
        work.keep(
            tables.DeliveryRow,
            id=work.new_id(),
            version_id=one.version_id,
            copy_id=one.copy.id,
            person_id=one.copy.person_id,
            practice=one.copy.practice,
            number=one.order,
            state=DeliveryState.NEVER_SENT if unseen else DeliveryState.OPEN,
            owed=work.now,
            due=work.now,
            closed=work.now if unseen else None,
        )


def claim(work: Work, *, limit: int = _FEW, lease: timedelta = LEASE) -> list[Claim]:
    """Leases deliveries that are due to admitted practices, not paused, oldest first.

    For each person and practice they keep their order, but go past one that the receiver refused as
    such (it is poisoned). While an older version of the same copy is on its way they wait, even if
    it is superseded: it must not arrive last.
    """
    due, until = _due(work, limit), work.now + lease
    if not due:
        work.record(Deed.NOT_DELIVERED, outcome="somebody else was first")
    for delivery in due:
        delivery.lease, delivery.leased_until = work.new_id(), until
        delivery.attempts += 1
        work.session.add(delivery)
        work.record(
            Deed.ATTEMPTED,
            delivery=delivery.id,
            practice=delivery.practice,
            attempt=delivery.attempts,
        )
    return [Claim(delivery.id, str(delivery.lease), until) for delivery in due]


def anything_due(work: Work) -> bool:
    """Returns whether there is something to claim, without a lock and without a leaf."""
    return bool(_due(work, 1, lock=False))


def due_since(work: Work) -> datetime | None:
    """Returns since when the next delivery to claim has been due; None if there is none."""
    return next((delivery.due for delivery in _due(work, 1, lock=False)), None)


def _due(work: Work, limit: int, *, lock: bool = True) -> Sequence[tables.DeliveryRow]:
    delivery, older = tables.DeliveryRow, aliased(tables.DeliveryRow)
    now = work.now
    endpoint = col(tables.EndpointRow.practice) == col(delivery.practice)
    ready = or_(
        col(tables.EndpointRow.paused_until).is_(None),
        col(tables.EndpointRow.paused_until) <= now,
        col(tables.EndpointRow.paused_until) > now + schedule.CAP,
    )
    overtaken = exists().where(
        col(older.person_id) == col(delivery.person_id),
        col(older.practice) == col(delivery.practice),
        col(older.number) < col(delivery.number),
        or_(
            and_(col(older.state) == DeliveryState.OPEN, col(older.poisoned).is_(False)),
            and_(
                col(older.copy_id) == col(delivery.copy_id),
                col(older.leased_until) > now,
                col(older.leased_until) <= now + schedule.CAP,
            ),
        ),
    )
    asked = (
        select(delivery)
        .where(col(delivery.state) == DeliveryState.OPEN)
        # No wait is longer than the cap: what lies beyond it was set by a clock that was wrong.
        .where(or_(col(delivery.due) <= now, col(delivery.due) > now + schedule.CAP))
        .where(
            or_(
                col(delivery.leased_until).is_(None),
                col(delivery.leased_until) <= now,
                col(delivery.leased_until) > now + schedule.CAP,
            )
        )
        .where(exists().where(and_(endpoint, ready, is_admitted(now))))
        .where(~overtaken)
        .order_by(col(delivery.due), col(delivery.id))
        .limit(limit)
    )
    return work.session.exec(asked.with_for_update(skip_locked=True) if lock else asked).all()


def end_lease(work: Work, claim: Claim) -> tables.DeliveryRow | None:
    """Ends a lease, and returns its delivery, locked; None where lease or debt is over."""
    asked = (
        select(tables.DeliveryRow)
        .where(col(tables.DeliveryRow.id) == claim.delivery_id)
        .where(col(tables.DeliveryRow.lease) == claim.lease)
    )
    delivery = work.session.exec(asked.with_for_update()).first()
    if delivery is None:
        return None
    delivery.lease, delivery.leased_until = None, None
    work.session.add(delivery)
    return delivery if delivery.state == DeliveryState.OPEN else None


def deliver(work: Work, delivery: tables.DeliveryRow) -> None:
    """Closes a delivery by its verified receipt, and lets receipts of all its grounds say so."""
    delivery.state, delivery.closed = DeliveryState.DELIVERED, work.now
    work.session.add(delivery)
    copy = work.session.get_one(tables.CopyRow, delivery.copy_id)
    if copy.status != CopyStatus.REMOVED:
        grounds = select(col(tables.GroundRow.naming_id)).where(
            col(tables.GroundRow.copy_id) == copy.id, col(tables.GroundRow.former).is_(False)
        )
        work.session.exec(
            update(tables.NamingRow)
            .where(col(tables.NamingRow.id).in_(grounds))
            .values(delivered=True)
        )
    _settle(work, delivery, ill=None)
    _attempt(work, delivery, DeliveryState.DELIVERED)
    work.record(
        Deed.DELIVERED,
        delivery=delivery.id,
        version=delivery.version_id,
        practice=delivery.practice,
    )


def record_lost_claim(work: Work, claim: Claim) -> None:
    """Records that a claim is over: another worker has it, or it is no longer owed."""
    work.record(Deed.NOT_DELIVERED, delivery=claim.delivery_id, outcome="let go")


def put_back(work: Work, delivery: tables.DeliveryRow, reply: Reply, *, jitter: float) -> None:
    """Keeps a delivery open after a send that did not deliver it, due again later."""
    pause = schedule.wait(delivery.attempts, jitter=jitter)
    delivery.due = work.now + max(pause, min(reply.after or pause, schedule.CAP))
    ill = reply.outcome in ENDPOINT_ILL
    # An endpoint that is ill says nothing new about a flag that it refused when it was well.
    delivery.poisoned = reply.outcome in FLAG_REFUSED or (delivery.poisoned and ill)
    work.session.add(delivery)
    _settle(work, delivery, ill=reply if ill else None)
    _attempt(work, delivery, reply.outcome)
    work.record(
        Deed.NOT_DELIVERED, delivery=delivery.id, outcome=reply.outcome, attempt=delivery.attempts
    )


def _settle(work: Work, delivery: tables.DeliveryRow, *, ill: Reply | None) -> None:
    """Slows an endpoint down that is ill. One good answer, and it is well again."""
    endpoint = work.session.get(tables.EndpointRow, delivery.practice)
    if endpoint is None or (ill is None and not endpoint.failures):
        return
    endpoint.failures = 0 if ill is None else endpoint.failures + 1
    pause = schedule.pause(endpoint.failures)
    if ill is not None and ill.after is not None:
        # It asked all of us to wait, not this one flag.
        pause = max(pause, min(ill.after, schedule.CAP))
    endpoint.paused_until = work.now + pause if pause else None
    work.session.add(endpoint)


def _attempt(work: Work, delivery: tables.DeliveryRow, outcome: str) -> None:
    delivery.outcome = outcome
    work.session.add(
        tables.AttemptRow(
            id=work.new_id(),
            delivery_id=delivery.id,
            number=delivery.attempts,
            at=work.now,
            outcome=outcome,
        )
    )
