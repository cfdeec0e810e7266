"""One connection, with a bound for everything that it sends, before any of it is kept.

The parser keeps a header that never ends, and copies it for each piece that arrives; the server
waits for ever. So bytes are counted here before they are parsed, and each stage has its time.
"""

import asyncio
import math
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from httptools import HttpParserError, HttpParserUpgrade
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.utils import get_remote_addr

from flagservice.connections.endings import Ending, count

if TYPE_CHECKING:
    from flagservice.connections.registry import Connections


class Stage(Enum):
    """What the server waits for."""

    HANDSHAKE = auto()
    FIRST = auto()
    """the first byte of the first request"""
    HEAD = auto()
    BODY = auto()
    NEXT = auto()
    """its own answer, and then the next request"""
    OVER = auto()
    """nothing: what still comes is thrown away"""


class Connection(HttpToolsProtocol):
    """A connection that ends itself as soon as it goes beyond a bound."""

    def __init__(self, *, registry: "Connections", **given: Any) -> None:
        super().__init__(**given)
        self._registry, self._bounds = registry, registry.bounds
        self._raw: asyncio.Transport | None = None
        self.stage = Stage.FIRST
        self.since = 0.0
        self.due = self.unread = math.inf
        self._until = math.inf
        self._why = Ending.MALFORMED
        self._fed = self._content = self._head = self._headers = self._framing = 0
        self._another = False

    @property
    def peer(self) -> str:
        """Returns the address at the other end."""
        return self.client[0] if self.client else ""

    @property
    def is_over(self) -> bool:
        """Returns whether it was ended, and is only read to its end."""
        return self.stage is Stage.OVER

    @property
    def may_go(self) -> bool:
        """Returns whether it is the other end's turn, so that no answer is owed."""
        if self.stage is Stage.BODY:
            begun = self.cycle.response_started and not self.cycle.response_complete
            return not begun and not self.flow.read_paused
        return not self._owes

    @property
    def _owes(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not (cycle.response_complete or cycle.disconnected)

    # What the event loop calls.

    def connection_made(
        self,
        transport: asyncio.Transport,  # type: ignore[override]  # as narrow as uvicorn's own
    ) -> None:
        """Takes a place among the connections, unless the handshake took it before."""
        super().connection_made(transport)
        self._enter(Stage.FIRST, self._bounds.head_seconds)
        if self._raw is None and not self._registry.admit(self):
            self._end(Ending.CROWDED)

    def data_received(self, data: bytes) -> None:
        """Feeds the parser, and ends the connection if that was too much."""
        if self.stage is Stage.OVER:
            if not self._owes:
                self.due = min(self._until, self.loop.time() + self._bounds.silent_seconds)
            return
        self._unset_keepalive_if_required()
        before: Stage = self.stage
        if before is not Stage.HEAD and before is not Stage.BODY:
            before = self._begin(counted=0)
        self._fed, self._content, self._another = len(data), 0, False
        try:
            self.parser.feed_data(data)
        except HttpParserUpgrade:
            self._close_after_answers()
        except HttpParserError:
            self._end(self._why)
        else:
            self._weigh(before)

    def connection_lost(self, exc: Exception | None) -> None:
        """Gives up its place."""
        self._registry.forget(self)
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Starts the time in which the caller has to read."""
        self.unread = self.loop.time() + self._bounds.unread_seconds
        super().pause_writing()

    def resume_writing(self) -> None:
        """Ends that time."""
        self.unread = math.inf
        super().resume_writing()

    # What the parser calls.

    def on_message_begin(self) -> None:
        """Counts a new request; it may come in the piece in which another ended."""
        if self.stage is Stage.NEXT:
            self._begin(counted=-self._fed)
            self._another = True
        if len(self.pipeline) >= self._bounds.pipelined:
            self._fail(Ending.PIPELINED)
        self._headers = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Adds a part of the address, within the bound."""
        if len(self.url) + len(url) > self._bounds.line_bytes:
            self._fail(Ending.LONG_LINE)
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Adds one header. Drops a trailer: it would be read as a header, after all checks."""
        if self.stage is not Stage.HEAD:
            return
        self._headers += len(name) + len(value) + _AROUND
        if self._headers > self._bounds.header_bytes:
            self._fail(Ending.LONG_HEADERS)
        if len(self.headers) >= self._bounds.headers:
            self._fail(Ending.MANY_HEADERS)
        HttpToolsProtocol.on_header(self, name, value)

    def on_headers_complete(self) -> None:
        """Enters the body's stage."""
        self.stage, self._framing = Stage.BODY, 0
        HttpToolsProtocol.on_headers_complete(self)

    def on_body(self, body: bytes) -> None:
        """Counts a part of the content."""
        self._content += len(body)
        HttpToolsProtocol.on_body(self, body)

    def on_message_complete(self) -> None:
        """Waits for the next request. An answer may have been given before this one's end."""
        HttpToolsProtocol.on_message_complete(self)
        self.stage = Stage.NEXT

    def on_response_complete(self) -> None:
        """Waits for the caller; the server's own timer closes what then stays idle."""
        super().on_response_complete()
        if self.transport.is_closing():
            self.due = self.loop.time() + self._bounds.unread_seconds
        elif self.stage is Stage.NEXT and not self._owes:
            self._enter(Stage.NEXT, self._bounds.idle_seconds + self._bounds.unread_seconds)

    # What a handshake calls.

    def shake_hands(self, raw: asyncio.Transport) -> None:
        """Takes a place before anything is said; TLS itself is spoken elsewhere."""
        self._raw, self.client = raw, get_remote_addr(raw)
        self._enter(Stage.HANDSHAKE, self._bounds.head_seconds)
        if not self._registry.admit(self):
            count(Ending.CROWDED)
            self._cut()

    def leave(self) -> None:
        """Gives up its place when the line is gone, with the handshake or after it."""
        self._registry.forget(self)

    # What the registry calls.

    def make_room(self) -> None:
        """Closes at once, for another connection."""
        count(Ending.MADE_ROOM)
        self._cut()

    def end_late(self) -> None:
        """Ends the connection by the stage that was not over in time."""
        if self.unread <= self.loop.time():
            count(Ending.UNREAD)
            self._cut()
        elif self.stage is Stage.HANDSHAKE:
            count(Ending.NO_HANDSHAKE)
            self._cut()
        elif self.stage is Stage.OVER or self.transport.is_closing():
            self._cut()
        elif self.flow.read_paused:
            # It is ours to read on, and not theirs to send.
            self.due = self.loop.time() + self._bounds.body_seconds
        else:
            self._end(_LATE[self.stage])

    # Ends.

    def _enter(self, stage: Stage, seconds: float) -> None:
        self.stage, self.since = stage, self.loop.time()
        self.due = self.since + seconds

    def _begin(self, *, counted: int) -> Stage:
        self._enter(Stage.HEAD, self._bounds.head_seconds)
        self._head = counted
        return Stage.HEAD

    def _weigh(self, before: Stage) -> None:
        """Counts what the parser was fed and did not report: it holds that, or threw it away."""
        stage = self.stage
        if stage is Stage.HEAD:
            self._head += self._fed
            if self._head > self._bounds.line_bytes + self._bounds.header_bytes:
                self._end(Ending.LONG_HEADERS)
        elif stage is Stage.NEXT:
            self._enter(stage, math.inf if self._owes else self._bounds.idle_seconds)
        elif before is not stage or self._another:
            self._enter(stage, self._bounds.body_seconds)
        else:
            self._framing += self._fed - self._content
            if self._framing > self._bounds.framing_bytes:
                self._end(Ending.LONG_FRAMING)

    def _fail(self, why: Ending) -> None:
        self._why = why
        raise HttpParserError

    def _end(self, why: Ending) -> None:
        """Closes, and first answers if an answer is owed and none was begun."""
        count(why)
        if self.stage is Stage.BODY:
            begun = self.cycle.response_started or bool(self.pipeline)
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        elif self._owes:
            self._close_after_answers()
            return
        else:
            begun = False
        self._enter(Stage.OVER, self._bounds.silent_seconds)
        self._until = self.since + self._bounds.last_seconds
        if why.status and not begun:
            self.transport.write(self._registry.answers[why.status])
        # Whoever still sends is heard out for a while, or a reset could overtake the answer.
        if why.status in _STILL_SENDING and self.transport.can_write_eof():
            self.flow.resume_reading()
            self.transport.write_eof()
        else:
            self.transport.close()

    def _close_after_answers(self) -> None:
        """Lets earlier requests be answered; the last answer says that it is the last."""
        self.cycle.keep_alive = False
        self._enter(Stage.OVER, math.inf)

    def _cut(self) -> None:
        self._registry.forget(self)
        for transport in (self.transport, self._raw):
            if transport is not None:
                transport.abort()


_LATE = {
    Stage.FIRST: Ending.NOTHING_SENT,
    Stage.HEAD: Ending.LATE_HEAD,
    Stage.BODY: Ending.LATE_BODY,
    Stage.NEXT: Ending.NOTHING_SENT,
}
_AROUND = len(b": \r\n")
_STILL_SENDING = (400, 413, 414, 431)
