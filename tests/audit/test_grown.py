"""The tree has grown from the head that was kept outside the database, or that head stays there.

Whoever can write to the database alone may change every row of it, and cannot sign; the service
signs what it finds there. So the database's word is never taken for what it was.
"""

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlmodel import Session, col, delete, select

from flagservice.audit import sequence
from flagservice.audit.checkpoint import Checkpoint, Signer, sign
from flagservice.audit.sequence import SignedHead
from flagservice.audit.tree import Frontier, leaf_hash
from flagservice.store import tables
from tests.audit.steps import ORIGIN, Audited
from tests.world import World

SAYS_ANOTHER = (b'"somebody"', b'"no_bodys"')


def placed(session: Session) -> list[tables.LeafRow]:
    asked = select(tables.LeafRow).where(col(tables.LeafRow.position).is_not(None))
    return list(session.exec(asked.order_by(col(tables.LeafRow.position))).all())


def put_right(session: Session) -> None:
    """The head is what the leaves make."""
    frontier = Frontier()
    for leaf in placed(session):
        frontier.append(leaf_hash(leaf.body))
    head = session.get_one(tables.TreeHeadRow, 1)
    head.size, head.frontier = frontier.size, frontier.to_bytes()


def cut(session: Session) -> None:
    """The last two leaves, with their checkpoint and the head."""
    for leaf in placed(session)[3:]:
        session.delete(leaf)
    session.exec(delete(tables.CheckpointRow).where(col(tables.CheckpointRow.size) > 3))
    put_right(session)


def cut_but_for_the_checkpoint(session: Session) -> None:
    """What the service signed last stays, as if nothing had happened."""
    for leaf in placed(session)[3:]:
        session.delete(leaf)
    put_right(session)


def rewritten(session: Session) -> None:
    """As many leaves, of which some say something else."""
    for leaf in placed(session)[1:]:
        leaf.body = leaf.body.replace(*SAYS_ANOTHER)
    put_right(session)


def rewritten_after_three(session: Session) -> None:
    """What came after the first head says something else."""
    for leaf in placed(session)[3:]:
        leaf.body = leaf.body.replace(*SAYS_ANOTHER)
    put_right(session)


def forged_one_further(session: Session) -> None:
    """Every leaf is as it was; the head is of others, which are to be put in later."""
    frontier = Frontier()
    for place, leaf in enumerate(
        session.exec(select(tables.LeafRow).order_by(col(tables.LeafRow.row)))
    ):
        leaf.position = place
        frontier.append(leaf_hash(leaf.body.replace(*SAYS_ANOTHER)))
    head = session.get_one(tables.TreeHeadRow, 1)
    head.size, head.frontier = frontier.size, frontier.to_bytes()


def emptied(session: Session) -> None:
    for table in (tables.LeafRow, tables.CheckpointRow, tables.TreeHeadRow):
        session.exec(delete(table))


TAMPERED = (cut, cut_but_for_the_checkpoint, rewritten, forged_one_further, emptied)


@pytest.mark.parametrize("again", [1, 2, 5])
@pytest.mark.parametrize("tamper", TAMPERED, ids=lambda tamper: tamper.__name__)
def test_a_head_that_the_tree_has_not_grown_from_is_set_aside(
    any_world: World, tamper: Callable[[Session], None], again: int
) -> None:
    audited = Audited(any_world)
    audited.sequenced(3)
    audited.sequenced(2)
    kept = audited.outside.written[-1].note
    audited.happens()
    audited.tampers(tamper)
    audited.sequenced(again)
    assert audited.outside.aside == [kept]
    assert audited.outside.written[-1].note != kept
    audited.tampers(rewritten if tamper is forged_one_further else put_right)
    assert any(finding.startswith("kept ") for finding in audited.findings({"kept": kept}))
    audited.sequenced(1)
    assert audited.outside.aside[0] == kept


def test_it_is_set_aside_though_whoever_looks_has_grown_the_tree_to_its_length(
    world: World,
) -> None:
    audited = Audited(world)
    audited.sequenced(3)
    audited.sequenced(2)
    kept = audited.outside.written[-1].note
    audited.tampers(cut)
    audited.happens(2)
    assert replace(audited.sequencer(), witness=None).sequence() == 2
    audited.sequenced(1)
    assert audited.outside.aside == [kept]


def test_a_head_from_which_another_process_went_on_is_not_gone(any_world: World) -> None:
    audited = Audited(any_world)
    for _ in range(3):
        audited.sequenced(2)
    audited.outside.written.append(audited.outside.written[0])
    audited.sequenced(1)
    assert audited.outside.aside == []


