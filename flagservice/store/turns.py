"""Whose turn it is, where a lock on rows would not do.

Whatever rules on people shares the policies' turn; a policy comes into force alone. So no
submission that was ruled on by the old policy commits after the new one began to rule on everybody
again: each person is seen by the one or by the other. SQLite has one writer, so a turn by itself.
"""

from typing import Final

from sqlalchemy import func
from sqlmodel import Session, select

_POLICIES: Final = 4720143


def share_policies(session: Session) -> None:
    """Until this transaction ends no policy comes into force."""
    if _has_locks(session):
        session.exec(select(func.pg_advisory_xact_lock_shared(_POLICIES)))


def change_policies(session: Session) -> None:
    """Waits for all who share the turn; until this transaction ends nobody rules."""
    if _has_locks(session):
        session.exec(select(func.pg_advisory_xact_lock(_POLICIES)))


def _has_locks(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"
