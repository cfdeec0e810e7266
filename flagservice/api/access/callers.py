"""Who calls, and with what right. An absent claim, scope or registration means no.

Every route goes through a `Face`: it checks the token and its scope, and opens the unit of work in
which the caller's registration is checked again, so that a revoked client is out at once.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Final, Protocol, TypeVar

from fastapi import Depends, Request

from flagservice.api.access.tokens import Caller, Tokens
from flagservice.api.edge.envelope import Scope
from flagservice.api.edge.limits import Limits, audience_of
from flagservice.api.edge.throttle_log import Floods
from flagservice.audit.log import Actor, Log, Work
from flagservice.clients.kinds import SCOPES
from flagservice.clients.scopes import rights
from flagservice.domain.errors import Forbidden, Unauthenticated
from flagservice.intake.policies.in_force import PoliciesInForce
from flagservice.store import tables

T = TypeVar("T")

COUNTED: Final = "flagservice.counted"
"""In the scope of a request that was taken from its caller's bucket."""


@dataclass(frozen=True)
class Face:
    """What the routes need, as values."""

    log: Log
    shelf: PoliciesInForce
    tokens: Tokens
    base: str
    version: str
    changed: date
    limits: Limits = field(default_factory=Limits)
    floods: Floods = field(default_factory=lambda: Floods(time.monotonic))

    def perform(self, asked: "Asked", deed: Callable[[Work], T]) -> T:
        """One unit of work for a caller who is still registered."""

        def checked(work: Work) -> T:
            client = work.session.get(tables.ClientRow, asked.caller.client_id)
            if client is None or client.revoked or not is_as_registered(asked.caller, client):
                raise Unauthenticated("the client is not registered")
            return deed(work)

        return self.log.perform(asked.actor, checked)


@dataclass(frozen=True)
class Asked:
    """One request of an authenticated caller with the right scope."""

    caller: Caller
    actor: Actor


class Registered(Protocol):
    """What is registered of a client; `keys` is its JWK set as JSON."""

    ods: str
    kind: str
    keys: str


def is_as_registered(caller: Caller, client: Registered) -> bool:
    """Is the client still what the token says, and does it still have the token's key?"""
    if (client.ods, client.kind) != (caller.ods, caller.kind):
        return False
    return any(key.get("kid") == caller.kid for key in json.loads(client.keys)["keys"])


def face_of(request: Request) -> Face:
    """The face that `app` put together."""
    face: Face = request.app.state.face
    return face


async def _faced(request: Request) -> Face:
    """The same for a route: what is not awaited, the framework would send to another thread."""
    return face_of(request)


Faced = Annotated[Face, Depends(_faced)]


@dataclass(frozen=True)
class May:
    """The dependency of a route that needs every one of these scopes."""

    scopes: tuple[str, ...]

    async def __call__(self, request: Request) -> Asked:
        """Who asks; raises Unauthenticated, Throttled or Forbidden."""
        found = _caller(request)
        request.state.actor = actor_of(request.scope, found)
        return self.check(face_of(request), found, request.scope)

    def check(self, face: Face, found: Caller, scope: Scope) -> Asked:
        """The same of a caller who is known, counted once however often it is asked."""
        if COUNTED not in scope:
            face.limits.take(audience_of(scope["path"]), found.client_id)
            scope[COUNTED] = True
        if not rights(self.scopes) <= rights(found.scopes) & rights(SCOPES[found.kind]):
            raise Forbidden("the token does not have the scope that this needs")
        if scope.get("flagservice.organisation", found.ods) != found.ods:
            raise Forbidden("the organisation of the request is not the token's")
        return Asked(found, actor_of(scope, found))


def may(*scopes: str) -> May:
    """As a route says it: `may("plans.write")`."""
    return May(scopes)


def _caller(request: Request) -> Caller:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated("a bearer token is needed")
    return face_of(request).tokens.caller(token)


def actor_of(scope: Scope, caller: Caller | None = None) -> Actor:
    """Who the audit says it was."""
    request_id = str(scope.get("flagservice.request_id", ""))
    if caller is None:
        return Actor("outsider", request_id=request_id)
    return Actor(caller.client_id, caller.ods, request_id)