class Overtaken(sequence.Sequencer):
    """One that does not get to what it writes outside before something else has happened."""

    def _place(self, kept: SignedHead | None) -> sequence._Placed:
        found = super()._place(kept)
        meanwhile.pop()()
        return found


meanwhile: list[Callable[[], object]] = []


def when_overtaken(audited: Audited, by: Callable[[], object]) -> None:
    meanwhile.append(by)
    plain = audited.sequencer()
    Overtaken(plain.database, plain.signer, plain.clock, plain.witness).sequence()


@pytest.mark.parametrize("leaves", [1, 2])
def test_who_was_overtaken_leaves_the_others_head_where_it_is(
    any_world: World, leaves: int
) -> None:
    audited = Audited(any_world)
    audited.sequenced(3)
    audited.happens()
    when_overtaken(audited, by=lambda: audited.sequenced(leaves))
    assert len(audited.outside.written) == 2
    audited.sequenced(1)
    assert len(audited.outside.written) == 3
    assert audited.outside.aside == []


def test_a_head_that_was_written_meanwhile_is_never_written_over_unproven(world: World) -> None:
    """Another process went on; then the tree was rewritten, before this one got its turn."""
    audited = Audited(world)
    audited.sequenced(3)
    before = audited.outside.written[0]
    audited.sequenced(2)
    others = audited.outside.written.pop()
    audited.tampers(rewritten_after_three)
    audited.happens()
    when_overtaken(audited, by=lambda: audited.outside.written.append(others))
    assert audited.outside.written == [before, others]
    audited.sequenced(1)
    assert audited.outside.aside == [others.note]


def test_a_head_that_was_not_written_is_once_there_is_time(any_world: World) -> None:
    """A process ended between its commit and this, or came late."""
    audited = Audited(any_world)
    audited.sequenced(3)
    audited.happens(2)
    assert replace(audited.sequencer(), witness=None).sequence() == 2
    assert audited.sequencer().sequence() == 0
    kept = [head.note for head in audited.outside.written]
    with any_world.database.transaction() as session:
        assert kept == [row.note for row in session.exec(select(tables.CheckpointRow)).all()]
    assert audited.sequencer().sequence() == 0
    assert len(audited.outside.written) == 2


def test_a_tree_of_which_nothing_is_kept_is_witnessed_without_a_leaf(any_world: World) -> None:
    """Its witness was moved to another folder, say."""
    audited = Audited(any_world)
    audited.sequenced(3)
    kept = audited.outside.written.pop()
    assert audited.sequencer().sequence() == 0
    assert audited.outside.written == [kept]


def test_without_a_leaf_nothing_is_kept_and_a_tree_that_is_gone_is_found(world: World) -> None:
    audited = Audited(world)
    assert audited.sequencer().sequence() == 0
    assert audited.outside.written == []
    audited.sequenced(2)
    audited.tampers(emptied)
    assert audited.sequencer().sequence() == 0
    assert audited.outside.aside == [audited.outside.written[-1].note]
    assert len(audited.outside.written) == 1


@pytest.mark.parametrize("damage", ["", "half a no", "another's"])
def test_what_is_no_head_of_ours_proves_nothing(world: World, damage: str) -> None:
    audited = Audited(world)
    audited.sequenced(2)
    other = sign(Checkpoint(ORIGIN, 9, bytes(32)), Signer.generate(ORIGIN))
    audited.outside.written.append(SignedHead(other if damage == "another's" else damage, b""))
    audited.sequenced(1)
    assert audited.outside.aside == []


@pytest.mark.parametrize("frontier", [b"", b"short", Frontier().to_bytes()])
def test_a_head_whose_frontier_is_lost_is_set_aside_where_the_tree_is_longer(
    world: World, frontier: bytes
) -> None:
    """It may well fit: verify, which walks the whole tree, will tell."""
    audited = Audited(world)
    audited.sequenced(2)
    kept = audited.outside.written[-1].note
    audited.outside.written.append(SignedHead(kept, frontier))
    audited.sequenced(1)
    assert audited.outside.aside == []  # the tree was as long as the head: its root is enough
    audited.outside.written.append(SignedHead(kept, frontier))
    audited.sequenced(1)
    assert audited.outside.aside == [kept]
    assert audited.findings({"kept": kept}) == []


def test_a_head_that_is_far_behind_is_set_aside_and_nobody_waits_for_the_proof(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    audited = Audited(world)
    for _ in range(4):
        audited.sequenced(1)
    monkeypatch.setattr(sequence, "_MOST_BETWEEN", 2)
    audited.outside.written.append(audited.outside.written[1])
    audited.sequenced(1)
    assert audited.outside.aside == []
    audited.outside.written.append(audited.outside.written[1])
    audited.sequenced(1)
    assert audited.outside.aside == [audited.outside.written[1].note]
