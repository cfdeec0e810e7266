"""Verifies the audit: no leaf was altered, removed, moved or put in, and none is missing.

1. Every leaf stands at its position, from 0 without a gap, and names its own row.
2. The tree that is built from them has the root of every signed checkpoint, and of the head.
3. We signed every checkpoint.
4. Every deed that must have a leaf has one: submissions, rulings, versions, decisions.
5. No leaf waits for its place longer than the sequencer needs.
6. The tree has grown from every head that was kept outside the database, and none is long behind.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson
from sqlmodel import Session, col, select

from flagservice.audit.checkpoint import Checkpoint, CheckpointError, verify
from flagservice.audit.log import Deed
from flagservice.audit.tree import Frontier, leaf_hash
from flagservice.store import tables
from flagservice.store.database import Database

_PATIENCE = timedelta(minutes=1)


@dataclass(frozen=True)
class Verified:
    """How many leaves and checkpoints were checked, and all that was found wrong."""

    leaves: int
    checkpoints: int
    findings: tuple[str, ...]


def verify_audit(
    database: Database,
    *,
    origin: str,
    public_key: bytes,
    now: datetime,
    kept: Mapping[str, str] | None = None,
) -> Verified:
    """Checks the whole audit of one database.

    `kept` has the signed heads that are kept outside the database, by names that findings use.
    Without `kept` no witness is asked.
    """
    by = TrustedSigner(origin, public_key)
    with database.transaction(at_once=True) as session:
        notes = {row.size: row.note for row in session.exec(select(tables.CheckpointRow)).all()}
        heads = _KeptHeads({} if kept is None else kept, by=by)
        walk = _Walk(notes, kept=heads, by=by)
        findings = list(walk.over(_placed(session)))
        findings += _head(session, walk.frontier)
        findings += _unleaved(session, walk.about)
        findings += _late(session, now)
        if kept is not None:
            findings += _unwitnessed(session, now, witnessed=heads.newest)
    return Verified(walk.frontier.size, len(notes), tuple(findings))


@dataclass(frozen=True)
class _Said:
    """What a leaf says: its own id, and what was done to which ids."""

    id: str
    about: set[tuple[str, str]]


def _said(leaf: tables.LeafRow) -> _Said | None:
    try:
        body = orjson.loads(leaf.body)
        return _Said(body["id"], {(body["deed"], str(value)) for value in body["about"].values()})
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        return None


def _placed(session: Session) -> Iterator[tables.LeafRow]:
    asked = (
        select(tables.LeafRow)
        .where(col(tables.LeafRow.position).is_not(None))
        .order_by(col(tables.LeafRow.position))
        .execution_options(yield_per=1000)
    )
    yield from session.exec(asked)


class _Walk:
    """Walks along the leaves once, and builds the tree anew."""

    def __init__(self, notes: dict[int, str], *, kept: "_KeptHeads", by: "TrustedSigner") -> None:
        self.frontier = Frontier()
        self.about: set[tuple[str, str]] = set()
        self._notes = dict(notes)
        self._by = by
        self._kept = kept

    def over(self, leaves: Iterable[tables.LeafRow]) -> Iterator[str]:
        for leaf in leaves:
            if leaf.position != self.frontier.size:
                yield f"leaf {self.frontier.size} is missing"
            yield from self._leaf(leaf)
            self.frontier.append(leaf_hash(leaf.body))
            yield from self._checkpoint()
        for size in self._notes:
            yield f"checkpoint {size} is of a tree that is not there"
        yield from self._kept.left()

    def _leaf(self, leaf: tables.LeafRow) -> Iterator[str]:
        said = _said(leaf)
        if said is None:
            yield f"leaf {leaf.position} is not a leaf"
            return
        if said.id != leaf.id:
            yield f"leaf {leaf.position} stands in another's row"
        self.about |= said.about

    def _checkpoint(self) -> Iterator[str]:
        note = self._notes.pop(self.frontier.size, None)
        if note is not None:
            yield from self._fits(note)
        yield from self._kept.met(self.frontier)

    def _fits(self, note: str) -> Iterator[str]:
        try:
            signed = verify(note, self._by.origin, public_key=self._by.public_key)
        except CheckpointError as wrong:
            yield f"checkpoint {self.frontier.size}: {wrong}"
            return
        if (signed.size, signed.root) != (self.frontier.size, self.frontier.root()):
            yield f"checkpoint {self.frontier.size} does not fit: a leaf before it was changed"


@dataclass(frozen=True)
class TrustedSigner:
    """The log whose signature counts, and its public key."""

    origin: str
    public_key: bytes


class _KeptHeads:
    """The heads that were kept outside. The tree meets them as it grows."""

    def __init__(self, kept: Mapping[str, str], *, by: TrustedSigner) -> None:
        self._signed: dict[str, Checkpoint] = {}
        self._strange = []
        for name, note in kept.items():
            try:
                self._signed[name] = verify(note, by.origin, public_key=by.public_key)
            except CheckpointError:
                self._strange.append(name)
        self.newest = max((one.size for one in self._signed.values()), default=0)

    def met(self, frontier: Frontier) -> Iterator[str]:
        """Yields which heads of the tree's present size do not fit."""
        for name in [name for name, one in self._signed.items() if one.size == frontier.size]:
            if self._signed.pop(name).root != frontier.root():
                yield f"{name} does not fit: the tree has not grown from this head"

    def left(self) -> Iterator[str]:
        """Yields which heads the tree has not met at its end."""
        for name in self._signed:
            yield f"{name} is the head of a longer tree: the end of this one is missing"
        for name in self._strange:
            yield f"{name} is no head that we signed"


