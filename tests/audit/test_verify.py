"""Whatever is altered, removed, moved, put in or missing is found."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlmodel import Session, delete, select, update

from flagservice.audit import verify as verifying
from flagservice.audit.checkpoint import Checkpoint, Signer, sign
from flagservice.store import tables
from tests.audit.steps import ORIGIN, Audited
from tests.intake.people import ELSEWHERE, a_notification, a_plan, given_the_family
from tests.world import COUNCIL, POLICE, World

ALTERED = "does not fit: a leaf before it was changed"


@pytest.fixture
def audited(world: World) -> Audited:
    """Ten leaves under three signed heads, and the work of two agencies."""
    found = Audited(world)
    found.sequenced(3)
    found.sequenced(4)
    given_the_family(world)
    world.posts(COUNCIL, a_plan())
    world.posts(POLICE, a_notification())
    world.decides(ELSEWHERE)
    found.sequenced(3)
    assert found.findings() == []
    return found


def test_an_audit_of_nothing_is_whole(world: World) -> None:
    assert Audited(world).findings() == []


def test_leaves_that_wait_for_their_place_are_part_of_it(world: World) -> None:
    audited = Audited(world)
    given_the_family(world)
    world.posts(COUNCIL, a_plan())
    assert audited.findings() == []


def _altered(body: bytes) -> bytes:
    return body.replace(b'"read"', b'"fed_"')


def test_an_altered_leaf_is_found(audited: Audited) -> None:
    def tamper(session: Session) -> None:
        audited.leaf(session, 1).body = _altered(audited.leaf(session, 1).body)

    audited.tampers(tamper)
    assert f"checkpoint 3 {ALTERED}" in audited.findings()
    assert "the head of the tree is not what its leaves make" in audited.findings()


@pytest.mark.parametrize("position", [0, 2, 5])
def test_a_removed_leaf_is_found(audited: Audited, position: int) -> None:
    audited.tampers(lambda session: session.delete(audited.leaf(session, position)))
    assert f"leaf {position} is missing" in audited.findings()


def test_the_last_leaf_removed_is_found(audited: Audited) -> None:
    def tamper(session: Session) -> None:
        head = session.get_one(tables.TreeHeadRow, 1)
        session.delete(audited.leaf(session, head.size - 1))

    audited.tampers(tamper)
    assert any("is of a tree that is not there" in finding for finding in audited.findings())


def test_two_leaves_that_changed_places_are_found(audited: Audited) -> None:
    def tamper(session: Session) -> None:
        first, second = audited.leaf(session, 0), audited.leaf(session, 1)
        first.position, second.position = None, None
        session.flush()
        first.position, second.position = 1, 0

    audited.tampers(tamper)
    assert f"checkpoint 3 {ALTERED}" in audited.findings()


def test_two_bodies_that_changed_rows_are_found(audited: Audited) -> None:
    def tamper(session: Session) -> None:
        first, second = audited.leaf(session, 0), audited.leaf(session, 1)
        first.body, second.body = second.body, first.body

    audited.tampers(tamper)
    assert "leaf 0 stands in another's row" in audited.findings()


def test_an_inserted_leaf_is_found(audited: Audited) -> None:
    def tamper(session: Session) -> None:
        size = session.get_one(tables.TreeHeadRow, 1).size
        for position in reversed(range(2, size)):
            audited.leaf(session, position).position = position + 1
            session.flush()
        session.add(tables.LeafRow(id="x", at=audited.world.now, body=_leaf("x"), position=2))

    audited.tampers(tamper)
    assert f"checkpoint 3 {ALTERED}" in audited.findings()
    assert "the newest checkpoint is missing" in audited.findings()


def _leaf(id_: str, **more: Any) -> bytes:
    return orjson.dumps({"id": id_, "deed": "read", "about": {}, **more})


@pytest.mark.parametrize("body", [b"", b"{}", b"[1]", b'"x"', b'{"id": "x", "deed": 1}', b"\xff"])
@pytest.mark.parametrize("waiting", [True, False])
def test_a_leaf_that_is_none_is_found(audited: Audited, body: bytes, waiting: bool) -> None:
    if waiting:
        audited.happens()

    def tamper(session: Session) -> None:
        found = tables.LeafRow.position.is_(None) if waiting else tables.LeafRow.position == 4
        session.exec(update(tables.LeafRow).where(found).values(body=body))

    audited.tampers(tamper)
    wanted = "a leaf that waits for its place is not a leaf" if waiting else "leaf 4 is not a leaf"
    assert any(finding.startswith(wanted) for finding in audited.findings())


def test_a_waiting_leaf_in_anothers_row_is_found(audited: Audited) -> None:
    audited.happens()

    def tamper(session: Session) -> None:
        waiting = tables.LeafRow.position.is_(None)
        session.exec(update(tables.LeafRow).where(waiting).values(body=_leaf("another")))

    audited.tampers(tamper)
    assert len(audited.findings()) == 1


@pytest.mark.parametrize(
    ("note", "finding"),
    [
        (lambda note: note.replace("\n3\n", "\n4\n"), "the signature does not fit the text"),
        (lambda _: "no note at all", "a note is a text"),
        (lambda _: _signed_by_another(), "exactly one signature by the log's key"),
    ],
)
def test_a_changed_checkpoint_is_found(
    audited: Audited, note: Callable[[str], str], finding: str
) -> None:
    def tamper(session: Session) -> None:
        row = session.get_one(tables.CheckpointRow, 3)
        row.note = note(row.note)

    audited.tampers(tamper)
    assert any(finding in found for found in audited.findings())


def _signed_by_another() -> str:
    other = Signer(ORIGIN, Ed25519PrivateKey.from_private_bytes(bytes([1]) * 32))
    return sign(Checkpoint(ORIGIN, 3, bytes(32)), other)


def test_a_checkpoint_that_was_signed_for_another_tree_is_found(audited: Audited) -> None:
    def tamper(session: Session) -> None:
        lie = Checkpoint(ORIGIN, 3, bytes(32))
        session.get_one(tables.CheckpointRow, 3).note = sign(lie, audited.signer)

    audited.tampers(tamper)
    assert audited.findings() == [f"checkpoint 3 {ALTERED}"]


def test_the_newest_checkpoint_missing_is_found(audited: Audited) -> None:
    def tamper(session: Session) -> None:
        size = session.get_one(tables.TreeHeadRow, 1).size
        session.delete(session.get_one(tables.CheckpointRow, size))

    audited.tampers(tamper)
    assert audited.findings() == ["the newest checkpoint is missing"]


def test_every_checkpoint_and_the_head_missing_is_found(audited: Audited) -> None:
    def tamper(session: Session) -> None:
        session.exec(delete(tables.CheckpointRow))
        session.exec(delete(tables.TreeHeadRow))

    audited.tampers(tamper)
    assert audited.findings() == [
        "the head of the tree is not what its leaves make",
        "the newest checkpoint is missing",
    ]


@pytest.mark.parametrize(
    ("what", "deeds"),
    [
        ("submission", ("submitted",)),
        ("ruling", ("ruled",)),
        ("version", ("disclosed", "taken-back")),
        ("decision", ("decided",)),
    ],
)
def test_a_row_whose_leaf_was_removed_before_it_had_a_place_is_found(
    world: World, what: str, deeds: tuple[str, ...]
) -> None:
    audited = Audited(world)
    given_the_family(world)
    world.posts(COUNCIL, a_plan())
    world.posts(POLICE, a_notification())
    world.decides(ELSEWHERE)

    def tamper(session: Session) -> None:
        for leaf in session.exec(select(tables.LeafRow)):
            if orjson.loads(leaf.body)["deed"] in deeds:
                session.delete(leaf)

    audited.tampers(tamper)
    audited.sequenced()
    assert set(audited.findings()) == {f"a {what} has no leaf"}


def test_a_leaf_that_waits_too_long_for_its_place_is_found(audited: Audited) -> None:
    audited.happens()
    assert audited.findings(later=timedelta(seconds=60)) == []
    assert audited.findings(later=timedelta(seconds=61)) == [
        "a leaf has waited for its place for more than a minute"
    ]


def test_a_head_that_was_kept_outside_fits_though_the_tree_has_grown(audited: Audited) -> None:
    kept = {f"head {nth}": head.note for nth, head in enumerate(audited.outside.written)}
    assert len(kept) > 1
    assert audited.findings(kept) == []


def test_a_tree_whose_end_was_cut_off_is_found_by_the_head_that_was_kept_outside(
    audited: Audited,
) -> None:
    """Everything in the database may agree, and the key may be stolen: the witness does not."""
    oldest, *_, newest = (head.note for head in audited.outside.written)
    world = World("sqlite://", seed=2)
    shorter = Audited(world)
    shorter.sequenced(3)
    assert shorter.findings() == []
    assert shorter.findings({"old": oldest, "new": newest, "torn": "half a no"}) == [
        "old does not fit: the tree has not grown from this head",
        "new is the head of a longer tree: the end of this one is missing",
        "torn is no head that we signed",
    ]
    world.close()


def test_what_happens_while_it_looks_is_no_finding(
    postgresql_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    audited = Audited(postgresql_world)
    audited.sequenced(3)
    given_the_family(postgresql_world)
    plain = verifying._placed

    def slowly(session: Session) -> Iterator[tables.LeafRow]:
        yield from plain(session)
        postgresql_world.posts(COUNCIL, a_plan())
        audited.sequenced(1)

    audited.sequencer().sequence()
    with monkeypatch.context() as patch:
        patch.setattr(verifying, "_placed", slowly)
        assert audited.findings() == []
    assert audited.findings() == []


def test_leaves_that_nobody_outside_has_heard_of_are_found_after_a_minute(audited: Audited) -> None:
    newest = {"new": audited.outside.written[-1].note}
    oldest = {"old": audited.outside.written[0].note}
    minute = timedelta(minutes=1)
    later = minute + timedelta(seconds=1)
    assert audited.findings(newest, later=later) == []
    assert audited.findings(oldest, later=minute) == audited.findings({}, later=minute) == []
    said = "leaves are witnessed outside the database, for more than a minute"
    assert audited.findings(oldest, later=later) == [f"only 3 {said}"]
    assert audited.findings({}, later=later) == [f"only 0 {said}"]
