"""Why the server itself ends a connection: answered in constants, counted without a name."""

from collections.abc import Callable, Sequence
from enum import Enum
from http import HTTPStatus
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge

Headers = Sequence[tuple[bytes, bytes]]


class Ending(Enum):
    """A reason, and the status that is answered; 0 where no answer is owed."""

    MALFORMED = "malformed", 400
    LATE_HEAD = "late-head", 408
    LATE_BODY = "late-body", 408
    LONG_FRAMING = "long-framing", 413
    LONG_LINE = "long-request-line", 414
    LONG_HEADERS = "long-headers", 431
    MANY_HEADERS = "many-headers", 431
    CROWDED = "crowded", 503
    MADE_ROOM = "made-room", 0
    NOTHING_SENT = "nothing-sent", 0
    NO_HANDSHAKE = "no-handshake", 0
    PIPELINED = "pipelined", 0
    UNREAD = "unread", 0

    def __init__(self, word: str, status: int) -> None:
        self.word = word
        self.status = status


RULES: Final = {
    400: "this is not a request that can be read",
    408: "the request was not complete in time",
    413: "the body is too large",
    414: "the request line is too long",
    431: "the headers are too many or too long",
    503: "there are too many connections: try again",
}

FIGURES: Final = CollectorRegistry()
"""No label comes from a caller."""
_ENDED: Final = Counter(
    "flagservice_connections_ended",
    "Connections that the server ended for this reason",
    ["why"],
    registry=FIGURES,
)
OPEN: Final = Gauge("flagservice_connections_open", "Connections now", registry=FIGURES)
_BY_ENDING: Final = {ending: _ENDED.labels(ending.word) for ending in Ending}


def count(ending: Ending) -> None:
    """Counts one more connection that ended so."""
    _BY_ENDING[ending].inc()


def answers(
    headers: Headers, *, media_type: bytes, body_of: Callable[[int, str], bytes]
) -> dict[int, bytes]:
    """Returns a whole answer for each status, as bytes."""
    return {
        status: _answer(status, headers, media_type=media_type, body=body_of(status, rule))
        for status, rule in RULES.items()
    }


def _answer(status: int, headers: Headers, *, media_type: bytes, body: bytes) -> bytes:
    said = [
        *headers,
        *([(b"content-type", media_type)] if body else []),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}".encode()]
    lines += [name + b": " + value for name, value in said]
    return b"\r\n".join((*lines, b"", body))
