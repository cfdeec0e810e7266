"""The advisory locks: they order units of work that locks on rows cannot order.

Every unit of work that rules on people shares the policies' lock; a policy comes into force alone.
Otherwise a submission ruled on by the old policy could commit after the new policy has ruled on
everybody again, and a person would be missed. SQLite has one writer, so it needs no such lock.

Another unit of work cannot see a wrapped data key before the one that wraps it ends. So a
key-encryption key is called unused only after all work that had begun under it is over.
"""

import time
from typing import Final

from sqlalchemy import func, text
from sqlmodel import Session, select

_POLICIES: Final = 4720143
_ALARMS: Final = 4720144
_KEYS: Final = 4720145
_PAUSE: Final = 0.02
_RUNNING: Final = text(
    "SELECT virtualtransaction FROM pg_locks JOIN pg_stat_activity USING (pid)"
    " WHERE locktype = 'virtualxid' AND granted"
    " AND datname = current_database() AND pid <> pg_backend_pid()"
)


def share_policies(session: Session) -> None:
    """Keeps every policy from coming into force until this transaction ends."""
    if _has_locks(session):
        session.exec(select(func.pg_advisory_xact_lock_shared(_POLICIES)))


def change_policies(session: Session) -> None:
    """Waits for all who share the lock, and keeps them out until this transaction ends."""
    if _has_locks(session):
        session.exec(select(func.pg_advisory_xact_lock(_POLICIES)))


def outlast_earlier(session: Session) -> None:
    """Waits until every unit of work that is under way now is over.

    One transaction at a time waits so.
    """
    if _has_locks(session):
        session.exec(select(func.pg_advisory_xact_lock(_KEYS)))
        earlier = _running(session)
        while earlier:
            time.sleep(_PAUSE)
            earlier &= _running(session)


def _running(session: Session) -> set[str]:
    return {row[0] for row in session.execute(_RUNNING)}


def judge_alarms(session: Session) -> None:
    """Keeps others from raising an alarm until this transaction ends."""
    if _has_locks(session):
        session.exec(select(func.pg_advisory_xact_lock(_ALARMS)))


def _has_locks(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"
