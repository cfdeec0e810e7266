"""What counts up for ever has room: the audit goes on past 2,147,483,647 leaves."""

from datetime import UTC, datetime

from sqlalchemy import text
from sqlmodel import col, select

from flagservice.audit.tree import HASH_BYTES, Frontier
from flagservice.store import tables
from tests.audit.steps import Audited
from tests.world import World

MOST = 2**31 - 1
AFTER_2038 = 2**31 + 1


def given_a_tree_of(audited: Audited, leaves: int) -> None:
    """Its leaves are not there; the next one has the row after them."""
    frontier = leaves.to_bytes(8) + bytes(HASH_BYTES * leaves.bit_count())
    with audited.world.database.transaction() as session:
        session.add(tables.TreeHeadRow(id=1, size=leaves, frontier=frontier))
        last = tables.LeafRow(
            row=leaves, id="last", at=audited.world.now, body=b"", position=leaves
        )
        session.add(last)
        if not audited.world.database.is_sqlite:
            session.flush()
            session.connection().execute(
                text("SELECT setval(pg_get_serial_sequence('leaf', 'row'), :last)"),
                {"last": leaves},
            )
        session.flush()
        last.position = None
        session.delete(last)


def test_the_tree_grows_past_32_bits(any_world: World) -> None:
    audited = Audited(any_world)
    given_a_tree_of(audited, MOST)
    audited.sequenced(3)
    with any_world.database.transaction() as session:
        found = session.exec(select(tables.LeafRow).order_by(col(tables.LeafRow.row))).all()
        head = session.get_one(tables.TreeHeadRow, 1)
        assert [leaf.position for leaf in found] == [MOST, MOST + 1, MOST + 2]
        assert head.size == Frontier.from_bytes(head.frontier).size == MOST + 3
        assert session.get_one(tables.CheckpointRow, MOST + 3).size == MOST + 3
    assert audited.outside.aside == []
    audited.sequenced(1)
    assert len(audited.outside.written) == 2


def test_an_assertion_of_the_year_2038_is_kept(any_world: World) -> None:
    with any_world.database.transaction() as session:
        session.add(tables.AssertionRow(id="one", expires=AFTER_2038))
    with any_world.database.transaction() as session:
        kept = session.get_one(tables.AssertionRow, "one").expires
    assert datetime.fromtimestamp(kept, UTC).year == 2038
