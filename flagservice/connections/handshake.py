"""TLS in front of a connection, spoken by the event loop, which tells of its first moment.

Both loops tell of a connection only once its handshake is over. A thousand handshakes that never
end would then be held, and not counted.
"""

import asyncio
import ssl
from asyncio.sslproto import SSLProtocol
from typing import Any, cast

import uvloop.loop

from flagservice.connections.bounds import Bounds
from flagservice.connections.connection import Connection


class _Told:
    """Mixed into a loop's own protocol, to tell the connection of its line."""

    connection: Connection

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Tells the connection that its line is there."""
        super().connection_made(transport)  # type: ignore[misc]  # the loop's protocol has it
        self.connection.shake_hands(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tells the connection that its line is gone, also where the handshake failed."""
        super().connection_lost(exc)  # type: ignore[misc]  # the loop's protocol has it
        self.connection.leave()


class _OnAsyncio(_Told, SSLProtocol):  # type: ignore[misc]  # not in the library's stubs
    pass


class _OnUvloop(_Told, uvloop.loop.SSLProtocol):  # type: ignore[misc, name-defined]  # likewise
    pass


def handshake_of(connection: Connection, tls: ssl.SSLContext, bounds: Bounds) -> asyncio.Protocol:
    """Returns the protocol that speaks TLS for this connection, within its time."""
    made: Any = _OnUvloop if isinstance(connection.loop, uvloop.Loop) else _OnAsyncio
    handshake = made(
        connection.loop,
        connection,
        tls,
        None,
        server_side=True,
        ssl_handshake_timeout=bounds.head_seconds,
        ssl_shutdown_timeout=bounds.silent_seconds,
    )
    handshake.connection = connection
    # Neither loop's class is one of asyncio's `Protocol`; both loops serve them as one.
    return cast("asyncio.Protocol", handshake)
