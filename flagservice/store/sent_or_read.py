"""Whether a practice may know of a copy: was a version of it ever sent, or read?

An attempt counts as sent: what came of it may be unknown.
"""

from sqlalchemy import ColumnElement, exists, or_
from sqlalchemy.orm import Mapped, aliased
from sqlmodel import Session, col, select

from flagservice.store import tables


def sent_or_read(copy_id: Mapped[str] | str) -> ColumnElement[bool]:
    """Returns the condition that a version of this copy was sent or read, for any query."""
    delivery, version = aliased(tables.DeliveryRow), aliased(tables.VersionRow)
    return or_(
        exists().where(col(delivery.copy_id) == copy_id, col(delivery.attempts) > 0),
        exists().where(col(version.copy_id) == copy_id, col(version.served)),
    )


def was_sent_or_read(session: Session, copy_id: str) -> bool:
    """Returns whether a version of this copy was sent or read; asked once its rows are locked."""
    return bool(session.exec(select(sent_or_read(copy_id))).one())
