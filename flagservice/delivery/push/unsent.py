"""Undoes a claim for which nothing was sent.

A claim is recorded as an attempt before anything leaves, since a worker may die at any moment. A
living worker knows when nothing left: then the practice was not asked, and has not heard of the
flag.
"""

from enum import StrEnum

from sqlmodel import col, select, update

from flagservice.audit.log import Deed, Work
from flagservice.delivery.push import schedule
from flagservice.delivery.push.outbox import Claim
from flagservice.domain.copies import DeliveryState
from flagservice.store import tables
from flagservice.store.sent_or_read import was_sent_or_read


class NotSent(StrEnum):
    """Why nothing was sent for a claim."""

    MOVED = "registered elsewhere"
    SEALED = "cannot be opened here: nothing was sent"
    LATE = "its turn came too late: nothing was sent"
    STOPPED = "the worker was stopped: nothing was sent"


OUR_OWN = {NotSent.LATE, NotSent.STOPPED}
"""The worker had no time for it. The delivery is sound, so it is due at once."""


def give_back(work: Work, claim: Claim, why: NotSent, *, jitter: float = 1.0) -> None:
    """Undoes a claim, though another worker may hold the delivery by now.

    It counts neither as an attempt nor as sent. A delivery that could not have been sent is looked
    at later, by how long it has been owed.
    """
    asked = select(tables.DeliveryRow).where(col(tables.DeliveryRow.id) == claim.delivery_id)
    delivery = work.session.exec(asked.with_for_update()).one()
    delivery.attempts -= 1
    if delivery.lease == claim.lease:
        delivery.lease, delivery.leased_until = None, None
        if why not in OUR_OWN:
            delivery.due = work.now + schedule.look_again(work.now - delivery.owed, jitter=jitter)
            delivery.outcome = why
            delivery.poisoned = delivery.poisoned or why is NotSent.SEALED
    work.session.add(delivery)
    _owe_no_removal_of_what_nobody_has(work, delivery.copy_id)
    work.record(Deed.NOT_DELIVERED, delivery=delivery.id, outcome=why)


def _owe_no_removal_of_what_nobody_has(work: Work, copy_id: str) -> None:
    """Ends the debt of a removal that was owed only because this claim might have been sent."""
    copy = work.session.get_one(tables.CopyRow, copy_id)
    if copy.says or was_sent_or_read(work.session, copy_id):
        return
    work.session.exec(
        update(tables.DeliveryRow)
        .where(col(tables.DeliveryRow.copy_id) == copy_id)
        .where(col(tables.DeliveryRow.state) == DeliveryState.OPEN)
        .values(state=DeliveryState.NEVER_SENT, closed=work.now)
    )
