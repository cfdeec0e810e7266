"""So many connections at once, and never so many that the database has no descriptor left."""

import resource
from contextlib import ExitStack

import pytest

from flagservice.app.listen import bounds_of
from flagservice.connections.bounds import affordable
from flagservice.connections.endings import Ending
from flagservice.settings import Settings
from tests.connections.connecting import PING, ended, one_answer, serving, status_of, until_closed
from tests.patience import enough

WAIT = b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.mark.parametrize(
    "said",
    [b"", b"GE", b"GET / HTTP/1.1\r\nX", b"POST /read HTTP/1.1\r\nContent-Length: 9\r\n\r\n", PING],
)
def test_whoever_waits_longest_for_its_own_next_word_makes_room(said: bytes) -> None:
    with serving(connections=3) as server, ExitStack() as stack:
        before, lines = ended(Ending.MADE_ROOM), []
        for number in range(1, 5):
            lines.append(stack.enter_context(server.line()))
            server.until_open(min(number, 3))
            if said:
                lines[-1].sendall(said)
                server.until_heard()
            if said == PING:
                assert status_of(one_answer(lines[-1])) == 200
        assert until_closed(lines[0]) == b""
        assert ended(Ending.MADE_ROOM) == before + 1
        lines[1].close()
        server.until_open(2)
        for _ in range(3):
            with server.line() as line:
                line.sendall(PING)
                assert status_of(one_answer(line)) == 200
            server.until_open(2)
        assert ended(Ending.MADE_ROOM) == before + 1


def test_whom_an_answer_is_owed_never_goes_and_the_newcomer_is_told() -> None:
    with serving(connections=2) as server, ExitStack() as stack:
        before = ended(Ending.CROWDED)
        lines = [stack.enter_context(server.line()) for _ in range(2)]
        for line in lines:
            line.sendall(WAIT)
            assert server.app.waits.acquire(timeout=enough())
        for _ in range(3):
            assert status_of(server.ask(b"")) == 503
        assert ended(Ending.CROWDED) == before + 3
        server.app.go_on.set()
        assert [status_of(one_answer(line)) for line in lines] == [200, 200]


def test_the_address_that_holds_most_makes_room_for_the_others() -> None:
    with serving(connections=4) as server, ExitStack() as stack:
        early = stack.enter_context(server.line(source="127.0.0.2"))
        server.until_open(1)
        for number in range(2, 5):
            stack.enter_context(server.line(source="127.0.0.3"))
            server.until_open(number)
        for _ in range(20):
            with server.line(source="127.0.0.3") as line:
                line.sendall(PING)
                assert one_answer(line)
        early.sendall(PING)
        assert status_of(one_answer(early)) == 200


def test_a_thousand_silent_connections_keep_nobody_out() -> None:
    with serving(connections=200) as server, ExitStack() as stack:
        for _ in range(1_000):
            stack.enter_context(server.line())
        for _ in range(3):
            with server.line() as line:
                line.sendall(PING)
                assert status_of(one_answer(line)) == 200
        assert len(server.connections._open) <= 201


@pytest.mark.parametrize(
    ("soft", "hard", "asked", "then"),
    [
        (1_024, 1_024, 8_192, (768, 1_024)),
        (1_024, 4_096, 8_192, (3_840, 4_096)),
        (1_024, resource.RLIM_INFINITY, 8_192, (8_192, 65_536)),
        (1_024, 1_048_576, 100_000, (65_280, 65_536)),
        (20_000, 20_000, 8_192, (8_192, 20_000)),
        (200, 200, 8_192, (100, 200)),
        (1_024, 1_024, 50, (50, 1_024)),
    ],
)
def test_descriptors_are_left_for_the_rest(
    monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, asked: int, then: tuple[int, int]
) -> None:
    limits = [soft]
    monkeypatch.setattr(resource, "getrlimit", lambda _: (limits[0], hard))
    monkeypatch.setattr(resource, "setrlimit", lambda _, both: limits.__setitem__(0, both[0]))
    assert (affordable(asked), limits[0]) == then


def test_every_bound_can_be_set() -> None:
    settings = Settings(
        connections=7, head_seconds=1, body_seconds=2, idle_seconds=3, unread_seconds=4
    )
    bounds = bounds_of(settings)
    seconds = (bounds.head_seconds, bounds.body_seconds, bounds.idle_seconds, bounds.unread_seconds)
    assert (bounds.connections, seconds) == (7, (1, 2, 3, 4))
