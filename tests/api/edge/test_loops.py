"""What runs beside the API goes on at once while there is a whole round to do, and rests if not."""

import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlmodel import select

from flagservice.app.build import Installation, build
from flagservice.app.serve import Loop, loops, worker_loop, worker_of
from flagservice.audit.log import Actor, Deed, Work
from flagservice.settings import Settings
from flagservice.store import tables
from tests.api.steps import Cast
from tests.patience import enough, until
from tests.world import HOME


class Broken(Exception):
    """A round that fails."""


def rests_of(rounds: list[int | type[Broken]], *, full: int) -> list[int]:
    """After which rounds it rested."""
    done: list[int | type[Broken]] = []
    rests: list[int] = []
    over = threading.Event()

    def once() -> int:
        found = rounds[len(done)]
        done.append(found)
        if len(done) == len(rounds):
            over.set()
        if isinstance(found, int):
            return found
        raise found

    def wait(seconds: float) -> None:
        assert seconds == 0.5
        rests.append(len(done))

    loop = Loop("a loop", once, pause=0.5, full=full)
    loop._over = SimpleNamespace(is_set=over.is_set, wait=wait)
    loop.run()
    return rests


@pytest.mark.parametrize(
    ("rounds", "full", "rests"),
    [([10, 10, 3, 10, 0, 10], 10, [3, 5]), ([1, 2, 0, 1], 1, [3]), ([10, Broken, 10], 10, [2])],
    ids=["a batch", "anything at all", "a fault"],
)
def test_it_rests_after_a_round_that_was_not_full(
    rounds: list[int | type[Broken]], full: int, rests: list[int]
) -> None:
    assert rests_of(rounds, full=full) == rests


def test_leaves_are_sequenced_in_batches_and_not_one_by_one(cast: Cast) -> None:
    """Each batch is a commit and a signature, for which everybody else would wait."""
    (sequencer,) = (
        one for one in loops(cast.service.installation, deliver=False) if one._name == "sequencer"
    )
    assert sequencer._full == cast.service.installation.sequencer().batch > 1


def test_a_worker_learns_that_its_loop_is_stopped(cast: Cast) -> None:
    """And gives back what it has claimed and not begun."""
    worker = worker_of(cast.service.installation)
    loop = worker_loop(worker)
    loop.start()
    assert not worker.over.is_set()
    loop.stop()
    assert worker.over.is_set()
    assert not loop._thread.is_alive()


def test_a_worker_that_is_a_process_ends_by_itself_when_it_is_asked_to(tmp_path: Path) -> None:
    installation = build(Settings(data=tmp_path))
    command = [sys.executable, "-m", "flagservice", "deliver"]
    environment = {"FLAGSERVICE_DATA": str(tmp_path)}
    with subprocess.Popen(command, cwd=HOME, env=environment) as process:
        try:
            until(lambda: its_sequencer_runs(installation), what="it did not start")
            process.send_signal(signal.SIGTERM)
            assert process.wait(enough()) == 0
        finally:
            process.kill()
            installation.database.close()


def its_sequencer_runs(installation: Installation) -> bool:
    """It begins right before the worker does."""

    def deed(work: Work) -> bool:
        work.record(Deed.STATUS_READ)
        return work.session.exec(select(tables.CheckpointRow)).first() is not None

    return installation.log.perform(Actor("test"), deed)
