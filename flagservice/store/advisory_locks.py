"""Whose turn it is, where a lock on rows would not do.

Whatever rules on people shares the policies' turn; a policy comes into force alone. So no
submission that was ruled on by the old policy commits after the new one began to rule on everybody
again: each person is seen by the one or by the other. SQLite has one writer, so a turn by itself.

A data key is wrapped in the midst of a unit of work, which another cannot see before it ends. So
before a key-encryption key is called unused, whatever had begun under it has to be over.
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
    """Until this transaction ends no policy comes into force."""
    if _has_locks(session):
        session.exec(select(func.pg_advisory_xact_lock_shared(_POLICIES)))


def change_policies(session: Session) -> None:
    """Waits for all who share the turn; until this transaction ends nobody rules."""
    if _has_locks(session):
        session.exec(select(func.pg_advisory_xact_lock(_POLICIES)))


def outlast_earlier(session: Session) -> None:
    """Waits until every unit of work is over that is under way now; one at a time waits so."""
    if _has_locks(session):
        session.exec(select(func.pg_advisory_xact_lock(_KEYS)))
        earlier = _running(session)
        while earlier:
            time.sleep(_PAUSE)
            earlier &= _running(session)


def _running(session: Session) -> set[str]:
    return {row[0] for row in session.execute(_RUNNING)}


def judge_alarms(session: Session) -> None:
    """Until this transaction ends nobody else raises an alarm."""
    if _has_locks(session):
        session.exec(select(func.pg_advisory_xact_lock(_ALARMS)))


def _has_locks(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"
