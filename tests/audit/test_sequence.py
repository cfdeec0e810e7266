"""One sequencer at a time gives each leaf its place, however many there are."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text
from sqlmodel import select

from flagservice.audit import checkpoint
from flagservice.audit.sequence import Sequencer, _locked_head
from flagservice.audit.tree import leaf_hash, root_of
from flagservice.store import tables
from tests.audit.steps import ORIGIN, Audited, positions
from tests.patience import enough
from tests.world import World


def test_every_waiting_leaf_gets_a_place_from_zero_on(any_world: World) -> None:
    audited = Audited(any_world)
    audited.happens(5)
    assert audited.sequencer().sequence() == 5
    assert positions(any_world) == list(range(5))
    audited.happens(2)
    assert audited.sequencer().sequence() == 2
    assert positions(any_world) == list(range(7))


def test_where_nothing_waits_nothing_is_signed(world: World) -> None:
    audited = Audited(world)
    assert audited.sequencer().sequence() == 0
    with world.database.transaction() as session:
        assert session.exec(select(tables.CheckpointRow)).all() == []
    assert audited.outside.written == []


def test_a_batch_is_not_exceeded_and_the_next_goes_on(world: World) -> None:
    audited = Audited(world)
    audited.happens(7)
    sequencer = audited.sequencer(batch=3)
    assert [sequencer.sequence() for _ in range(4)] == [3, 3, 1, 0]
    assert positions(world) == list(range(7))
    assert audited.findings() == []


def test_to_catch_up_ends_though_leaves_come_all_the_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    audited = Audited(world)
    audited.happens(7)
    plain, rounds = Sequencer.sequence, []

    def busy(self: Sequencer) -> int:
        rounds.append(plain(self))
        audited.happens()
        assert len(rounds) < 20
        return rounds[-1]

    monkeypatch.setattr(Sequencer, "sequence", busy)
    audited.sequencer(batch=3).catch_up()
    assert rounds == [3, 3, 3, 1]


def test_its_signed_head_is_of_the_tree_of_these_leaves(world: World) -> None:
    audited = Audited(world)
    audited.sequenced(4)
    with world.database.transaction() as session:
        leaves = session.exec(select(tables.LeafRow).order_by(tables.LeafRow.position)).all()
        (kept,) = session.exec(select(tables.CheckpointRow)).all()
    signed = checkpoint.verify(kept.note, ORIGIN, public_key=audited.signer.public_key_bytes)
    assert signed.size == kept.size == 4
    assert signed.root == root_of(leaf_hash(leaf.body) for leaf in leaves)


def test_the_head_goes_to_the_witness_once_it_is_committed(world: World) -> None:
    audited = Audited(world)
    audited.sequenced(2)
    audited.sequenced(1)
    with world.database.transaction() as session:
        notes = [row.note for row in session.exec(select(tables.CheckpointRow)).all()]
    assert [head.note for head in audited.outside.written] == notes


def test_without_a_witness_it_sequences_all_the_same(world: World) -> None:
    audited = Audited(world)
    audited.happens()
    sequencer = audited.sequencer()
    assert type(sequencer)(sequencer.database, audited.signer, sequencer.clock).sequence() == 1


@pytest.mark.parametrize("leaves", [60])
def test_two_sequencers_at_once_give_each_leaf_one_place(any_world: World, leaves: int) -> None:
    audited = Audited(any_world)

    def sequence(_: int) -> int:
        return audited.sequencer(batch=4).sequence()

    with ThreadPoolExecutor(4) as hands:
        happening = [hands.submit(audited.happens) for _ in range(leaves)]
        placed = sum(hands.map(sequence, range(leaves)))
        for one in happening:
            one.result()
    while more := audited.sequencer().sequence():
        placed += more
    assert placed == leaves
    assert positions(any_world) == list(range(leaves))
    assert audited.findings() == []


def test_two_that_begin_the_tree_at_once_build_one(migrated_postgresql_url: str) -> None:
    world = World(migrated_postgresql_url)
    audited = Audited(world)
    audited.happens(3)
    with ThreadPoolExecutor(1) as hands:
        with world.database.transaction() as session:
            _locked_head(session)
            second = hands.submit(audited.sequencer().sequence)
            while not second.done() and not session.connection().execute(_WAITING).scalar_one():
                pass
        assert second.result(enough()) == 3
    assert positions(world) == [0, 1, 2]
    assert audited.findings() == []
    world.close()


_WAITING = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
