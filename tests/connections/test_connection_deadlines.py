"""Each stage of a connection has its time, and a slow caller is not a silent one."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest

from flagservice.app.listen import tls_of
from flagservice.connections.endings import Ending
from flagservice.settings import Settings
from tests.api.edge.test_tls import Authority
from tests.connections.connecting import (
    PING,
    SHORT,
    ended,
    one_answer,
    serving,
    status_of,
    until_closed,
    until_true,
)
from tests.patience import enough

HALF_HEADERS = b"GET /_ping HTTP/1.1\r\nHost: a\r\nX-A: "
HALF_BODY = b"POST /read HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n"
CHUNKS = b"POST /read HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


@contextmanager
def dripping(line: socket.socket, drop: bytes) -> Iterator[None]:
    """Sends a little again and again, as long as it is taken."""
    over = threading.Event()

    def drip() -> None:
        with suppress(OSError):
            while not over.wait(0.02):
                line.sendall(drop)

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_a_connection_that_says_nothing_is_closed_without_a_word() -> None:
    before = ended(Ending.NOTHING_SENT)
    with serving(head_seconds=SHORT) as server:
        assert server.ask(b"") == b""
        server.until_open(0)
    assert ended(Ending.NOTHING_SENT) == before + 1


@pytest.mark.parametrize("sent", [b"G", b"GET /_ping HT", HALF_HEADERS, b"\r\n"])
def test_half_a_head_is_answered_408(sent: bytes) -> None:
    before = ended(Ending.LATE_HEAD)
    with serving(head_seconds=SHORT) as server:
        assert status_of(server.ask(sent)) == 408
        server.until_open(0)
    assert ended(Ending.LATE_HEAD) == before + 1


@pytest.mark.parametrize(("sent", "drop"), [(HALF_HEADERS, b"a"), (b"\r\n", b"\r\n")])
def test_a_head_that_drips_has_no_more_time(sent: bytes, drop: bytes) -> None:
    with serving(head_seconds=SHORT) as server, server.line() as line:
        line.sendall(sent)
        with dripping(line, drop):
            assert status_of(until_closed(line)) == 408


@pytest.mark.parametrize(
    ("sent", "drop"),
    [(HALF_BODY, b""), (HALF_BODY, b"a"), (CHUNKS, b"1\r\na\r\n"), (CHUNKS + b"1;", b"a")],
)
def test_a_body_that_does_not_come_or_drips_is_answered_408_and_nobody_waits_for_it(
    sent: bytes, drop: bytes
) -> None:
    before = ended(Ending.LATE_BODY)
    with serving(body_seconds=SHORT) as server, server.line() as line:
        line.sendall(sent)
        with dripping(line, drop):
            answered = until_closed(line)
        assert server.app.gone.wait(timeout=enough())
        server.until_open(0)
    assert (status_of(answered), answered.count(b"HTTP/1.1")) == (408, 1)
    assert ended(Ending.LATE_BODY) == before + 1


def test_a_body_that_nobody_reads_holds_the_connection_no_longer() -> None:
    """The answer came before it, as a refusal does."""
    with serving(body_seconds=SHORT) as server, server.line() as line:
        line.sendall(b"POST /_ping HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n")
        with dripping(line, b"a"):
            answered = until_closed(line)
        server.until_open(0)
    assert answered.count(b"HTTP/1.1") == 1
    assert answered.endswith(b"pong")


def test_after_an_answer_the_connection_stays_open_for_a_while() -> None:
    with serving(idle_seconds=SHORT) as server, server.line() as line:
        for _ in range(3):
            line.sendall(PING)
            assert one_answer(line)
        assert until_closed(line) == b""
        server.until_open(0)


def test_an_answer_that_nobody_takes_is_given_up() -> None:
    before = ended(Ending.UNREAD)
    with serving(unread_seconds=SHORT) as server, server.line() as line:
        line.sendall(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
        server.until_open(1)
        server.until_open(0)
        assert len(until_closed(line)) < 64_000_000
    assert ended(Ending.UNREAD) == before + 1


def test_an_answer_that_is_taken_slowly_is_given_whole() -> None:
    with serving() as server, server.line() as line:
        line.sendall(b"GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert len(until_closed(line)) > 64_000_000


def test_nobody_is_cut_off_while_the_service_works() -> None:
    short = dict.fromkeys(("head_seconds", "body_seconds", "idle_seconds"), SHORT)
    with serving(**short) as server, server.line() as line:
        line.sendall(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
        assert server.app.waits.acquire(timeout=enough())
        assert status_of(server.ask(b"GET")) == 408  # many rounds of looking later
        server.app.go_on.set()
        answer = one_answer(line)
    assert status_of(answer) == 200
    assert b"connection: close" not in answer


def test_half_a_request_behind_one_that_is_being_answered_takes_nothing_from_that() -> None:
    with serving(head_seconds=SHORT) as server, server.line() as line:
        line.sendall(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\nGET /ha")
        server.until_open(1)
        (connection,) = server.connections._open
        until_true(lambda: connection.is_over)
        server.app.go_on.set()
        answered = until_closed(line)
        server.until_open(0)
    assert answered.count(b"HTTP/1.1") == 1
    assert b"connection: close" in answered
    assert answered.endswith(b"pong")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"), "authority")


def context_of(authority: Authority) -> ssl.SSLContext:
    certificate, key = authority.issues("server")
    context = tls_of(Settings(tls_certificate=certificate, tls_key=key))
    assert context is not None
    return context


@pytest.mark.parametrize("sent", [b"", b"\x16\x03\x01\x02\x00", PING])
def test_a_handshake_has_its_time_and_speaks_nothing_else(
    authority: Authority, sent: bytes
) -> None:
    with serving(tls=context_of(authority), head_seconds=SHORT) as server:
        assert b"HTTP" not in server.ask(sent)
        server.until_open(0)


def test_a_handshake_that_fails_leaves_its_place_at_once(authority: Authority) -> None:
    with serving(tls=context_of(authority)) as server, server.line() as line:
        server.until_open(1)
        line.sendall(PING)
        assert b"HTTP" not in until_closed(line)
        server.until_open(0)


def test_behind_a_handshake_everything_is_as_without(authority: Authority) -> None:
    trusting = ssl.create_default_context(cafile=str(authority.file))
    with serving(tls=context_of(authority), body_seconds=SHORT) as server:
        with trusting.wrap_socket(server.line(), server_hostname="127.0.0.1") as line:
            line.sendall(PING)
            assert status_of(one_answer(line)) == 200
            line.sendall(HALF_BODY)
            assert status_of(until_closed(line)) == 408
        with trusting.wrap_socket(server.line(), server_hostname="127.0.0.1") as line:
            with suppress(OSError):  # an answer and a close may come before all is sent
                line.sendall(HALF_HEADERS + b"a" * 500_000)
            assert status_of(until_closed(line)) == 431
        server.until_open(0)


def test_whoever_comes_when_there_is_no_room_takes_that_of_a_silent_handshake(
    authority: Authority,
) -> None:
    trusting = ssl.create_default_context(cafile=str(authority.file))
    with serving(tls=context_of(authority), connections=2) as server, ExitStack() as silent:
        lines = [silent.enter_context(server.line()) for _ in range(5)]
        assert [until_closed(line) for line in lines[:3]] == [b""] * 3
        with trusting.wrap_socket(server.line(), server_hostname="127.0.0.1") as line:
            line.sendall(PING)
            assert status_of(one_answer(line)) == 200
