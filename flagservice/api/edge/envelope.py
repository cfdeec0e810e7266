"""The outermost layer: sizes, request ids and headers, the same for every answer.

It is pure ASGI. It bounds a body while it is read. It mirrors `X-Request-ID` and `X-Correlation-ID`
if they are UUIDs, else refuses them. It lets no answer be cached.
"""

import re
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from flagservice.domain.errors import Fault

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

MOST_BYTES: Final = 256 * 1024
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_ODS = re.compile(r"[A-Z0-9]{3,10}")
_MIRRORED = (b"x-request-id", b"x-correlation-id")
_ORGANISATION = b"nhsd-end-user-organisation-ods"
_POLICY: Final = b"content-security-policy"
_ALWAYS: Final = (
    (b"cache-control", b"no-store, private"),
    (b"x-content-type-options", b"nosniff"),
    (b"strict-transport-security", b"max-age=31536000; includeSubDomains"),
    (b"referrer-policy", b"no-referrer"),
)
ALWAYS: Final = (
    *_ALWAYS,
    # A browser that is led here renders nothing, in no frame. The page at /docs has its own policy.
    (
        _POLICY,
        b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox",
    ),
)


class TooLarge(Exception):
    """The body is larger than any submission."""


class Envelope:
    """Wraps the application and all its answers, faults too."""

    def __init__(
        self,
        app: Application,
        *,
        new_id: Callable[[], str],
        refusing: Callable[[Fault], Application],
    ) -> None:
        self._app = app
        self._new_id = new_id
        self._refusing = refusing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one HTTP request; passes anything else (the lifespan) to the application."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        ids, fault = _ids(scope)
        fault = fault or _address_fault(scope) or _organisation_fault(scope)
        app = self._refusing(fault) if fault else self._app
        scope["flagservice.request_id"] = ids.get(b"x-request-id", b"").decode() or str(
            uuid.UUID(hex=self._new_id(), version=4)
        )
        ids[b"x-request-id"] = scope["flagservice.request_id"].encode()

        started = False

        async def enveloped(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                own = list(message.get("headers", ()))
                added = _ALWAYS if any(name == _POLICY for name, _ in own) else ALWAYS
                message["headers"] = [*own, *added, *ids.items()]
            await send(message)

        try:
            await app(scope, _bounded(receive), enveloped)
        except Exception:
            # Answered as 500 and recorded by now. Raised on, a server would print its traceback.
            if not started:
                raise


def _ids(scope: Scope) -> tuple[dict[bytes, bytes], Fault | None]:
    found = {}
    for name, value in scope["headers"]:
        if name in _MIRRORED:
            if name in found:
                return {}, Fault(name.decode(), "is given once")
            if not _UUID.fullmatch(value.decode("latin-1")):
                return {}, Fault(name.decode(), "is a UUID")
            found[name] = value
    return found, None


def _address_fault(scope: Scope) -> Fault | None:
    """Returns the fault of an address with a NUL, which PostgreSQL takes in no text."""
    if "\0" in scope["path"] or b"%00" in scope["query_string"]:
        return Fault("address", "has a NUL character")
    return None


def _organisation_fault(scope: Scope) -> Fault | None:
    """Notes the organisation that the caller names, for `RequiresScopes`; returns its fault."""
    given = [value.decode("latin-1") for name, value in scope["headers"] if name == _ORGANISATION]
    if len(given) > 1 or any(not _ODS.fullmatch(one) for one in given):
        return Fault(_ORGANISATION.decode(), "is one ODS code")
    if given:
        scope["flagservice.organisation"] = given[0]
    return None


def _bounded(receive: Receive) -> Receive:
    taken = 0

    async def bounded() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > MOST_BYTES:
            raise TooLarge
        return message

    return bounded
