"""A practice that asks about many people who are not its patients is told of to governance.

Asking and judging are two units of work. A search notes whom it was about, by the same statements
whoever that is; whether there were too many is judged later, by a loop, so that the practice can
see no difference, neither in an answer nor in what the database is asked for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func
from sqlmodel import col, delete, select

from flagservice.audit.log import Actor, Deed, Log, Work
from flagservice.directory.registrations import Registration
from flagservice.store import turns
from flagservice.store.watched import Alarm, Stranger

_ALARMS = Actor("alarms")
_SWEPT = timedelta(hours=1)
"""What is over is removed once an hour has passed: not in every round, and for its own leaf."""


@dataclass(frozen=True)
class Watch:
    """More than this many strangers within so many hours is an alarm."""

    people: int = 100
    hours: int = 24

    @property
    def window(self) -> timedelta:
        """How far back it looks."""
        return timedelta(hours=self.hours)


@dataclass(frozen=True)
class Raised:
    """An alarm as governance reads it: which practice, how many people, and never who."""

    id: str
    practice: str
    raised: str
    people: int
    hours: int


def note(work: Work, nhs_number: str, registration: Registration | None) -> None:
    """The practice asked about this person; its own patients are nothing to note."""
    if registration is not None and registration.practice == work.actor.ods:
        return
    about = f"{work.actor.ods}|{nhs_number}"
    row_id = work.vault.pseudonym(about, purpose="alarm")
    work.session.merge(Stranger(id=row_id, practice=work.actor.ods, at=work.now))


def judge(log: Log, watch: Watch) -> int:
    """Raises the alarms that are due, one for each practice and window; answers how many."""
    if log.is_waiting(_ALARMS, lambda work: bool(_due(work, watch)) or _has_old(work, watch)):
        return log.perform(_ALARMS, lambda work: _judged(work, watch))
    return 0


def _judged(work: Work, watch: Watch) -> int:
    """Two processes that judge at once take turns: the second finds the alarm raised."""
    turns.judge_alarms(work.session)
    due = _due(work, watch)
    for practice, people in due:
        alarm = Alarm(
            id=work.new_id(), practice=practice, raised=work.now, people=people, hours=watch.hours
        )
        work.session.add(alarm)
        work.record(Deed.ALARM_RAISED, alarm=alarm.id, practice=practice, people=people)
    work.session.exec(delete(Stranger).where(col(Stranger.at) <= work.now - watch.window))
    work.record(Deed.ALARMS_JUDGED, raised=len(due))
    return len(due)


def _has_old(work: Work, watch: Watch) -> bool:
    old = select(Stranger.id).where(col(Stranger.at) <= work.now - watch.window - _SWEPT)
    return work.session.exec(old.limit(1)).first() is not None


def _due(work: Work, watch: Watch) -> Sequence[tuple[str, int]]:
    """Practices beyond what is usual that have no alarm within the window yet."""
    since = work.now - watch.window
    told = select(col(Alarm.practice)).where(col(Alarm.raised) > since)
    asked = (
        select(col(Stranger.practice), func.count())
        .where(col(Stranger.at) > since, col(Stranger.practice).not_in(told))
        .group_by(col(Stranger.practice))
        .having(func.count() > watch.people)
        .order_by(col(Stranger.practice))
    )
    return [(practice, int(people)) for practice, people in work.session.exec(asked)]


def alarms(work: Work, *, limit: int) -> list[Raised]:
    """The newest alarms first."""
    found = work.session.exec(select(Alarm).order_by(col(Alarm.raised).desc()).limit(limit)).all()
    work.record(Deed.GOVERNANCE_READ, alarms=len(found))
    return [
        Raised(one.id, one.practice, one.raised.isoformat(), one.people, one.hours) for one in found
    ]


def raised_since(work: Work, at: datetime) -> int:
    """How many there were since then."""
    return work.session.exec(select(func.count()).where(col(Alarm.raised) > at)).one()
