"""Gives leaves their place in the tree, once they are committed, and signs the tree's head.

One sequencer at a time, so that commits never wait for each other: it locks the head's row, takes
the leaves that have no place yet, appends them, and leaves a signed checkpoint.
"""

from dataclasses import dataclass
from typing import Final, Protocol

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from flagservice.audit.checkpoint import Checkpoint, CheckpointError, Signer, sign, verify
from flagservice.audit.log import Clock
from flagservice.audit.tree import Frontier, leaf_hash
from flagservice.store import leaves, tables
from flagservice.store.database import Database

_WAITING: Final = (
    select(col(tables.Leaf.row), col(tables.Leaf.body))
    .where(col(tables.Leaf.position).is_(None))
    .order_by(col(tables.Leaf.row))
)


class Outside(Protocol):
    """Where heads are kept that whoever can write to the database cannot reach."""

    def read(self) -> str | None:
        """The head that was kept last, if any was."""

    def write(self, note: str) -> None:
        """Keeps this head in place of it."""

    def set_aside(self, note: str) -> None:
        """Keeps this one for good, beside the others; once or twice is the same."""


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
        database, so that nobody can cut the tree's end off without being found. A head that was
        kept there and is gone from the database is set aside before another takes its place.
        """
        try:
            placed, note = self._place()
        except IntegrityError:  # another began the tree at this very moment: now there is one
            placed, note = self._place()
        if placed and self.witness is not None:
            self.witness.write(note)
        return placed

    def _place(self) -> tuple[int, str]:
        with self.database.transaction() as session:
            head = _locked_head(session)
            # Rows, not objects: at a thousand polls a second this is a good part of all work.
            waiting = session.connection().execute(_WAITING.limit(self.batch)).all()
            if not waiting:
                return 0, ""
            self._save_what_is_gone(session)
            frontier = Frontier.from_bytes(head.frontier)
            leaves.place(session, [row for row, _ in waiting], first=frontier.size)
            for _, body in waiting:
                frontier.append(leaf_hash(body))
            head.size, head.frontier = frontier.size, frontier.to_bytes()
            checkpoint = Checkpoint(self.signer.name, frontier.size, frontier.root())
            note = sign(checkpoint, self.signer)
            session.add(tables.Checkpoint(size=frontier.size, note=note, at=self.clock()))
            return len(waiting), note

    def _save_what_is_gone(self, session: Session) -> None:
        """A tree that was cut grows again, and would soon be as long as what was kept of it."""
        kept = self.witness.read() if self.witness is not None else None
        if self.witness is None or kept is None:
            return
        try:
            size = verify(kept, self.signer.name, public_key=self.signer.public_key_bytes).size
        except CheckpointError:  # no head of ours: it proves nothing
            return
        known = session.get(tables.Checkpoint, size)
        if known is None or known.note != kept:
            self.witness.set_aside(kept)


def _locked_head(session: Session) -> tables.TreeHead:
    head = session.exec(
        select(tables.TreeHead).where(col(tables.TreeHead.id) == 1).with_for_update()
    ).first()
    if head is None:
        head = tables.TreeHead(id=1, size=0, frontier=Frontier().to_bytes())
        session.add(head)
        session.flush()
    return head
