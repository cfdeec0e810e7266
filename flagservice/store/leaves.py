"""Writes leaves. Every unit of work does that, so it takes one statement.

PostgreSQL would bind and execute once for each row, so it gets arrays.
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import BigInteger, LargeBinary, String, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import TypeEngine
from sqlmodel import Session

from flagservice.store import tables
from flagservice.store.columns import Instant

_LEAF: Final = tables.LeafRow.metadata.tables["leaf"]
_ONE_BY_ONE: Final = _LEAF.insert()
_COLUMNS: Final[dict[str, TypeEngine[Any]]] = {
    "id": String(),
    "at": Instant(),
    "body": LargeBinary(),
}
_TOGETHER: Final = _LEAF.insert().from_select(
    list(_COLUMNS),
    select(*(func.unnest(bindparam(name, type_=ARRAY(type_))) for name, type_ in _COLUMNS.items())),
    include_defaults=False,
)
_PLACE: Final = (
    _LEAF.update().where(_LEAF.c.row == bindparam("leaf")).values(position=bindparam("place"))
)
_WAITING: Final = (
    func.unnest(bindparam("rows", type_=ARRAY(BigInteger())))
    .table_valued("row", with_ordinality="nth", name="waiting")
    .render_derived()
)
_PLACE_TOGETHER: Final = (
    _LEAF.update()
    .where(_LEAF.c.row == _WAITING.c.row)
    .values(position=bindparam("first", type_=BigInteger()) + _WAITING.c.nth - 1)
)


def write(session: Session, leaves: Sequence[dict[str, Any]]) -> None:
    """Writes leaves in the order given, which is the order of their rows."""
    if not leaves:
        return
    connection = session.connection()
    if connection.dialect.name == "postgresql" and len(leaves) > 1:
        columns = {name: [leaf[name] for leaf in leaves] for name in _COLUMNS}
        connection.execute(_TOGETHER, columns)
    else:
        connection.execute(_ONE_BY_ONE, leaves)


def place(session: Session, rows: Sequence[int | None], *, first: int) -> None:
    """Gives the leaves of these rows their positions in the tree, one after the other."""
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        connection.execute(_PLACE_TOGETHER, {"rows": list(rows), "first": first})
    else:
        places = [{"leaf": row, "place": first + nth} for nth, row in enumerate(rows)]
        connection.execute(_PLACE, places)
