"""Speaks HTTP/1.1 on the loopback address, with no date, no name and no log.

https://hl7.org/fhir/R4/http.html
"""

import contextlib
import io
import socket
import socketserver
import threading
import time
from collections.abc import Callable
from http.client import HTTPMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from . import routes
from .journal import JournalLine, SandboxJournal
from .outcomes import SandboxRefusal, SandboxReply, broke
from .practice import SandboxPractice, SandboxRequest

MOST_BYTES = 1_000_000
_MOST_PIECES = 256
_PIECE_BYTES = 65_536
_LAST_WAIT_SECONDS = 1
_REQUEST_SECONDS = 60
_MOST_CONNECTIONS = 256
_HOST = "127.0.0.1"


class SandboxServer(ThreadingHTTPServer):
    """One practice on one port, with a thread for each connection."""

    daemon_threads = True
    request_queue_size = 128
    allow_reuse_port = False

    def __init__(self, practice: SandboxPractice, *, journal: SandboxJournal, port: int) -> None:
        self.practice = practice
        self.journal = journal
        self._places = threading.BoundedSemaphore(_MOST_CONNECTIONS)
        super().__init__((_HOST, port), SandboxHandler)

    @property
    def address(self) -> str:
        """Returns the address where it listens."""
        return f"http://{_HOST}:{self.server_port}"

    def server_bind(self) -> None:
        """Binds without the library's look-up of the machine's name."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = _HOST, int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        """Starts a thread for it, or closes it at once where all are taken."""
        if self._places.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.close_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serves one connection, and gives its place back."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def shutdown_request(self, request: Any) -> None:
        """Ends the sending side, then listens a while.

        A client that still writes when the line is cut loses the reply that tells it why:
        https://www.rfc-editor.org/rfc/rfc9112#section-9.6
        """
        with contextlib.suppress(OSError):
            request.shutdown(socket.SHUT_WR)
            request.settimeout(_LAST_WAIT_SECONDS)
            for _ in range(_MOST_PIECES):
                if not request.recv(_PIECE_BYTES):
                    break
        self.close_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing: a client that hangs up is no news."""


class _Within(io.RawIOBase):
    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self.restart()

    def restart(self) -> None:
        """Starts the time of the next request."""
        self._until = time.monotonic() + _REQUEST_SECONDS

    def readable(self) -> bool:
        """Returns True: a buffer asks."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Reads what there is; raises TimeoutError once the time is over, however much came."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(left)
        try:
            return self._connection.recv_into(buffer)
        finally:
            self._connection.settimeout(_REQUEST_SECONDS)


class SandboxHandler(BaseHTTPRequestHandler):
    """Answers the requests of one connection, one after another."""

    server: SandboxServer
    headers: HTTPMessage
    protocol_version = "HTTP/1.1"
    default_request_version = "HTTP/1.0"
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = _REQUEST_SECONDS

    def setup(self) -> None:
        """Reads through `_Within`: a timeout of the socket begins anew at each byte."""
        super().setup()
        self.rfile.close()
        self._within = _Within(self.connection)
        self.rfile = io.BufferedReader(self._within)

    def handle_one_request(self) -> None:
        """Answers one more request, within its time."""
        self._within.restart()
        super().handle_one_request()

    def __getattr__(self, name: str) -> Callable[[], None]:
        """Serves every method, also an unknown one: the routes refuse it."""
        if name.startswith("do_"):
            return self._exchange
        raise AttributeError(name)

    def handle_expect_100(self) -> bool:
        """Lets the client go on now; the reply alone would wait in the buffer."""
        go_on = super().handle_expect_100()
        self.wfile.flush()
        return go_on

    def send_error(self, code: int, *_: object, **_more: object) -> None:
        """Refuses what the library cannot read, in the same shape, with nothing quoted."""
        self.close_connection = True
        self._send(
            SandboxRefusal(code, "invalid", "this is not a request that can be read").reply()
        )

    def log_message(self, *_: object, **_more: object) -> None:
        """Logs nothing: an address or a header may name a person."""

    def _exchange(self) -> None:
        """Answers one request.

        1. It reads the request; what is wrong with its body waits until it matters.
        2. It makes the answer, and commits what the answer changes.
        3. It writes down what the system side received.
        4. It sends the reply.
        """
        # 1
        request = self._request()
        # 2
        reply = self._answer(request)
        # 3
        if request.path == "/fhir" or request.path.startswith("/fhir/"):
            self.server.journal.add(
                JournalLine(
                    request.method, self.path, self.headers.items(), request.body, reply.status
                )
            )
        # 4
        self._send(reply)

    def _answer(self, request: SandboxRequest) -> SandboxReply:
        try:
            return routes.answer(self.server.practice, request)
        except SandboxRefusal as refusal:
            return refusal.reply()
        except Exception:  # noqa: BLE001 - the last resort: nothing of it may reach a caller
            return broke().reply()

    def _request(self) -> SandboxRequest:
        path, _, query = self.path.partition("?")
        body, fault = b"", None
        try:
            body = self._body()
        except SandboxRefusal as refusal:
            fault = refusal
        return SandboxRequest(
            method=self.command,
            path=path,
            query=query,
            headers={name.lower(): value for name, value in self.headers.items()},
            body=body,
            base=f"{self.server.address}/fhir",
            fault=fault,
        )

    def _body(self) -> bytes:
        lengths = self.headers.get_all("Content-Length", [])
        if self.headers.get("Transfer-Encoding") is not None:
            raise self._last(SandboxRefusal(411, "required", "a body needs a Content-Length"))
        if not lengths:
            return b""
        if len(lengths) > 1 or not (lengths[0].isascii() and lengths[0].isdigit()):
            raise self._last(SandboxRefusal(400, "invalid", "Content-Length must be one number"))
        if len(lengths[0]) > len(str(MOST_BYTES)) or int(lengths[0]) > MOST_BYTES:
            raise self._last(
                SandboxRefusal(413, "too-long", "the body may have one megabyte at most")
            )
        body = self.rfile.read(int(lengths[0]))
        if len(body) < int(lengths[0]):
            raise self._last(SandboxRefusal(400, "incomplete", "the body ended early"))
        return body

    def _last(self, refusal: SandboxRefusal) -> SandboxRefusal:
        """Closes the connection: what follows cannot be told apart from the body."""
        self.close_connection = True
        return refusal

    def _send(self, reply: SandboxReply) -> None:
        self.send_response_only(reply.status)
        for name, value in reply.headers:
            self.send_header(name, value)
        if reply.body:
            self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(len(reply.body)))
        self.send_header("Cache-Control", "no-store")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)
