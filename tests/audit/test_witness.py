"""The newest signed head outside the database: whole, and never older, whoever writes it."""

import multiprocessing
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from flagservice.app.witness import Witness
from flagservice.audit.checkpoint import Checkpoint, Signer, sign
from flagservice.settings import Settings
from tests.audit.steps import ORIGIN

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


def test_an_older_head_that_comes_late_takes_nothing_back(witness: Witness) -> None:
    for size in (5, 12, 7):
        witness.write(a_head(size))
    assert witness.read() == a_head(12)


@pytest.mark.parametrize("left", ["", "half a no", "name\nmany\nroot\n"])
def test_what_is_no_head_is_written_over(witness: Witness, left: str) -> None:
    (witness.settings.keys_folder / "witness.note").write_text(left, "utf-8")
    witness.write(a_head(3))
    assert witness.read() == a_head(3)
