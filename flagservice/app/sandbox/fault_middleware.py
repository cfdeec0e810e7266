"""Lets a caller of the sandbox meet the fault that it names in a header.

Each is the service's own refusal, raised and recorded as in production, where the header does
nothing.
"""

import time
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import anyio

from flagservice.api.access.callers import Api
from flagservice.api.edge.envelope import Application, Message, Receive, Scope, Send
from flagservice.api.edge.limits import Audience, Limits
from flagservice.app.sandbox.faults import HEADER, SLOW_SECONDS, SandboxFault
from flagservice.clients.assertions import LIFETIME
from flagservice.delivery.pull.read import NOT_ADMITTED
from flagservice.domain.errors import Fault, Forbidden, Invalid


class FaultMiddleware:
    """Inside the envelope, outside the routes: what it raises is answered as any refusal is."""

    def __init__(self, app: Application) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request, with the fault that it names; raises Invalid for an unknown one."""
        wanted = _wanted(scope)
        match wanted:
            case None:
                pass
            case SandboxFault.TOO_MANY:
                _meets(scope, limits=Limits(dict.fromkeys(Audience, 0)))
            case SandboxFault.BROKEN:
                raise RequestedFault
            case SandboxFault.NO_AUDIT:
                _meets(scope, log=_NoLog())
                raise RequestedFault
            case SandboxFault.SLOW:
                await anyio.sleep(SLOW_SECONDS)
            case SandboxFault.DROP:
                send = _broken_off(send)
            case SandboxFault.EXPIRED_TOKEN:
                _meets(scope, tokens=_later(scope["app"].state.api))
            case SandboxFault.NOT_ADMITTED:
                raise Forbidden(NOT_ADMITTED)
            case SandboxFault.STALE_PAGE:
                scope["query_string"] = scope["query_string"].replace(b"cursor=", b"cursor=stale")
        await self._app(scope, receive, send)


class RequestedFault(Exception):
    """The fault inside that a caller asked for."""


class _NoLog:
    def __getattr__(self, _: str) -> Any:
        raise RequestedFault


def _wanted(scope: Scope) -> SandboxFault | None:
    named = [v for n, v in scope.get("headers", ()) if n == HEADER.lower().encode()]
    if not named:
        return None
    try:
        return SandboxFault(named[0].decode("latin-1"))
    except ValueError:
        raise Invalid(Fault(HEADER, f"is one of {', '.join(SandboxFault)}")) from None


def _meets(scope: Scope, **other: Any) -> None:
    state = scope["app"].state
    api = replace(state.api, **other)
    scope["app"] = SimpleNamespace(state=SimpleNamespace(api=api, reset=state.reset))


def _later(api: Api) -> Any:
    return replace(api.tokens, clock=lambda: time.time() + LIFETIME + 60)


def _broken_off(send: Send) -> Send:
    over = False

    async def broken_off(message: Message) -> None:
        nonlocal over
        body = message.get("body", b"")
        if message["type"] == "http.response.start":
            await send(message)
        elif not over:
            over = True
            await send({**message, "body": body[: len(body) // 2], "more_body": True})

    return broken_off
