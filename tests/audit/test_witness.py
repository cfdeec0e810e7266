"""The newest signed head outside the database: whole at every moment, whoever writes it."""

import errno
import os
import shutil
import threading
from collections.abc import Callable
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
import structlog

from flagservice.app.build import Installation, build
from flagservice.app.files import alone
from flagservice.app.witness import Witness
from flagservice.audit.checkpoint import Checkpoint, Signer, sign
from flagservice.audit.log import Actor, Deed
from flagservice.audit.sequence import SignedHead
from flagservice.settings import Settings
from tests.audit.steps import ORIGIN
from tests.commanded import Told, when_told
from tests.forked import forking
from tests.patience import enough

WRITERS, HEADS = 4, 800
FILES = ["witness.json", "witness.lock", "witness.note"]
SIGNER = Signer.generate(ORIGIN)


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    return Witness(tmp_path / "kept")


def a_head(size: int) -> SignedHead:
    return SignedHead(sign(Checkpoint(ORIGIN, size, bytes(32)), SIGNER), bytes(size % 1000))


def names(witness: Witness) -> list[str]:
    return sorted(path.name for path in witness.folder.iterdir())


def writes(witness: Witness, heads: list[SignedHead], together: Barrier) -> None:
    together.wait(timeout=enough())
    for head in heads:
        witness.write(head, instead_of=witness.read())


def when_written_by_processes(witness: Witness, heads: list[SignedHead]) -> set[SignedHead]:
    """Each process takes every so-many-th; answers whatever was read meanwhile."""
    context = forking()
    together = context.Barrier(WRITERS)
    shares = [heads[first::WRITERS] for first in range(WRITERS)]
    writers = [context.Process(target=writes, args=(witness, one, together)) for one in shares]
    for writer in writers:
        writer.start()
    seen = set()
    while any(writer.is_alive() for writer in writers):
        seen.add(witness.read() or heads[0])
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0] * WRITERS
    return seen


def test_nothing_was_kept_before_the_first(witness: Witness) -> None:
    assert witness.read() is None


