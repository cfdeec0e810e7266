"""Starts the real process, `serve --sandbox`, and leaves it when the test is over."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.patience import enough, until

HOME = Path(__file__).parents[2]


def environment(**more: str) -> dict[str, str]:
    """Ours, without what would make it another service."""
    kept = {name: v for name, v in os.environ.items() if not name.startswith("FLAGSERVICE_")}
    return {**kept, "PYTHONPATH": str(HOME), "PYTHONWARNINGS": "ignore", **more}


@contextmanager
def a_sandbox(data: Path, **settings: str) -> Iterator[str]:
    """The address of a process of its own on this folder."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    command = [sys.executable, "-m", "flagservice", "serve", "--sandbox", "--port", str(port)]
    with (
        (data / "service.log").open("w") as log,
        subprocess.Popen(
            command, env=environment(FLAGSERVICE_DATA=str(data), **settings), stdout=log, stderr=log
        ) as process,
    ):
        try:
            _wait_for(f"http://127.0.0.1:{port}", process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    def answers() -> bool:
        assert process.poll() is None, "the sandbox did not start: see service.log"
        try:
            httpx.get(f"{address}/_ping", trust_env=False, timeout=enough(5))
        except httpx.TransportError:
            return False
        return True

    until(answers, what="the sandbox does not answer: see service.log")
