"""A receiver that hangs, drips, floods or lies costs one hand a bounded time, and no memory."""

import gzip
import json
import re
import socket
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest

from flagservice.admission.endpoints import Endpoint
from flagservice.delivery.push.channel import OutgoingVersion, Reply, SendOutcome
from flagservice.delivery.push.fhir_rest import MOST_BYTES, FhirRest
from tests.delivery import steps
from tests.delivery.practices import PUSH, a_gp_system
from tests.delivery.push.test_replies import FLAG, HELD
from tests.delivery.steps import (
    CHILD,
    OTHER,
    OWN,
    a_worker,
    given_a_plan,
    given_a_registered_family,
    the_deliveries,
    the_endpoint,
)
from tests.patience import enough
from tests.world import World

Behaviour = Callable[[socket.socket], None]
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\n"
ECHO = json.dumps(HELD).encode()
HEAD = f"Content-Length: {len(ECHO)}\r\n\r\n".encode()
DROPS = 200
SHORT = timedelta(seconds=enough(0.4))


@contextmanager
def a_receiver(behaviour: Behaviour) -> Iterator[str]:
    """Listens on the loopback address, reads a request and then behaves so."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        over = threading.Event()
        thread = threading.Thread(target=_serve, args=(listening, behaviour, over))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/fhir"
        finally:
            over.set()
            with suppress(OSError):
                socket.create_connection(listening.getsockname(), timeout=enough()).close()
            thread.join(timeout=enough())
        assert not thread.is_alive()


def _serve(listening: socket.socket, behaviour: Behaviour, over: threading.Event) -> None:
    while not over.is_set():
        line, _ = listening.accept()
        with line, suppress(OSError):
            line.settimeout(enough())
            read_whole(line)
            behaviour(line)


def read_whole(line: socket.socket) -> None:
    """A request that is left unread would be answered by a reset, and not by the behaviour."""
    request = b""
    while b"\r\n\r\n" not in request:
        request += some_more(line)
    head, _, body = request.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head.lower())
    while length and len(body) < int(length[1]):
        body += some_more(line)


def some_more(line: socket.socket) -> bytes:
    more = line.recv(65_536)
    if not more:
        raise ConnectionError
    return more


def when_sent_to(url: str, *, within: timedelta = SHORT) -> Reply:
    channel = FhirRest(within=within)
    try:
        return channel.send(OutgoingVersion(Endpoint(OWN, url, "t"), json.dumps(FLAG).encode()))
    finally:
        channel.close()


def hangs(line: socket.socket) -> None:
    while line.recv(65_536):
        pass


def drips_headers(line: socket.socket) -> None:
    line.sendall(OK + b"X-Drip: ")
    drip(line, b"x")
    line.sendall(b"\r\n" + HEAD + ECHO)


def drips_a_body(line: socket.socket) -> None:
    line.sendall(OK + f"Content-Length: {DROPS + len(ECHO)}\r\n\r\n".encode())
    drip(line, b" ")
    line.sendall(ECHO)


def drip(line: socket.socket, drop: bytes) -> None:
    """So slowly that whoever waits to the end gets the best of echoes, and takes it."""
    for _ in range(DROPS):
        line.sendall(drop)
        time.sleep(0.05)


def closes_at_once(line: socket.socket) -> None:
    line.shutdown(socket.SHUT_RDWR)


def closes_within_the_headers(line: socket.socket) -> None:
    line.sendall(OK[:30])


def closes_within_the_body(line: socket.socket) -> None:
    line.sendall(OK + b"Content-Length: 5000\r\n\r\n" + ECHO)


def chunks_badly(line: socket.socket) -> None:
    line.sendall(OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n")


def floods(line: socket.socket) -> None:
    line.sendall(OK + b"\r\n")
    for _ in range(4000):
        line.sendall(b" " * 65_536)


def floods_with_headers(line: socket.socket) -> None:
    line.sendall(OK)
    for _ in range(4000):
        line.sendall(b"X-Padding: " + b"x" * 60_000 + b"\r\n")


def speaks_something_else(line: socket.socket) -> None:
    line.sendall(b"220 mail.example ESMTP\r\n")


@pytest.mark.parametrize(
    "behaviour",
    [
        hangs,
        drips_headers,
        drips_a_body,
        closes_at_once,
        closes_within_the_headers,
        closes_within_the_body,
        chunks_badly,
        floods,
        floods_with_headers,
        speaks_something_else,
    ],
)
def test_whatever_a_receiver_does_the_outcome_is_unknown(behaviour: Behaviour) -> None:
    with a_receiver(behaviour) as url:
        assert when_sent_to(url) == Reply(SendOutcome.UNKNOWN)


def test_nobody_listening_is_an_unknown_outcome() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert when_sent_to(f"http://127.0.0.1:{port}/fhir") == Reply(SendOutcome.UNKNOWN)


@pytest.mark.parametrize("url", ["https://gp.invalid/fhir", "http://[::bad", "ftp://x/", ""])
def test_an_address_that_leads_nowhere_is_an_unknown_outcome(url: str) -> None:
    assert when_sent_to(url, within=timedelta(seconds=enough(5))) == Reply(SendOutcome.UNKNOWN)


def gzipped(content: bytes) -> Behaviour:
    packed = gzip.compress(content)
    head = OK + f"Content-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n".encode()

    def behaviour(line: socket.socket) -> None:
        line.sendall(head + packed)

    return behaviour


def test_a_packed_echo_is_read() -> None:
    with a_receiver(gzipped(ECHO)) as url:
        assert when_sent_to(url, within=timedelta(seconds=enough(5))) == Reply(
            SendOutcome.DELIVERED
        )


def test_a_small_reply_that_unpacks_to_a_flood_never_takes_more_than_a_few_megabytes() -> None:
    bomb = gzipped(b" " * (300 * MOST_BYTES))
    with a_receiver(bomb) as url:
        tracemalloc.start()
        outcome = when_sent_to(url, within=timedelta(seconds=enough(5)))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert outcome == Reply(SendOutcome.UNKNOWN)
    assert most < 10 * MOST_BYTES


def test_a_practice_whose_system_hangs_keeps_nobody_else_waiting_for_long(
    world: World, tmp_path: Path
) -> None:
    given_a_registered_family(world)
    with (
        a_receiver(hangs) as hanging,
        a_gp_system(tmp_path, OTHER, patients=[steps.FATHER]) as well,
    ):
        steps.given_it_listens_at(world, OWN, hanging, token=PUSH)
        steps.given_it_listens_at(world, OTHER, well.url, token=PUSH)
        given_a_plan(world, "CPP-1", CHILD)
        given_a_plan(world, "CPP-2", steps.FATHER)
        channel = FhirRest(within=SHORT)
        a_worker(world, channel).run_once()
        channel.close()
    assert {one.practice: one.state for one in the_deliveries(world)} == {
        OWN: "open",
        OTHER: "delivered",
    }
    assert the_endpoint(world, OWN).failures == 1