def _head(session: Session, frontier: Frontier) -> Iterator[str]:
    head = session.get(tables.TreeHeadRow, 1)
    kept = head.frontier if head else Frontier().to_bytes()
    if kept != frontier.to_bytes():
        yield "the head of the tree is not what its leaves make"
    newest = session.exec(
        select(tables.CheckpointRow).order_by(col(tables.CheckpointRow.size).desc())
    ).first()
    if (newest.size if newest else 0) != frontier.size:
        yield "the newest checkpoint is missing"


def _unleaved(session: Session, about: set[tuple[str, str]]) -> Iterator[str]:
    """Yields which rows lack their leaf. A leaf removed before it had a place is missed here."""
    known = set(about)
    for leaf in session.exec(select(tables.LeafRow).where(col(tables.LeafRow.position).is_(None))):
        said = _said(leaf)
        if said is None or said.id != leaf.id:
            yield "a leaf that waits for its place is not a leaf, or stands in another's row"
        else:
            known |= said.about
    for what, ids, deeds in _must_have(session):
        for id_ in ids:
            if not any((deed, id_) in known for deed in deeds):
                yield f"a {what} has no leaf"


def _must_have(session: Session) -> Iterator[tuple[str, Iterable[str], tuple[Deed, ...]]]:
    submissions = session.exec(select(col(tables.SubmissionRow.id)))
    yield "submission", submissions.all(), (Deed.SUBMITTED, Deed.SUPERSEDED)
    yield "ruling", session.exec(select(col(tables.RulingRow.id))).all(), (Deed.RULED,)
    versions = session.exec(select(col(tables.VersionRow.id)))
    yield "version", versions.all(), (Deed.DISCLOSED, Deed.TAKEN_BACK)
    decided = select(col(tables.HoldRow.id)).where(col(tables.HoldRow.outcome).is_not(None))
    yield "decision", session.exec(decided).all(), (Deed.DECIDED,)


def _unwitnessed(session: Session, now: datetime, *, witnessed: int) -> Iterator[str]:
    asked = (
        select(tables.CheckpointRow)
        .where(col(tables.CheckpointRow.size) > witnessed)
        .where(col(tables.CheckpointRow.at) < now - _PATIENCE)
    )
    if session.exec(asked).first() is not None:
        yield f"only {witnessed} leaves are witnessed outside the database, for more than a minute"


def _late(session: Session, now: datetime) -> Iterator[str]:
    asked = (
        select(tables.LeafRow)
        .where(col(tables.LeafRow.position).is_(None))
        .where(col(tables.LeafRow.at) < now - _PATIENCE)
    )
    if session.exec(asked).first() is not None:
        yield "a leaf has waited for its place for more than a minute"
