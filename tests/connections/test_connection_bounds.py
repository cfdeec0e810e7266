"""What one connection may send before anybody knows who calls: refused before it is kept."""

import json
import socket

import pytest

from flagservice.api.edge.envelope import ALWAYS
from flagservice.connections.bounds import Bounds
from flagservice.connections.endings import Ending
from tests.connections.connecting import (
    PING,
    Serving,
    ended,
    one_answer,
    serving,
    status_of,
    until_closed,
)
from tests.patience import enough

BOUNDS = Bounds()
GET = b"GET /_ping HTTP/1.1\r\nHost: a\r\n"
POST = b"POST /read HTTP/1.1\r\nHost: a\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
MUCH = 2_000_000


@pytest.mark.parametrize(
    ("sent", "status", "why"),
    [
        (GET + b"X-A: " + b"a" * MUCH, 431, Ending.LONG_HEADERS),
        (GET + b"a" * MUCH, 431, Ending.LONG_HEADERS),
        (GET + b"X-A: " + b"a" * BOUNDS.header_bytes + b"\r\n\r\n", 431, Ending.LONG_HEADERS),
        (GET + b"X: a\r\n" * BOUNDS.headers + b"\r\n", 431, Ending.MANY_HEADERS),
        (GET + b"X: a\r\n" * 300_000, 431, Ending.MANY_HEADERS),
        (b"GET /" + b"a" * MUCH, 414, Ending.LONG_LINE),
        (b"GET /" + b"a" * BOUNDS.line_bytes + b" HTTP/1.1\r\n\r\n", 414, Ending.LONG_LINE),
        (b"GET " + b" " * MUCH, 431, Ending.LONG_HEADERS),
        (b"GET /_ping HTTP/1.1\r\n" + GET, 400, Ending.MALFORMED),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, Ending.MALFORMED),
        (GET + b"X-A: a\r\n b\r\n\r\n", 400, Ending.MALFORMED),
        (CHUNKED + b"1;" + b"a" * MUCH, 413, Ending.LONG_FRAMING),
        (CHUNKED + b"1;a=b\r\nx\r\n" * 100_000, 413, Ending.LONG_FRAMING),
        (CHUNKED + b"0\r\nX-A: " + b"a" * MUCH, 413, Ending.LONG_FRAMING),
        (CHUNKED + b"0\r\n" + b"X-A: a\r\n" * 300_000, 413, Ending.LONG_FRAMING),
    ],
    ids=lambda given: str(given)[:40] if isinstance(given, bytes) else None,
)
def test_what_is_too_much_is_refused_and_the_connection_closed(
    sent: bytes, status: int, why: Ending
) -> None:
    before = ended(why)
    with serving() as server:
        answer = server.ask(sent)
    assert status_of(answer) == status
    assert answer.count(b"HTTP/1.1") == 1
    assert b"connection: close" in answer
    assert ended(why) == before + 1
    assert server.app.headers == []


def test_a_refusal_is_the_same_for_everybody_and_carries_the_headers_of_every_answer() -> None:
    with serving() as server:
        one = server.ask(GET + b"X-A: " + b"a" * MUCH)
        other = server.ask(b"POST /plans HTTP/1.1\r\nX-Request-ID: b" + b"c" * MUCH)
    assert one == other
    head, _, body = one.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert {name + b": " + value for name, value in ALWAYS} <= set(lines)
    said = json.loads(body)
    assert said["resourceType"] == "OperationOutcome"
    assert said["issue"][0]["code"] == "too-long"
    assert f"content-length: {len(body)}".encode() in lines


def test_what_is_within_the_bounds_is_answered_also_byte_by_byte() -> None:
    long = b"X-A: " + b"a" * (BOUNDS.header_bytes - len(b"Host: a\r\nX-A: \r\n")) + b"\r\n"
    address = b"/" + b"a" * (BOUNDS.line_bytes - 1)
    largest = b"GET " + address + b" HTTP/1.1\r\nHost: a\r\n" + long + b"\r\n"
    many = b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: a\r\n" * (BOUNDS.headers - 1) + b"\r\n"
    with serving() as server, server.line() as line:
        for request in (largest, many, largest + many):
            line.sendall(request)
            for _ in range(request.count(b"Host")):
                assert status_of(one_answer(line)) == 200
        for place in range(len(many)):
            line.send(many[place : place + 1])
        assert status_of(one_answer(line)) == 200


