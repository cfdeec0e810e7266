"""Writes leaves: the one thing that every unit of work does, so in one statement and no more."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import LargeBinary, String, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import TypeEngine
from sqlmodel import Session

from flagservice.store.instants import Instant
from flagservice.store.tables import Leaf

_LEAF: Final = Leaf.metadata.tables["leaf"]
_ONE_BY_ONE: Final = _LEAF.insert()
_COLUMNS: Final[dict[str, TypeEngine[Any]]] = {
    "id": String(),
    "at": Instant(),
    "body": LargeBinary(),
}
# Three arrays, however many rows: for each row of its own PostgreSQL would bind and execute again.
_TOGETHER: Final = _LEAF.insert().from_select(
    list(_COLUMNS),
    select(*(func.unnest(bindparam(name, type_=ARRAY(type_))) for name, type_ in _COLUMNS.items())),
    include_defaults=False,
)


def write(session: Session, leaves: Sequence[dict[str, Any]]) -> None:
    """In the order given, which is the order of their rows."""
    if not leaves:
        return
    connection = session.connection()
    if connection.dialect.name == "postgresql" and len(leaves) > 1:
        columns = {name: [leaf[name] for leaf in leaves] for name in _COLUMNS}
        connection.execute(_TOGETHER, columns)
    else:
        connection.execute(_ONE_BY_ONE, leaves)
