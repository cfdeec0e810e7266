"""An audit to sequence and to verify, and ways to tamper with it behind its back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlmodel import Session, col, select

from flagservice.audit.checkpoint import Signer
from flagservice.audit.log import Actor, Deed
from flagservice.audit.sequence import Sequencer, SignedHead
from flagservice.audit.verify import verify_audit
from flagservice.store import tables
from tests.world import World

ORIGIN = "flagservice.example/audit"


@dataclass
class Kept:
    """Every head that was ever written, and the notes of those that were set aside."""

    written: list[SignedHead] = field(default_factory=list)
    aside: list[str] = field(default_factory=list)

    def read(self) -> SignedHead | None:
        return self.written[-1] if self.written else None

    def write(self, head: SignedHead, *, instead_of: SignedHead | None) -> None:
        if self.read() == instead_of:
            self.written.append(head)

    def set_aside(self, note: str) -> None:
        if note not in self.aside:
            self.aside.append(note)


@dataclass
class Audited:
    """A world whose leaves are sequenced and verified."""

    world: World
    signer: Signer = field(
        default_factory=lambda: Signer(ORIGIN, Ed25519PrivateKey.from_private_bytes(bytes(32)))
    )
    outside: Kept = field(default_factory=Kept)

    def sequencer(self, batch: int = 2000) -> Sequencer:
        world = self.world
        return Sequencer(world.database, self.signer, lambda: world.now, self.outside, batch)

    def happens(self, times: int = 1) -> None:
        for _ in range(times):
            self.world.log.perform(Actor("somebody"), lambda work: work.record(Deed.READ))

    def sequenced(self, times: int = 1) -> None:
        self.happens(times)
        self.sequencer().sequence()

    def findings(
        self, kept: Mapping[str, str] | None = None, *, later: timedelta = timedelta(0)
    ) -> list[str]:
        found = verify_audit(
            self.world.database,
            origin=ORIGIN,
            public_key=self.signer.public_key_bytes,
            now=self.world.now + later,
            kept=kept,
        )
        return list(found.findings)

    def tampers(self, deed: Callable[[Session], object]) -> None:
        with self.world.database.transaction() as session:
            deed(session)

    def leaf(self, session: Session, position: int) -> tables.LeafRow:
        return session.exec(select(tables.LeafRow).where(tables.LeafRow.position == position)).one()


def positions(world: World) -> list[int | None]:
    with world.database.transaction() as session:
        asked = select(col(tables.LeafRow.position)).order_by(col(tables.LeafRow.position))
        return list(session.exec(asked).all())
