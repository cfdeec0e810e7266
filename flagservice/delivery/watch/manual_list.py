"""Lists what no machine delivers, with an owner and a clock, and no location in it.

It has versions for practices that are not admitted, that a receiver refuses, or that have been owed
for too long; records whose person or practice is not known; practices that hold flags and are no
longer admitted; overdue decisions; and practices' questions. A person rings a practice that is not
admitted.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from sqlalchemy import or_
from sqlmodel import col, select

from flagservice.admission.endpoints import admitted, is_admitted
from flagservice.admission.lapses import holding_lapsed, lapsed_at, practice_pseudonym
from flagservice.audit.log import Deed, Work
from flagservice.delivery.acknowledgements import open_queries
from flagservice.delivery.push import schedule
from flagservice.domain.copies import DeliveryState
from flagservice.domain.days.london import day_of
from flagservice.store import tables


@dataclass(frozen=True)
class ManualTask:
    """One thing that a person has to see to."""

    id: str
    what: str
    reason: str
    opened: date
    urgency: schedule.Urgency
    owner: str


def waiting(work: Work) -> list[ManualTask]:
    """Returns everything on the list, oldest first."""
    waits = (_stuck, _not_reached, _lapsed, _undecided, _asked)
    everything = [todo for kind in waits for todo in kind(work)]
    listed = sorted(everything, key=lambda todo: (todo.opened, todo.id))
    work.record(Deed.GOVERNANCE_READ, what="manual list", found=len(listed))
    return listed


def _stuck(work: Work) -> Iterator[ManualTask]:
    """Yields deliveries that no worker takes, that were refused as they are, or that are late."""
    reachable = select(col(tables.EndpointRow.practice)).where(is_admitted(work.now))
    late = work.now - schedule.LATE_AFTER
    asked = (
        select(tables.DeliveryRow)
        .where(col(tables.DeliveryRow.state) == DeliveryState.OPEN)
        .where(
            or_(
                col(tables.DeliveryRow.practice).not_in(reachable),
                col(tables.DeliveryRow.poisoned),
                col(tables.DeliveryRow.owed) <= late,
                col(tables.DeliveryRow.owed) > work.now + schedule.CAP,
            )
        )
    )
    for delivery in work.session.exec(asked):
        reason = delivery.outcome or _untried(work, delivery)
        age = work.now - delivery.owed
        yield _todo(delivery.id, ("delivery", reason), opened=day_of(delivery.owed), age=age)


def _untried(work: Work, delivery: tables.DeliveryRow) -> str:
    there = admitted(work, delivery.practice)
    return "not tried yet" if there else "practice system not admitted"


def _not_reached(work: Work) -> Iterator[ManualTask]:
    for lookup in work.session.exec(
        select(tables.LookupRow).where(col(tables.LookupRow.closed).is_(None))
    ):
        yield _todo(
            lookup.id,
            (lookup.role, lookup.reason),
            opened=lookup.opened,
            age=work.today - lookup.opened,
        )


def _lapsed(work: Work) -> Iterator[ManualTask]:
    """Yields systems that hold flags and are no longer admitted: to check, or to empty."""
    what = ("flags at a practice", "its system is admitted no more")
    for endpoint in holding_lapsed(work):
        since = lapsed_at(work, endpoint)
        name = practice_pseudonym(work, endpoint.practice)
        yield _todo(name, what, opened=day_of(since), age=work.now - since)


def _undecided(work: Work) -> Iterator[ManualTask]:
    """Yields overdue decisions, which the second named person owns; never whom they are about."""
    asked = select(tables.HoldRow).where(
        col(tables.HoldRow.open), col(tables.HoldRow.due) < work.today
    )
    for hold in work.session.exec(asked):
        todo = _todo(
            hold.id,
            ("decision overdue", "not made by its day"),
            opened=hold.due,
            age=work.today - hold.due,
        )
        yield replace(todo, owner=hold.then)


def _asked(work: Work) -> Iterator[ManualTask]:
    for row in open_queries(work):
        what = ("question of a practice", row.reason)
        yield _todo(row.id, what, opened=day_of(row.at), age=work.now - row.at)


def _todo(id_: str, what: tuple[str, str], *, opened: date, age: timedelta) -> ManualTask:
    """Returns a task, which a person owns from the first minute."""
    urgency = max(schedule.urgency(age), schedule.Urgency.LATE, key=list(schedule.Urgency).index)
    return ManualTask(id_, *what, opened, urgency, schedule.OWNERS[urgency])
