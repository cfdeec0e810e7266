"""Gives leaves their place in the tree, once they are committed, and signs the tree's head.

One sequencer at a time, so that commits never wait for each other: it locks the head's row, takes
the leaves that have no place yet, appends them, and leaves a signed checkpoint.
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
    select(col(tables.Leaf.row), col(tables.Leaf.body))
    .where(col(tables.Leaf.position).is_(None))
    .order_by(col(tables.Leaf.row))
)
_BETWEEN: Final = (
    select(col(tables.Leaf.body))
    .where(col(tables.Leaf.position) >= bindparam("from"))
    .where(col(tables.Leaf.position) < bindparam("to"))
    .order_by(col(tables.Leaf.position))
)
_MOST_BETWEEN: Final = 50_000
"""Leaves between the head that was kept and the tree's: of more it is not proven while all wait."""


@dataclass(frozen=True)
class Head:
    """A signed head, and the frontier that proves whether a longer tree has grown from it."""

    note: str
    frontier: bytes


class Outside(Protocol):
    """Where heads are kept that whoever can write to the database cannot reach; raises OSError."""

    def read(self) -> Head | None:
        """The head that was kept last, if any was."""

    def write(self, head: Head) -> None:
        """Keeps this head in place of it."""

    def set_aside(self, note: str) -> None:
        """Keeps this one for good, beside the others; once or twice is the same."""


class _Placed(NamedTuple):
    """How many leaves got their place, the head after them, and what it had not grown from."""

    leaves: int
    head: Head
    lost: Head | None = None


_NOTHING: Final = _Placed(0, Head("", b""))


@dataclass(frozen=True)
class Sequencer:
    """Appends to one tree with one key."""

    database: Database
    signer: Signer
    clock: Clock
    witness: Outside | None = None
    batch: int = 2000

    def sequence(self) -> int:
        """Places every waiting leaf, up to a batch, and answers how many there were.

        The signed head goes to the witness, too, once it is committed: a place outside the
        database, so that nobody can cut the tree or build another without being found. A head that
        was kept there, and that the tree has not grown from, is set aside first.

        Where the witness cannot be read or written the leaves have their place all the same, and
        OSError is raised after it.
        """
        kept, fault = self._kept()
        try:
            placed = self._place(kept)
        except IntegrityError:  # another began the tree at this very moment: now there is one
            placed = self._place(kept)
        if placed.leaves and self.witness is not None:
            if fault is not None:
                raise fault  # what cannot be read is not written over
            self._keep(self.witness, placed)
        return placed.leaves

    def _kept(self) -> tuple[Head | None, OSError | None]:
        """Before the transaction: a folder that hangs must keep nobody else waiting."""
        try:
            return (self.witness.read() if self.witness is not None else None), None
        except OSError as wrong:
            return None, wrong

    def _keep(self, witness: Outside, placed: _Placed) -> None:
        if placed.lost is not None:
            witness.set_aside(placed.lost.note)
        else:
            now = witness.read()
            if now is not None and self._size(now) > self._size(placed.head):
                return  # another process was quicker
        witness.write(placed.head)

    def _size(self, head: Head) -> int:
        signed = self._signed(head)
        return 0 if signed is None else signed.size

    def _signed(self, head: Head) -> Checkpoint | None:
        """What its note says, if that is ours."""
        try:
            return verify(head.note, self.signer.name, public_key=self.signer.public_key_bytes)
        except CheckpointError:
            return None

    def _place(self, kept: Head | None) -> _Placed:
        with self.database.transaction() as session:
            head = _locked_head(session)
            # Rows, not objects: at a thousand polls a second this is a good part of all work.
            waiting = session.connection().execute(_WAITING.limit(self.batch)).all()
            if not waiting:
                return _NOTHING
            frontier = Frontier.from_bytes(head.frontier)
            lost = None if self._has_grown(session, now=frontier, kept=kept) else kept
            leaves.place(session, [row for row, _ in waiting], first=frontier.size)
            for _, body in waiting:
                frontier.append(leaf_hash(body))
            head.size, head.frontier = frontier.size, frontier.to_bytes()
            checkpoint = Checkpoint(self.signer.name, frontier.size, frontier.root())
            note = sign(checkpoint, self.signer)
            # Somebody may have left one of a tree that is not there; it stops nobody.
            session.merge(tables.Checkpoint(size=frontier.size, note=note, at=self.clock()))
            return _Placed(len(waiting), Head(note, head.frontier), lost)

    def _has_grown(self, session: Session, *, now: Frontier, kept: Head | None) -> bool:
        """From the head that was kept? By its own frontier: the database's word proves nothing."""
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


def _locked_head(session: Session) -> tables.TreeHead:
    head = session.exec(
        select(tables.TreeHead).where(col(tables.TreeHead.id) == 1).with_for_update()
    ).first()
    if head is None:
        head = tables.TreeHead(id=1, size=0, frontier=Frontier().to_bytes())
        session.add(head)
        session.flush()
    return head