def test_processes_that_write_at_once_leave_a_whole_head_at_every_moment(witness: Witness) -> None:
    heads = [a_head(10**digits) for digits in range(8) for _ in range(HEADS // 8)]
    seen = when_written_by_processes(witness, heads)
    assert seen <= set(heads)
    assert witness.read() in heads
    assert names(witness) == FILES
    assert (witness.folder / "witness.note").read_text(encoding="utf-8") in {
        head.note for head in heads
    }


def goes_on(witness: Witness, times: int, together: Barrier) -> None:
    """From what is kept to the next; raises once a head was followed by a smaller one."""
    together.wait(timeout=enough())
    seen = 0
    for _ in range(times):
        now = witness.read()
        size = 0 if now is None else int(now.note.split("\n")[1])
        if size < seen:
            raise AssertionError
        seen = size
        witness.write(a_head(size + 1), instead_of=now)


def test_processes_that_go_on_at_once_never_go_back(witness: Witness) -> None:
    context = forking()
    together = context.Barrier(WRITERS)
    writers = [
        context.Process(target=goes_on, args=(witness, HEADS // 4, together))
        for _ in range(WRITERS)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0] * WRITERS


def test_who_compares_and_writes_is_alone(witness: Witness) -> None:
    witness.write(a_head(3), instead_of=None)
    other = threading.Thread(target=witness.write, args=(a_head(4),), kwargs={"instead_of": None})
    later = threading.Thread(
        target=witness.write, args=(a_head(5),), kwargs={"instead_of": a_head(3)}
    )
    with alone(witness.folder / "witness.lock"):
        for one in (other, later):
            one.start()
            one.join(timeout=0.2)
            assert one.is_alive()
        assert witness.read() == a_head(3)
    for one in (other, later):
        one.join(timeout=enough())
    assert witness.read() == a_head(5)


def test_where_another_head_is_kept_by_now_it_stays(witness: Witness) -> None:
    witness.write(a_head(3), instead_of=None)
    for other in (None, a_head(2), SignedHead(a_head(3).note, b"other")):
        witness.write(a_head(4), instead_of=other)
        assert witness.read() == a_head(3)
    witness.write(a_head(4), instead_of=a_head(3))
    assert witness.read() == a_head(4)


@pytest.mark.parametrize(
    "left", [b"", b"{", b"\xff", b"[]", b"{}", b'{"note": 5, "frontier": "00"}', b'{"note": ""}']
)
def test_what_is_damaged_says_nothing_and_is_written_over(witness: Witness, left: bytes) -> None:
    witness.write(a_head(4), instead_of=None)
    (witness.folder / "witness.json").write_bytes(left)
    found = witness.read()
    assert found is not None
    assert "\n" not in found.note
    witness.write(a_head(3), instead_of=found)
    assert witness.read() == a_head(3)
    assert names(witness) == FILES


def test_a_full_disk_leaves_what_was_there_and_nothing_beside_it(
    witness: Witness, monkeypatch: pytest.MonkeyPatch
) -> None:
    witness.write(a_head(3), instead_of=None)
    monkeypatch.setattr(os, "fsync", the_disk_is_full)
    with pytest.raises(OSError, match="No space"):
        witness.write(a_head(4), instead_of=a_head(3))
    with pytest.raises(OSError, match="No space"):
        witness.set_aside(a_head(3).note)
    assert witness.read() == a_head(3)
    assert names(witness) == FILES


def the_disk_is_full(_: int) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_head_that_does_not_fit_is_found_by_everybody_who_looks(tmp_path: Path) -> None:
    """The first to verify sequences what waits, and what it keeps must not hide the cut."""
    settings = Settings(data=tmp_path)
    installation = build(settings)
    cut = sign(Checkpoint(settings.origin, 1000, bytes(32)), installation.keys.signer)
    Witness(settings.witness_folder).write(SignedHead(cut, b""), instead_of=None)
    for _ in range(2):
        installation.log.perform(Actor("somebody"), lambda work: work.record(Deed.READ))
        found = when_verified(tmp_path)
        assert found.status == 1
        assert ".note is the head of a longer tree" in found.out
    installation.database.close()


def given_leaves(installation: Installation, count: int) -> None:
    for _ in range(count):
        installation.log.perform(Actor("somebody"), lambda work: work.record(Deed.READ))
        installation.sequencer().sequence()


def when_the_database_is_put_back(data: Path, *, between: Callable[[], None]) -> None:
    """The files of the database as they were before something happened; the keys stay."""
    saved = data.parent / "saved.db"
    shutil.copy(data / "flagservice.db", saved)
    between()
    for left in data.glob("flagservice.db*"):
        left.unlink()
    shutil.copy(saved, data / "flagservice.db")


def grown(data: Path, count: int) -> None:
    installation = build(Settings(data=data))
    given_leaves(installation, count)
    installation.database.close()


def test_a_tree_that_was_cut_and_has_outgrown_what_it_was_is_still_found(tmp_path: Path) -> None:
    data = tmp_path / "var"
    grown(data, 3)
    when_the_database_is_put_back(data, between=lambda: grown(data, 2))
    grown(data, 9)
    for _ in range(2):
        found = when_verified(data)
        assert found.status == 1
        assert found.out.startswith("gone-")
        assert ".note does not fit: the tree has not grown from this head\n" in found.out
    (gone,) = (data / "keys").glob("gone-*.note")
    gone.unlink()  # somebody knows now why, and keeps it elsewhere
    assert when_verified(data).status == 0


def test_each_cut_leaves_its_own_head_and_a_line_in_the_log(tmp_path: Path) -> None:
    data = tmp_path / "var"
    grown(data, 3)
    with structlog.testing.capture_logs() as lines:
        for _ in range(2):
            when_the_database_is_put_back(data, between=lambda: grown(data, 2))
            grown(data, 1)
    witness = Witness(data / "keys")
    assert len(witness.gone()) == 2
    assert list(witness.heads()) == ["witness.json", *witness.gone()]
    assert len(set(witness.heads().values())) == 3
    said = "the audit is not known to have grown from a head of its own"
    gone = [line for line in lines if line["event"] == said]
    assert [(line["log_level"], line["count"]) for line in gone] == [("error", 1), ("error", 2)]


def test_a_damaged_head_stops_nobody(tmp_path: Path) -> None:
    data = tmp_path / "var"
    grown(data, 1)
    (data / "keys" / "witness.json").write_bytes(b"\xff" * 100)
    grown(data, 1)
    assert Witness(data / "keys").gone() == []
    assert when_verified(data).status == 0
    (data / "keys" / "gone-0.note").write_bytes(b"\xff" * 100)
    assert when_verified(data).out.startswith("gone-0.note is no head that we signed\n")


def test_where_it_cannot_be_read_verify_says_so_in_a_sentence(tmp_path: Path) -> None:
    data = tmp_path / "var"
    grown(data, 1)
    (data / "keys" / "witness.json").unlink()
    (data / "keys" / "witness.json").mkdir()
    found = when_verified(data)
    assert found.status == 1
    assert found.err == "flagservice: what is kept outside the database: Is a directory\n"
    assert found.out == ""


def test_it_may_be_kept_elsewhere(tmp_path: Path) -> None:
    elsewhere = tmp_path / "mounted" / "witness"
    installation = build(Settings(data=tmp_path / "var", witness=elsewhere))
    given_leaves(installation, 1)
    installation.database.close()
    assert names(Witness(elsewhere)) == FILES
    assert Witness(tmp_path / "var" / "keys").read() is None


def when_verified(data: Path) -> Told:
    return when_told(data, "audit", "verify")
