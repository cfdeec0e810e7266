"""How the service stands, in numbers that name nobody."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func
from sqlmodel import col, select

from flagservice.audit.log import Deed, Work
from flagservice.delivery import schedule
from flagservice.delivery.outbox import State
from flagservice.store import tables


@dataclass(frozen=True)
class Standing:
    """Versions owed by urgency, the age of the oldest, and what waits for people."""

    owed: dict[str, int]
    oldest_owed_seconds: int
    holds: int
    not_reached: int
    leaves_waiting: int


def standing(work: Work) -> Standing:
    """As of now."""
    ages = [
        work.now - owed
        for owed in work.session.exec(
            select(col(tables.Delivery.owed)).where(col(tables.Delivery.state) == State.OPEN)
        )
    ]
    owed = {str(urgency): 0 for urgency in schedule.Urgency}
    for age in ages:
        owed[schedule.urgency(age)] += 1
    work.record(Deed.STATUS_READ)
    return Standing(
        owed=owed,
        oldest_owed_seconds=int(max(ages).total_seconds()) if ages else 0,
        holds=_count(work, col(tables.Hold.open)),
        not_reached=_count(work, col(tables.Lookup.closed).is_(None)),
        leaves_waiting=_count(work, col(tables.Leaf.position).is_(None)),
    )


def _count(work: Work, condition: Any) -> int:
    return work.session.exec(select(func.count()).where(condition)).one()
