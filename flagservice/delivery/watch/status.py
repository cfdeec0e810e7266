"""Tells how the service stands, in numbers that name no person and no practice."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func
from sqlmodel import col, select

from flagservice.audit.log import Deed, Work
from flagservice.delivery.push import schedule
from flagservice.delivery.push.outbox import due_since
from flagservice.delivery.watch import alarms
from flagservice.domain.copies import DeliveryState
from flagservice.store import tables

_LATELY = timedelta(days=1)


@dataclass(frozen=True)
class ServiceStatus:
    """What is owed and waits, how old the oldest of each is, and what a person should look at.

    `worker_lag_seconds` is how long the next delivery to claim has been due: it grows where no
    worker runs. `unproven_seconds` is how long the oldest leaf waits for a checkpoint. Alarms are
    the last day's.
    """

    owed: dict[str, int]
    oldest_owed_seconds: int
    worker_lag_seconds: int
    holds: int
    oldest_hold_days: int
    holds_overdue: int
    not_reached: int
    leaves_waiting: int
    unproven_seconds: int
    checkpoint_age_seconds: int
    alarms: int


def service_status(work: Work) -> ServiceStatus:
    """Returns the service's status now."""
    ages = [
        work.now - owed
        for owed in work.session.exec(
            select(col(tables.DeliveryRow.owed)).where(
                col(tables.DeliveryRow.state) == DeliveryState.OPEN
            )
        )
    ]
    owed = {str(urgency): 0 for urgency in schedule.Urgency}
    for age in ages:
        owed[schedule.urgency(age)] += 1
    work.record(Deed.STATUS_READ)
    waiting, held = col(tables.LeafRow.position).is_(None), col(tables.HoldRow.open)
    first_held: date | None = work.session.exec(
        select(func.min(col(tables.HoldRow.opened))).where(held)
    ).one()
    return ServiceStatus(
        owed=owed,
        oldest_owed_seconds=int(max(ages).total_seconds()) if ages else 0,
        worker_lag_seconds=_seconds(work, due_since(work)),
        holds=_count(work, held),
        oldest_hold_days=(work.today - first_held).days if first_held else 0,
        holds_overdue=_count(work, held, col(tables.HoldRow.due) < work.today),
        not_reached=_count(work, col(tables.LookupRow.closed).is_(None)),
        leaves_waiting=_count(work, waiting),
        unproven_seconds=_age(work, func.min(col(tables.LeafRow.at)), waiting),
        checkpoint_age_seconds=_age(work, func.max(col(tables.CheckpointRow.at))),
        alarms=alarms.raised_since(work, work.now - _LATELY),
    )


def _count(work: Work, *conditions: Any) -> int:
    return work.session.exec(select(func.count()).where(*conditions)).one()


def _age(work: Work, which: Any, *conditions: Any) -> int:
    return _seconds(work, work.session.exec(select(which).where(*conditions)).one())


def _seconds(work: Work, since: datetime | None) -> int:
    return max(0, int((work.now - since).total_seconds())) if since else 0
