"""Asks a service over loopback and times each answer, in a process of its own.

A closed loop: so many connections stay open, and each asks again once it is answered. Or arrivals:
each request at its own instant and over its own connection, however the others fare; its latency
counts from that instant, so that a service which falls behind cannot hide it.
"""

import asyncio
import itertools
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import uvloop

_PATIENCE = 30.0
"""Beyond the end, for what is still being answered; whoever waits longer was not answered."""


@dataclass(frozen=True)
class Load:
    """Whole requests, and how to ask them: in a loop for so long, or each once within so long."""

    ports: Sequence[int]
    requests: Sequence[str]
    seconds: float
    connections: int = 1
    once: bool = False
    arrivals: bool = False

    def run(self) -> "Answered":
        """In a process of its own; what is asked of ours here is only to wait."""
        words = [sys.executable, "-m", "tests.benchmarks.load"]
        # By files: of a pipe some hundred kilobytes now and then came short on a busy machine.
        with tempfile.TemporaryFile("w+") as asked, tempfile.TemporaryFile("w+") as told:
            json.dump(asdict(self), asked)
            asked.seek(0)
            subprocess.run(words, stdin=asked, stdout=told, check=True)
            told.seek(0)
            return Answered(**json.load(told))


@dataclass
class Answered:
    """What came of it. Latencies are in seconds, in the order of the answers."""

    seconds: float
    latencies: list[float] = field(default_factory=list)
    failed: int = 0
    first_failure: str = ""

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.latencies) / self.seconds

    def within(self, share: float) -> float:
        """The latency that this share of the answers kept to; everlasting without answers."""
        kept = sorted(self.latencies)
        return kept[min(int(len(kept) * share), len(kept) - 1)] if kept else float("inf")

    def fail(self, said: str) -> None:
        """One that was not answered as it should be."""
        self.failed += 1
        self.first_failure = self.first_failure or said


class _Connection(asyncio.Protocol):
    """Asks what comes next until nothing does, and then closes."""

    def __init__(self, asked: Iterator[bytes], answered: Answered, *, since: float = 0.0) -> None:
        self._asked, self._answered, self._since = asked, answered, since
        self._started = 0.0
        self._waits = False
        self._got = b""
        self.over = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._ask()

    def connection_lost(self, _: Exception | None) -> None:
        if self._waits:
            self._answered.fail("the connection was closed before its answer")
        if not self.over.done():
            self.over.set_result(None)

    def data_received(self, data: bytes) -> None:
        self._got += data
        head, apart, body = self._got.partition(b"\r\n\r\n")
        if not apart or len(body) < _length(head):
            return
        if not head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 201")):
            self._answered.fail(self._got[:300].decode(errors="replace"))
        self._answered.latencies.append(time.perf_counter() - self._started)
        self._got, self._waits = b"", False
        self._ask()

    def _ask(self) -> None:
        request = next(self._asked, None)
        if request is None:
            self._transport.close()
            return
        self._started, self._since = self._since or time.perf_counter(), 0.0
        self._waits = True
        self._transport.write(request)


def _length(head: bytes) -> int:
    lowered = head.lower()
    return int(lowered.partition(b"content-length:")[2].partition(b"\r\n")[0] or b"0")


async def _closed_loop(load: Load, requests: list[bytes]) -> Answered:
    answered, started = Answered(0.0), time.perf_counter()
    until = started + load.seconds
    given = iter(requests) if load.once else itertools.cycle(requests)
    asked = itertools.takewhile(lambda _: time.perf_counter() < until, given)
    loop = asyncio.get_running_loop()
    over = []
    for _, port in zip(range(load.connections), itertools.cycle(load.ports)):
        made = await loop.create_connection(lambda: _Connection(asked, answered), "127.0.0.1", port)
        over.append(made[1].over)
    await asyncio.wait(over, timeout=load.seconds + _PATIENCE)
    answered.seconds = time.perf_counter() - started
    return answered


async def _arrivals(load: Load, requests: list[bytes]) -> Answered:
    chance, answered, started = random.Random(1), Answered(0.0), time.perf_counter()
    instants = sorted(chance.uniform(0, load.seconds) for _ in requests)
    ports = itertools.cycle(load.ports)
    arriving = [
        asyncio.create_task(_arrive(started + at, request, port, answered=answered))
        for at, request, port in zip(instants, requests, ports, strict=False)
    ]
    _, waiting = await asyncio.wait(arriving, timeout=load.seconds + _PATIENCE)
    for _ in waiting:
        answered.fail("not answered at all")
    answered.seconds = time.perf_counter() - started
    return answered


async def _arrive(at: float, request: bytes, port: int, *, answered: Answered) -> None:
    await asyncio.sleep(max(0.0, at - time.perf_counter()))
    loop = asyncio.get_running_loop()
    try:
        _, made = await loop.create_connection(
            lambda: _Connection(iter([request]), answered, since=at), "127.0.0.1", port
        )
    except OSError as refused:
        answered.fail(f"not connected: {type(refused).__name__}")
        return
    await made.over


def main() -> None:
    """Takes a load from standard input, and prints what came of it."""
    load = Load(**json.load(sys.stdin))
    requests = [one.encode() for one in load.requests]
    way = _arrivals if load.arrivals else _closed_loop
    sys.stdout.write(json.dumps(asdict(uvloop.run(way(load, requests)))))


if __name__ == "__main__":
    main()
