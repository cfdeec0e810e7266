"""Bounds on what each connection may take, and on how many there are."""

import resource
from dataclasses import dataclass
from typing import Final

_KEPT_FREE: Final = 256
"""Descriptors for the database, deliveries, files and the program itself."""
_MOST_DESCRIPTORS: Final = 65_536


@dataclass(frozen=True)
class Bounds:
    """The bounds of one server. Times are in seconds, from the beginning of their stage."""

    connections: int = 1_024
    head_seconds: float = 10
    """For a handshake, for the first byte, and from it for a request's line and headers."""
    body_seconds: float = 30
    """For the body, from the end of the headers."""
    idle_seconds: float = 5
    """Between an answer and the next request."""
    unread_seconds: float = 30
    """For the caller to take an answer, once the system's buffers are full."""
    line_bytes: int = 8 * 1024
    header_bytes: int = 32 * 1024
    headers: int = 100
    framing_bytes: int = 64 * 1024
    """What one body may hold besides content: sizes and extensions of chunks, trailers."""
    pipelined: int = 16
    """Requests that wait behind one that is being answered."""
    silent_seconds: float = 5
    """How long a connection that is over may stay silent before it is cut."""
    last_seconds: float = 30
    """How long it is read at most, so that its answer is not lost:

    https://www.rfc-editor.org/rfc/rfc9112#section-9.6
    """

    @property
    def rounds(self) -> float:
        """Returns the seconds between two looks for what is late."""
        stages = (self.head_seconds, self.body_seconds, self.idle_seconds, self.unread_seconds)
        return min(1.0, min(*stages, self.silent_seconds) / 4)


def affordable(asked: int) -> int:
    """Returns as many connections as asked for, or fewer where descriptors would not last.

    The soft limit is raised first, as far as a process may.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = hard == resource.RLIM_INFINITY or hard > _MOST_DESCRIPTORS
    wanted = _MOST_DESCRIPTORS if unlimited else hard
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    there = _MOST_DESCRIPTORS if soft == resource.RLIM_INFINITY else soft
    return max(1, min(asked, there - min(_KEPT_FREE, there // 2)))
