"""What the disk and our own sessions allow: one leaf and one row, committed by sixteen threads.

Each process takes orders from standard input, so that rounds of it and of the service can alternate
without starting anything anew.
"""

import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from flagservice.audit.log import Actor, Deed, Log, Work
from flagservice.store import tables
from flagservice.store.database import Database
from flagservice.store.sealing.keyrings import LocalKeyRing
from flagservice.store.sealing.pseudonyms import LocalPseudonymKeys
from flagservice.store.sealing.vault import Vault
from tests.generated import HOME

THREADS = 16


class Commits:
    """Several such processes on one database."""

    def __init__(self, processes: Sequence[subprocess.Popen[str]]) -> None:
        self._processes = processes

    def rate(self, seconds: float) -> float:
        """Commits a second, of all of them together."""
        for one in self._processes:
            one.stdin.write(f"{seconds}\n")
            one.stdin.flush()
        return sum(float(one.stdout.readline()) for one in self._processes)


@contextlib.contextmanager
def committing(url: str, *, processes: int) -> Iterator[Commits]:
    """They are ready, and idle until asked."""
    database = Database(url)
    database.upgrade()
    database.close()
    words = [sys.executable, "-m", "tests.benchmarks.work.commits", url]
    with contextlib.ExitStack() as stack:
        started = []
        for _ in range(processes):
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
            started.append(
                stack.enter_context(subprocess.Popen(words, cwd=HOME, text=True, **pipes))
            )
        commits = Commits(started)
        commits.rate(0.5)
        yield commits


def _commit(log: Log) -> None:
    def deed(work: Work) -> None:
        work.session.add(tables.AssertionRow(id=work.new_id(), expires=0))
        work.record(Deed.SUBMITTED)

    log.perform(Actor("benchmark", "E08000032"), deed)


def _rate(log: Log, seconds: float) -> float:
    counts = [0] * THREADS
    until = time.perf_counter() + seconds

    def commits(place: int) -> None:
        while time.perf_counter() < until:
            _commit(log)
            counts[place] += 1

    threads = [threading.Thread(target=commits, args=(place,)) for place in range(THREADS)]
    started = time.perf_counter()
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return sum(counts) / (time.perf_counter() - started)


def main() -> None:
    """A number of seconds on each line in, the rate on each line out."""
    vault = Vault(
        LocalKeyRing({"k1": bytes(range(32))}, "k1"), LocalPseudonymKeys({1: bytes(range(32))})
    )
    log = Log(Database(sys.argv[1]), vault, clock=lambda: datetime.now(UTC))
    for line in sys.stdin:
        sys.stdout.write(f"{_rate(log, float(line))}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
