"""Tells governance of a practice that asks about, or rejects, many people.

A search notes whom it was about, by the same statements for every person, and a loop judges later.
So the practice sees no difference, neither in an answer nor in what the database is asked.
Rejections count, too: each takes a flag back on one practice's word, and one stolen token could
reject all patients.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func
from sqlmodel import col, delete, select

from flagservice.audit.log import Actor, Deed, Log, Work
from flagservice.domain.acknowledgements import AcknowledgementOutcome
from flagservice.people.registrations import Registration
from flagservice.store import advisory_locks, tables

_ALARMS = Actor("alarms")
_SWEPT = timedelta(hours=1)
"""Removal waits until a note is over for this long: a round that removes records a leaf."""


@dataclass(frozen=True)
class AlarmLimits:
    """An alarm is due for more strangers, or more rejected people, within so many hours."""

    people: int = 100
    hours: int = 24
    rejections: int = 10

    @property
    def window(self) -> timedelta:
        """The time that it looks back."""
        return timedelta(hours=self.hours)


@dataclass(frozen=True)
class Alarm:
    """An alarm as governance reads it: which practice, what, how many people, and never who."""

    id: str
    practice: str
    cause: str
    raised: str
    people: int
    hours: int


def note_search(work: Work, nhs_number: str, registration: Registration | None) -> None:
    """Notes that the practice asked about this person, unless it is its own patient."""
    if registration is not None and registration.practice == work.actor.ods:
        return
    about = f"{work.actor.ods}|{nhs_number}"
    row_id = work.vault.pseudonym(about, purpose="alarm")
    work.session.merge(tables.StrangerRow(id=row_id, practice=work.actor.ods, at=work.now))


@dataclass(frozen=True)
class _Excess:
    """What a practice did to too many people, and its standing alarm, if there is one."""

    cause: tables.AlarmCause
    practice: str
    people: int
    standing: tables.AlarmRow | None


def judge(log: Log, limits: AlarmLimits) -> int:
    """Raises the alarms that are due, one for each practice, cause and window. Returns how many.

    While one stands its count rises with what goes on, and never falls.
    """
    if log.is_waiting(_ALARMS, lambda work: bool(_due(work, limits)) or _has_old(work, limits)):
        return log.perform(_ALARMS, lambda work: _judged(work, limits))
    return 0


def _judged(work: Work, limits: AlarmLimits) -> int:
    """Raises them under a lock: of two processes that judge at once, the second finds the alarm."""
    advisory_locks.judge_alarms(work.session)
    due = _due(work, limits)
    for found in due:
        _raise(work, found, hours=limits.hours)
    raised = sum(found.standing is None for found in due)
    work.session.exec(
        delete(tables.StrangerRow).where(col(tables.StrangerRow.at) <= work.now - limits.window)
    )
    work.record(Deed.ALARMS_JUDGED, raised=raised)
    return raised


def _raise(work: Work, found: _Excess, *, hours: int) -> None:
    practice, people = found.practice, found.people
    alarm = found.standing or tables.AlarmRow(
        id=work.new_id(),
        practice=practice,
        cause=found.cause,
        raised=work.now,
        people=people,
        hours=hours,
    )
    alarm.people = people
    work.session.add(alarm)
    work.record(
        Deed.ALARM_RAISED, alarm=alarm.id, practice=practice, cause=alarm.cause, people=people
    )


def _has_old(work: Work, limits: AlarmLimits) -> bool:
    old = select(tables.StrangerRow.id).where(
        col(tables.StrangerRow.at) <= work.now - limits.window - _SWEPT
    )
    return work.session.exec(old.limit(1)).first() is not None


def _due(work: Work, limits: AlarmLimits) -> list[_Excess]:
    """Returns what is beyond the limits, where governance was not told of so many."""
    since = work.now - limits.window
    standing = {
        (alarm.cause, alarm.practice): alarm
        for alarm in work.session.exec(
            select(tables.AlarmRow).where(col(tables.AlarmRow.raised) > since)
        )
    }
    counted = (
        (tables.AlarmCause.STRANGERS, _strangers(work, since, more_than=limits.people)),
        (tables.AlarmCause.REJECTIONS, _rejections(work, since, more_than=limits.rejections)),
    )
    found = [
        _Excess(cause, practice, int(people), standing.get((cause, practice)))
        for cause, rows in counted
        for practice, people in rows
    ]
    return [one for one in found if one.standing is None or one.people > one.standing.people]


def _strangers(work: Work, since: datetime, *, more_than: int) -> Sequence[tuple[str, int]]:
    asked = (
        select(col(tables.StrangerRow.practice), func.count())
        .where(col(tables.StrangerRow.at) > since)
        .group_by(col(tables.StrangerRow.practice))
        .having(func.count() > more_than)
        .order_by(col(tables.StrangerRow.practice))
    )
    return work.session.exec(asked).all()


def _rejections(work: Work, since: datetime, *, more_than: int) -> Sequence[tuple[str, int]]:
    people = func.count(col(tables.CopyRow.person_id).distinct())
    asked = (
        select(col(tables.AcknowledgementRow.practice), people)
        .where(col(tables.AcknowledgementRow.copy_id) == col(tables.CopyRow.id))
        .where(
            col(tables.AcknowledgementRow.outcome) == AcknowledgementOutcome.REJECTED,
            col(tables.AcknowledgementRow.at) > since,
        )
        .group_by(col(tables.AcknowledgementRow.practice))
        .having(people > more_than)
        .order_by(col(tables.AcknowledgementRow.practice))
    )
    return work.session.exec(asked).all()


def alarms(work: Work, *, limit: int) -> list[Alarm]:
    """Returns alarms, newest first."""
    found = work.session.exec(
        select(tables.AlarmRow).order_by(col(tables.AlarmRow.raised).desc()).limit(limit)
    ).all()
    work.record(Deed.GOVERNANCE_READ, alarms=len(found))
    return [
        Alarm(one.id, one.practice, one.cause, one.raised.isoformat(), one.people, one.hours)
        for one in found
    ]


def raised_since(work: Work, at: datetime) -> int:
    """Returns how many alarms were raised since then."""
    return work.session.exec(select(func.count()).where(col(tables.AlarmRow.raised) > at)).one()
