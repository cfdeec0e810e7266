"""The newest signed head outside the database: whole at every moment, whoever writes it."""

import errno
import multiprocessing
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
import structlog

from flagservice.app.building import Parts, build
from flagservice.app.witness import Witness
from flagservice.audit.checkpoint import Checkpoint, Signer, sign
from flagservice.audit.log import Actor, Deed
from flagservice.settings import Settings
from tests.audit.steps import ORIGIN
from tests.world import HOME

WRITERS, HEADS = 4, 800
SIGNER = Signer.generate(ORIGIN)


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    settings = Settings(data=tmp_path)
    settings.keys_folder.mkdir(parents=True)
    return Witness(settings)


def a_head(size: int) -> str:
    return sign(Checkpoint(ORIGIN, size, bytes(32)), SIGNER)


def writes(witness: Witness, heads: list[str], together: Barrier) -> None:
    together.wait(timeout=30)
    for head in heads:
        witness.write(head)


def when_written_by_processes(witness: Witness, heads: list[str]) -> set[str]:
    """Each process takes every so-many-th; answers whatever was read meanwhile."""
    context = multiprocessing.get_context("spawn")
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
    assert [path.name for path in witness.settings.keys_folder.iterdir()] == ["witness.note"]


@pytest.mark.parametrize("left", [b"", b"half a no", b"\xff", a_head(10**6).encode()])
def test_whatever_was_there_is_written_over(witness: Witness, left: bytes) -> None:
    """Another tree's head, too: a new database beside old keys is witnessed from its first leaf."""
    (witness.settings.keys_folder / "witness.note").write_bytes(left)
    witness.write(a_head(3))
    assert witness.read() == a_head(3)


def test_a_full_disk_leaves_what_was_there_and_nothing_beside_it(
    witness: Witness, monkeypatch: pytest.MonkeyPatch
) -> None:
    witness.write(a_head(3))
    monkeypatch.setattr(os, "fsync", the_disk_is_full)
    with pytest.raises(OSError, match="No space"):
        witness.write(a_head(4))
    assert witness.read() == a_head(3)
    assert [path.name for path in witness.settings.keys_folder.iterdir()] == ["witness.note"]


def the_disk_is_full(_: int) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_head_that_does_not_fit_is_found_by_everybody_who_looks(tmp_path: Path) -> None:
    """The first to verify sequences what waits; what it kept would have hidden the cut."""
    settings = Settings(data=tmp_path)
    parts = build(settings)
    cut = sign(Checkpoint(settings.origin, 1000, bytes(32)), parts.keys.signer)
    Witness(settings).write(cut)
    for _ in range(2):
        parts.log.perform(Actor("somebody"), lambda work: work.record(Deed.READ))
        found = when_verified(tmp_path)
        assert found.returncode == 1
        assert "shorter than a head that was kept" in found.stdout
    parts.database.close()


def given_leaves(parts: Parts, count: int) -> None:
    for _ in range(count):
        parts.log.perform(Actor("somebody"), lambda work: work.record(Deed.READ))
        parts.sequencer().sequence()


def when_the_database_is_put_back(data: Path, *, between: Callable[[], None]) -> None:
    """The files of the database as they were before something happened; the keys stay."""
    saved = data.parent / "saved.db"
    shutil.copy(data / "flagservice.db", saved)
    between()
    for left in data.glob("flagservice.db*"):
        left.unlink()
    shutil.copy(saved, data / "flagservice.db")


def grown(data: Path, count: int) -> None:
    parts = build(Settings(data=data))
    given_leaves(parts, count)
    parts.database.close()


def test_a_tree_that_was_cut_and_has_outgrown_what_it_was_is_still_found(tmp_path: Path) -> None:
    data = tmp_path / "var"
    grown(data, 3)
    when_the_database_is_put_back(data, between=lambda: grown(data, 2))
    grown(data, 9)
    for _ in range(2):
        found = when_verified(data)
        assert found.returncode == 1
        assert found.stdout.splitlines()[0].endswith("does not fit: a leaf before it was changed")
    (gone,) = (data / "keys").glob("gone-*.note")
    gone.unlink()  # somebody knows now why, and keeps it elsewhere
    assert when_verified(data).returncode == 0


def test_each_cut_leaves_its_own_head_and_a_line_in_the_log(tmp_path: Path) -> None:
    data = tmp_path / "var"
    grown(data, 3)
    with structlog.testing.capture_logs() as lines:
        for _ in range(2):
            when_the_database_is_put_back(data, between=lambda: grown(data, 2))
            grown(data, 1)
    witness = Witness(Settings(data=data))
    assert len(set(witness.gone())) == 2
    assert set(witness.heads()) == {*witness.gone(), witness.read()}
    gone = [line for line in lines if line["event"] == "a signed head is gone from the database"]
    assert [(line["log_level"], line["count"]) for line in gone] == [("error", 1), ("error", 2)]


def test_a_damaged_head_stops_nobody(tmp_path: Path) -> None:
    data = tmp_path / "var"
    grown(data, 1)
    (data / "keys" / "witness.note").write_bytes(b"\xff" * 100)
    assert when_verified(data).returncode == 1
    grown(data, 1)
    assert Witness(Settings(data=data)).gone() == ()
    assert when_verified(data).returncode == 0


def when_verified(data: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "flagservice", "audit", "verify"],
        env={**os.environ, "FLAGSERVICE_DATA": str(data)},
        cwd=HOME,
        capture_output=True,
        text=True,
        check=False,
    )
