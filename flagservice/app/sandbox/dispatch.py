"""Gives each request to the world of the tenant whose client it names, and to no other.

The name is read, unverified, from the assertion or the token; the tenant's own application verifies
everything. A request that names no known client meets a world without clients, and so the refusals
of production.
"""

import base64
import binascii
import json
import threading
from typing import Final
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool

from flagservice.api.edge.envelope import MOST_BYTES, Message, Receive, Scope, Send
from flagservice.app.sandbox.furnishing import nobody
from flagservice.app.sandbox.tenants import Tenant, Tenants
from flagservice.app.sandbox.worlds import ServedTenant
from flagservice.app.serve import Loop
from flagservice.settings import Settings

_TOKENS: Final = "/oauth2/token"


class Sandbox:
    """The application of `serve --sandbox`: every tenant's, behind one address."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._tenants = Tenants.of(settings)
        self._turn = threading.Lock()
        self._standing: dict[str, ServedTenant] = {}
        self._of_client: dict[str, ServedTenant] = {}
        self._nobody = self._stand(nobody(self._tenants, settings))
        self._tending = Loop("sandbox", self._tend, pause=0.5)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request, or the life of the process."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            if scope["path"] == _TOKENS:
                body, receive = await _ahead(receive)
                client = _issuer(body)
            else:
                client = _subject(scope)
            standing = self._of_client.get(client)
            if standing is None:
                standing = await run_in_threadpool(self._found, client)
            with standing.used() as world:
                await world.app(scope, receive, send)

    def close(self) -> None:
        """Closes every database."""
        for standing in self._standing.values():
            standing.close()

    def _found(self, client: str) -> ServedTenant:
        with self._turn:
            for tenant in self._tenants.everybody() if client else ():
                if client in tenant.clients.values():
                    return self._stand(tenant)
            return self._nobody

    def _stand(self, tenant: Tenant) -> ServedTenant:
        standing = self._standing.get(tenant.name)
        if standing is None:
            standing = self._standing[tenant.name] = ServedTenant(tenant, self._settings)
            self._of_client |= dict.fromkeys(tenant.clients.values(), standing)
        return standing

    def _tend(self) -> int:
        """Tends all worlds once; a world that is being reset waits for the end of its round."""
        return sum(map(_tended, list(self._standing.values())))

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        self._tending.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await run_in_threadpool(self._tending.stop)
        self.close()
        await send({"type": "lifespan.shutdown.complete"})


def _tended(standing: ServedTenant) -> int:
    with standing.used() as world:
        return world.tend()


async def _ahead(receive: Receive) -> tuple[bytes, Receive]:
    """Returns a body up to the size limit, and a `receive` that gives it again, then the rest."""
    read: list[Message] = []
    body = b""
    while len(body) <= MOST_BYTES:
        message = await receive()
        read.append(message)
        body += message.get("body", b"")
        if message["type"] != "http.request" or not message.get("more_body", False):
            break

    async def again() -> Message:
        return read.pop(0) if read else await receive()

    return body, again


def _issuer(body: bytes) -> str:
    form = parse_qs(body.decode("latin-1"))
    return _claim((form.get("client_assertion") or [""])[0], "iss")


def _subject(scope: Scope) -> str:
    headers = [value for name, value in scope["headers"] if name == b"authorization"]
    token = headers[0].decode("latin-1").partition(" ")[2] if headers else ""
    return _claim(token, "sub")


def _claim(token: str, name: str) -> str:
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        found = claims[name]
    except (ValueError, IndexError, KeyError, TypeError, RecursionError, binascii.Error):
        return ""
    return found if isinstance(found, str) else ""
