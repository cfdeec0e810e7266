"""Starts processes of the service in milliseconds, so that they can be killed by the hundred.

A parent imports everything once, opens nothing, and forks at each order. The child is the real
thing: the real command line, and below it the real web server or the real worker.
"""

import gc
import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from tests.patience import enough

HOME = Path(__file__).parents[2]


@dataclass
class Nursery:
    """The parent, from outside: give an order, get a process id; kill, and learn how it ended."""

    process: subprocess.Popen[str] = field(init=False)
    started: int = 0
    """How many there were so far."""

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.nursery"],
            cwd=HOME,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self.process.communicate(timeout=enough(30))

    def start(self, *words: str, environment: dict[str, str], log: Path) -> int:
        """A process of the service with these words on its command line."""
        self.started += 1
        return int(self._ask(words=words, environment=environment, log=str(log)))

    def kill(self, pid: int) -> int:
        """SIGKILL; answers the signal that the process really ended by, 0 if it had exited."""
        return int(self._ask(kill=pid))

    def _ask(self, **order: Any) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline()


def main() -> None:
    """Takes orders from standard input until it ends; leaves nobody behind."""
    from flagservice.app.commands import serve  # noqa: F401, PLC0415, in the parent alone
    from flagservice.app.commands.line import run  # noqa: PLC0415

    gc.collect()
    gc.freeze()
    alive: set[int] = set()
    for line in sys.stdin:
        order = json.loads(line)
        if "kill" in order:
            alive.discard(order["kill"])
            answer = _ended(order["kill"])
        else:
            answer = os.fork()
            if answer == 0:
                _become(order)
                os._exit(run(order["words"]))
            alive.add(answer)
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()
    for pid in alive:
        _ended(pid)


def _ended(pid: int) -> int:
    os.kill(pid, 9)
    return os.WTERMSIG(os.waitpid(pid, 0)[1])


def _become(order: dict[str, Any]) -> None:
    os.environ.update(order["environment"])
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(source, target)


if __name__ == "__main__":
    main()
