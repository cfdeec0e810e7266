"""The manual list: what no machine can deliver, with an owner and a clock, and no location in it.

A practice whose system was not admitted gets nothing structured; a person rings it. So does a
record whose practice nobody knows, or whose person nobody has identified yet.
"""

from dataclasses import dataclass
from datetime import date

from sqlmodel import col, select

from flagservice.audit.log import Deed, Work
from flagservice.delivery import schedule
from flagservice.delivery.outbox import State
from flagservice.store import tables


@dataclass(frozen=True)
class ToDo:
    """One thing that a person has to see to."""

    id: str
    reason: str
    opened: date
    urgency: schedule.Urgency
    owner: str


def waiting(work: Work) -> list[ToDo]:
    """Everything on the list, oldest first."""
    work.record(Deed.GOVERNANCE_READ, what="manual list")
    listed = [*_not_admitted(work), *_not_reached(work)]
    return sorted(listed, key=lambda todo: (todo.opened, todo.id))


def _not_admitted(work: Work) -> list[ToDo]:
    asked = (
        select(tables.Delivery)
        .where(col(tables.Delivery.state) == State.OPEN)
        .where(col(tables.Delivery.practice).not_in(select(col(tables.Endpoint.practice))))
    )
    found = []
    for delivery in work.session.exec(asked):
        urgency = schedule.urgency(work.now - delivery.owed)
        found.append(
            ToDo(
                delivery.id,
                "practice system not admitted",
                delivery.owed.date(),
                urgency,
                schedule.OWNERS[urgency],
            )
        )
    return found


def _not_reached(work: Work) -> list[ToDo]:
    asked = select(tables.Lookup).where(col(tables.Lookup.closed).is_(None))
    found = []
    for gap in work.session.exec(asked):
        urgency = schedule.urgency(work.today - gap.opened)
        found.append(
            ToDo(gap.id, f"{gap.role}: {gap.reason}", gap.opened, urgency, schedule.OWNERS[urgency])
        )
    return found
