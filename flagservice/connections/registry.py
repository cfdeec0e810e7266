"""All connections of a server: how many there may be, which goes for another, which is late."""

import asyncio
import heapq
import ssl
from collections import Counter
from collections.abc import Mapping
from typing import Any

from flagservice.connections.bounds import Bounds
from flagservice.connections.connection import Connection
from flagservice.connections.endings import OPEN
from flagservice.connections.handshake import handshake_of

_AT_ONCE = 64
"""A full server closes up to a sixty-fourth at once, since choosing looks at all of them."""


class Connections:
    """The connections of one server, and their bounds."""

    def __init__(self, bounds: Bounds, answers: Mapping[int, bytes]) -> None:
        self.bounds = bounds
        self.answers = answers
        self._open: dict[Connection, None] = {}  # in the order of their coming

    def protocol(self, tls: ssl.SSLContext | None = None) -> Any:
        """Returns what uvicorn takes for its `http`, with TLS of our own where a context is given.

        A connection is counted from its first moment. The server's own TLS would tell of it only
        after the handshake.
        """

        def accepted(**given: Any) -> asyncio.Protocol:
            connection = Connection(registry=self, **given)
            return connection if tls is None else handshake_of(connection, tls, self.bounds)

        return accepted

    def admit(self, one: Connection) -> bool:
        """Takes in a new connection. Returns whether there is room, made if need be.

        From the address that holds most, the one that waits longest for its own next word goes
        first. One that is owed an answer never goes; if there is no other, the newcomer is refused.
        """
        if not self._open:
            one.loop.call_soon(self._look, one.loop)
        self._open[one] = None
        OPEN.inc()
        if len(self._open) <= self.bounds.connections:
            return True
        waiting = [other for other in self._open if other is not one and other.may_go]
        crowds = Counter(other.peer for other in waiting)
        most = max(1, self.bounds.connections // _AT_ONCE)
        longest = heapq.nsmallest(
            most, waiting, key=lambda other: (not other.is_over, -crowds[other.peer], other.since)
        )
        for other in longest:
            other.make_room()
        return bool(longest)

    def forget(self, one: Connection) -> None:
        """Gives up a connection's place."""
        if one in self._open:
            del self._open[one]
            OPEN.dec()

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """Ends what is late, again and again while there is a connection."""
        now = loop.time()
        for one in [one for one in self._open if one.due <= now or one.unread <= now]:
            one.end_late()
        if self._open:
            loop.call_later(self.bounds.rounds, self._look, loop)