def test_a_header_that_never_ends_is_not_kept_while_its_sender_is_heard_out() -> None:
    with serving(silent_seconds=600) as server, server.line() as line:
        line.sendall(GET + b"X-A: " + b"a" * MUCH)
        assert status_of(until_closed(line)) == 431
        (connection,) = server.connections._open
        line.sendall(b"a" * MUCH)
        assert (connection.is_over, connection._head < MUCH) == (True, True)


def test_nobody_waits_for_a_body_that_was_refused_while_its_sender_is_heard_out() -> None:
    with serving(silent_seconds=600) as server, server.line() as line:
        line.sendall(CHUNKED + b"1;" + b"a" * MUCH)
        assert server.app.gone.wait(timeout=enough())
        server.until_open(1)


def test_an_endless_sender_is_heard_out_for_a_while_and_then_cut() -> None:
    with serving(silent_seconds=600, last_seconds=0.3) as server, server.line() as line:
        line.sendall(GET + b"X-A: " + b"a" * MUCH)
        with pytest.raises(OSError, match=r"reset|pipe"):
            send_for_ever(line)


def send_for_ever(line: socket.socket) -> None:
    while True:
        line.sendall(b"a" * 1000)


def test_a_second_request_on_the_line_has_its_own_measure() -> None:
    with serving() as server, server.line() as line:
        for _ in range(5):
            line.sendall(GET + b"X-A: " + b"a" * (BOUNDS.header_bytes // 2) + b"\r\n\r\n")
            assert status_of(one_answer(line)) == 200
        line.sendall(GET + b"X-A: " + b"a" * MUCH)
        assert status_of(until_closed(line)) == 431


def test_a_body_in_many_chunks_is_read_and_its_trailers_are_no_headers() -> None:
    body = b"".join(b"%x\r\n" % 1000 + b"x" * 1000 + b"\r\n" for _ in range(200))
    with serving() as server, server.line() as line:
        line.sendall(CHUNKED + body + b"0\r\nAuthorization: Bearer a\r\n\r\n" + PING)
        assert one_answer(line).count(b"x") > 200_000 - 20
    names = [name for name, _ in server.app.headers[0]]
    assert names == [b"host", b"transfer-encoding"]


def pipelined(server: Serving, number: int) -> bytes:
    with server.line() as line:
        line.sendall(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n" + PING * number)
        assert server.app.waits.acquire(timeout=enough())
        server.app.go_on.set()
        line.sendall(b"no request")
        return until_closed(line)


def test_of_many_requests_at_once_so_many_are_answered_and_the_last_says_so() -> None:
    before = ended(Ending.PIPELINED)
    with serving() as server:
        answered = pipelined(server, 20_000)
    assert answered.count(b"HTTP/1.1 200") == 1 + BOUNDS.pipelined
    assert answered.count(b"connection: close") == 1
    assert len(server.app.paths) == 1 + BOUNDS.pipelined
    assert ended(Ending.PIPELINED) == before + 1


def test_what_was_asked_before_nonsense_is_answered() -> None:
    with serving() as server:
        answered = pipelined(server, 3)
    assert answered.count(b"HTTP/1.1 200") == 4


@pytest.mark.parametrize("wanted", [b"h2c", b"websocket"])
def test_another_protocol_is_not_spoken_and_the_request_is_answered(wanted: bytes) -> None:
    upgrade = b"Connection: Upgrade\r\nUpgrade: " + wanted + b"\r\n\r\n"
    with serving() as server:
        answered = server.ask(GET + upgrade + b"garbage")
    assert answered.count(b"HTTP/1.1 200") == 1
    assert answered.count(b"connection: close") == 1
