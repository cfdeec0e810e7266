"""Gives committed leaves their place in the tree, and signs the tree's head.

There is one sequencer at a time, so that commits never wait for each other. It locks the head's
row, takes the leaves without a place, appends them, and leaves a signed checkpoint.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from sqlalchemy import bindparam
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from flagservice.audit.checkpoint import Checkpoint, CheckpointError, Signer, sign, verify
from flagservice.audit.log import Clock
from flagservice.audit.tree import BadFrontier, Frontier, leaf_hash
from flagservice.store import leaves, tables
from flagservice.store.database import Database

_WAITING: Final = (
    select(col(tables.LeafRow.row), col(tables.LeafRow.body))
    .where(col(tables.LeafRow.position).is_(None))
    .order_by(col(tables.LeafRow.row))
)
_BETWEEN: Final = (
    select(col(tables.LeafRow.body))
    .where(col(tables.LeafRow.position) >= bindparam("from"))
    .where(col(tables.LeafRow.position) < bindparam("to"))
    .order_by(col(tables.LeafRow.position))
)
_MOST_BETWEEN: Final = 50_000
"""Leaves between the head that was kept and the tree's: of more it is not proven while all wait."""


@dataclass(frozen=True)
class SignedHead:
    """A signed head, and the frontier that proves whether a longer tree has grown from it."""

    note: str
    frontier: bytes


class HeadWitness(Protocol):
    """A store of heads outside the database. Who can write to the database cannot reach it.

    Its methods raise OSError.
    """

    def read(self) -> SignedHead | None:
        """Returns the head that was kept last, if there is one."""

    def write(self, head: SignedHead, *, instead_of: SignedHead | None) -> None:
        """Keeps this head in place of that one, unless another is kept by now."""

    def set_aside(self, note: str) -> None:
        """Keeps this note for good, beside the others. To do it twice changes nothing."""


class _Placed(NamedTuple):
    """How many leaves got a place, a head to keep, and whether the tree grew from the last head.

    There is no head where the witness has it already, or where there is no tree.
    """

    leaves: int
    head: SignedHead | None
    grown: bool


@dataclass(frozen=True)
class Sequencer:
    """Appends to one tree with one key."""

    database: Database
    signer: Signer
    clock: Clock
    witness: HeadWitness | None = None
    batch: int = 2000

    def sequence(self) -> int:
        """Places every waiting leaf, up to a batch, and returns how many there were.

        Once the signed head is committed, it goes to the witness, which is outside the database: a
        tree that was cut or built anew is found by it. The head replaces the one head from which
        the tree is proven to have grown. A head from which it has not grown is set aside first. If
        another process was faster, its head stays, and the next round goes on from there.

        Where the witness cannot be read or written, the leaves have their place all the same, and
        OSError is raised after that.
        """
        kept, fault = self._kept()
        try:
            placed = self._place(kept)
        except IntegrityError:  # another began the tree at this very moment: now there is one
            placed = self._place(kept)
        if fault is not None:
            raise fault  # what cannot be read is not written over
        if self.witness is not None:
            if kept is not None and not placed.grown:
                self.witness.set_aside(kept.note)
            if placed.head is not None:
                self.witness.write(placed.head, instead_of=kept)
        return placed.leaves

    def catch_up(self) -> None:
        """Places what waits now. Leaves that come meanwhile may wait, or it would not end."""
        while self.sequence() >= self.batch:
            pass

    def _kept(self) -> tuple[SignedHead | None, OSError | None]:
        """Reads the witness before the transaction: a folder that hangs delays nobody else."""
        try:
            return (self.witness.read() if self.witness is not None else None), None
        except OSError as wrong:
            return None, wrong

    def _signed(self, head: SignedHead) -> Checkpoint | None:
        """Returns what a head's note says, if we signed it."""
        try:
            return verify(head.note, self.signer.name, public_key=self.signer.public_key_bytes)
        except CheckpointError:
            return None

    def _place(self, kept: SignedHead | None) -> _Placed:
        with self.database.transaction() as session:
            head = _locked_head(session)
            # Rows, not objects: at a thousand polls a second this is a good part of all work.
            waiting = session.connection().execute(_WAITING.limit(self.batch)).all()
            frontier = Frontier.from_bytes(head.frontier)
            grown = self._has_grown(session, now=frontier, kept=kept)
            if not waiting:
                return _Placed(0, self._unkept(frontier, kept), grown)
            leaves.place(session, [row for row, _ in waiting], first=frontier.size)
            for _, body in waiting:
                frontier.append(leaf_hash(body))
            head.size, head.frontier = frontier.size, frontier.to_bytes()
            signed = self._head(frontier)
            # There may be one of a tree that is not there: it is replaced.
            session.merge(
                tables.CheckpointRow(size=frontier.size, note=signed.note, at=self.clock())
            )
            return _Placed(len(waiting), signed, grown)

    def _head(self, frontier: Frontier) -> SignedHead:
        checkpoint = Checkpoint(self.signer.name, frontier.size, frontier.root())
        return SignedHead(sign(checkpoint, self.signer), frontier.to_bytes())

    def _unkept(self, frontier: Frontier, kept: SignedHead | None) -> SignedHead | None:
        """Returns the tree's head if the witness keeps another: a process ended early."""
        if frontier.size == 0 or (kept is not None and kept.frontier == frontier.to_bytes()):
            return None
        return self._head(frontier)

    def _has_grown(self, session: Session, *, now: Frontier, kept: SignedHead | None) -> bool:
        """Returns whether the tree has grown from the kept head, by that head's frontier.

        The database's own word proves nothing.
        """
        signed = None if kept is None else self._signed(kept)
        if kept is None or signed is None:  # no head of ours: it proves nothing
            return True
        if signed.size == now.size:
            return signed.root == now.root()
        try:
            frontier = Frontier.from_bytes(kept.frontier)
        except BadFrontier:
            return False
        if (frontier.size, frontier.root()) != (signed.size, signed.root):
            return False
        if not 0 < now.size - frontier.size <= _MOST_BETWEEN:
            return False
        since = {"from": frontier.size, "to": now.size}
        for (body,) in session.connection().execute(_BETWEEN, since):
            frontier.append(leaf_hash(body))
        return frontier.to_bytes() == now.to_bytes()


def _locked_head(session: Session) -> tables.TreeHeadRow:
    head = session.exec(
        select(tables.TreeHeadRow).where(col(tables.TreeHeadRow.id) == 1).with_for_update()
    ).first()
    if head is None:
        head = tables.TreeHeadRow(id=1, size=0, frontier=Frontier().to_bytes())
        session.add(head)
        session.flush()
    return head
