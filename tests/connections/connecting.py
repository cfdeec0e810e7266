"""A server with short deadlines on loopback, and callers who speak to it byte by byte."""

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import uvicorn

from flagservice.api.edge.envelope import Receive, Scope, Send
from flagservice.app.listen import refusals
from flagservice.connections.bounds import Bounds
from flagservice.connections.connection import Stage
from flagservice.connections.endings import FIGURES, Ending
from flagservice.connections.registry import Connections
from tests.patience import enough, slowness, until

LONG, SHORT = 600.0, 0.2 * slowness()
PING = b"GET /_ping HTTP/1.1\r\nHost: a\r\n\r\n"


@dataclass
class Answering:
    """An application: pings, bodies that it reads, answers that it holds back, large answers."""

    paths: list[str] = field(default_factory=list)
    headers: list[list[tuple[bytes, bytes]]] = field(default_factory=list)
    gone: threading.Event = field(default_factory=threading.Event)
    waits: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    go_on: threading.Event = field(default_factory=threading.Event)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            return
        self.paths.append(scope["path"])
        said = b"pong"
        if scope["path"] == "/read":
            said = await self._read(receive)
            if self.gone.is_set():
                return
        if scope["path"] == "/wait":
            self.waits.release()
            await asyncio.to_thread(self.go_on.wait)
        if scope["path"] == "/large":
            said = b"x" * 64_000_000
        self.headers.append(list(scope["headers"]))
        headers = [(b"content-length", str(len(said)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": said})

    async def _read(self, receive: Receive) -> bytes:
        read, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.gone.set()
                return b""
            read += message["body"]
            more = message["more_body"]
        return read


@dataclass
class Serving:
    """The running server, and how to speak to it."""

    port: int
    app: Answering
    connections: Connections

    def line(self, source: str = "127.0.0.1") -> socket.socket:
        """A connection that says nothing yet."""
        there = ("127.0.0.1", self.port)
        return socket.create_connection(there, timeout=enough(), source_address=(source, 0))

    def ask(self, sent: bytes) -> bytes:
        """Everything that is answered to this until the server closes."""
        with self.line() as line:
            line.sendall(sent)
            return until_closed(line)

    def until_open(self, number: int) -> None:
        """Wait until so many connections are held."""
        until_true(lambda: len(self.connections._open) == number)

    def until_heard(self) -> None:
        """Wait until nobody's first bytes are still on their way."""
        until_true(lambda: all(one.stage is not Stage.FIRST for one in [*self.connections._open]))


def until_closed(line: socket.socket) -> bytes:
    """All that comes. A reset is an end, too."""
    answered = bytearray()
    with contextlib.suppress(ConnectionResetError):
        while more := line.recv(65_536):
            answered += more
    return bytes(answered)


def one_answer(line: socket.socket) -> bytes:
    """The next answer on a line that stays open."""
    answered = b""
    while not answered.endswith(b"pong"):
        more = line.recv(1)
        assert more, answered
        answered += more
    return answered


def until_true(met: Any) -> None:
    """Wait for what another thread does."""
    until(met, every=0.01)


def status_of(answer: bytes) -> int:
    """The first one's."""
    return int(answer.split(b" ", 2)[1])


def ended(ending: Ending) -> float:
    """How many connections of this process ended so."""
    name = "flagservice_connections_ended_total"
    return FIGURES.get_sample_value(name, {"why": ending.word}) or 0.0


@contextmanager
def serving(*, tls: ssl.SSLContext | None = None, **bounds: Any) -> Iterator[Serving]:
    """The server as `serve` starts it; what is not said of its bounds lasts."""
    stages = ("head_seconds", "body_seconds", "idle_seconds", "unread_seconds")
    bounded = Bounds(**{**dict.fromkeys(stages, LONG), "silent_seconds": SHORT, **bounds})
    connections, app = Connections(bounded, refusals()), Answering()
    config = uvicorn.Config(
        app,
        port=0,
        http=connections.protocol(tls),
        ws="none",
        lifespan="off",
        timeout_keep_alive=bounded.idle_seconds,
        log_config=None,
        server_header=False,
        date_header=False,
    )
    server = uvicorn.Server(config)
    with mock.patch.object(server, "capture_signals", nullcontext):
        thread = threading.Thread(target=server.run)
        thread.start()
        until_true(lambda: server.started)
        try:
            yield Serving(server.servers[0].sockets[0].getsockname()[1], app, connections)
        finally:
            app.go_on.set()
            server.should_exit = server.force_exit = True
            thread.join(timeout=enough())
