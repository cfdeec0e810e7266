"""Authenticates callers. An absent claim, scope or registration means no.

A route names its scopes with `requires`, which checks the token. `Api.perform` opens the unit of
work and checks the client's registration again, so a revoked client is out at once.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any, Final, Protocol, TypeVar

from fastapi import Depends, Request, Security
from fastapi.security import OAuth2
from fastapi.security.base import SecurityBase

from flagservice.api.access.tokens import TokenClaims, Tokens
from flagservice.api.edge.envelope import Scope
from flagservice.api.edge.limits import Limits, audience_of
from flagservice.api.edge.throttle_log import ThrottleLog
from flagservice.audit.log import Actor, Log, Work
from flagservice.clients.kinds import SCOPES, ClientKind
from flagservice.clients.scopes import rights
from flagservice.domain.errors import Forbidden, Unauthenticated
from flagservice.intake.policies.in_force import PoliciesInForce
from flagservice.store import tables

T = TypeVar("T")

COUNTED: Final = "flagservice.counted"
"""Marks a request's scope once its caller's bucket has counted it."""

_HOLDERS: Final = {
    right: "for " + ", ".join(kind for kind, held in SCOPES.items() if right in rights(held))
    for right in sorted(rights(scope for held in SCOPES.values() for scope in held))
}
_FLOW: Final = {"tokenUrl": "/oauth2/token", "scopes": _HOLDERS}
_SCHEME: Final = OAuth2(
    description="`system/Flag.rs` asks for both rights, `system/*.rs` for all that a client holds",
    flows={"clientCredentials": _FLOW},
)


@dataclass(frozen=True)
class Caller:
    """An authenticated client whose token has the route's scopes."""

    claims: TokenClaims
    actor: Actor

    @property
    def ods(self) -> str:
        """Returns the ODS code of the client's organisation."""
        return self.claims.ods

    @property
    def kind(self) -> ClientKind:
        """Returns the client's kind, which decides what scopes it may hold."""
        return self.claims.kind


@dataclass(frozen=True)
class Api:
    """What the routes need, put together by `app`."""

    log: Log
    policies: PoliciesInForce
    tokens: Tokens
    base: str
    version: str
    changed: date
    limits: Limits = field(default_factory=Limits)
    throttle_log: ThrottleLog = field(default_factory=lambda: ThrottleLog(time.monotonic))

    def perform(self, caller: Caller, deed: Callable[[Work], T]) -> T:
        """Does the deed in one unit of work, if the client is still registered as its token says.

        Raises Unauthenticated.
        """

        def checked(work: Work) -> T:
            client = work.session.get(tables.ClientRow, caller.claims.client_id)
            if client is None or client.revoked or not is_as_registered(caller.claims, client):
                raise Unauthenticated("the client is not registered")
            return deed(work)

        return self.log.perform(caller.actor, checked)


class RegisteredClient(Protocol):
    """A client as registered; `keys` is its JWK set as JSON."""

    ods: str
    kind: str
    keys: str


def is_as_registered(claims: TokenClaims, client: RegisteredClient) -> bool:
    """Returns whether the client still is what the token says, and still has the token's key."""
    if (client.ods, client.kind) != (claims.ods, claims.kind):
        return False
    return any(key.get("kid") == claims.kid for key in json.loads(client.keys)["keys"])


def api_of(request: Request) -> Api:
    """Returns the `Api` of the application that serves the request."""
    api: Api = request.app.state.api
    return api


async def _api(request: Request) -> Api:
    """Returns the same; async, since the framework runs other dependencies on another thread."""
    return api_of(request)


ApiDep = Annotated[Api, Depends(_api)]


@dataclass(frozen=True)
class RequiresScopes(SecurityBase):
    """The dependency of a route that needs all of these scopes."""

    scopes: tuple[str, ...]
    model = _SCHEME.model
    scheme_name = "clients"

    async def __call__(self, request: Request) -> Caller:
        """Returns the caller; raises Unauthenticated, Throttled or Forbidden."""
        claims = _claims(request)
        request.state.actor = actor_of(request.scope, claims)
        return self.check(api_of(request), claims, request.scope)

    def check(self, api: Api, claims: TokenClaims, scope: Scope) -> Caller:
        """Returns the caller with these claims; raises Throttled or Forbidden.

        A request is counted once, however often it is checked.
        """
        if COUNTED not in scope:
            api.limits.take(audience_of(scope["path"]), claims.client_id)
            scope[COUNTED] = True
        if not rights(self.scopes) <= rights(claims.scopes) & rights(SCOPES[claims.kind]):
            raise Forbidden("the token does not have the scope that this needs")
        if scope.get("flagservice.organisation", claims.ods) != claims.ods:
            raise Forbidden("the organisation of the request is not the token's")
        return Caller(claims, actor_of(scope, claims))


def requires(*scopes: str) -> Any:
    """Returns the annotation of a route's caller."""
    return Security(RequiresScopes(scopes), scopes=scopes)


def _claims(request: Request) -> TokenClaims:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated("a bearer token is needed")
    return api_of(request).tokens.verify(token)


def actor_of(scope: Scope, claims: TokenClaims | None = None) -> Actor:
    """Returns the actor that the audit names; without claims it is an outsider."""
    request_id = str(scope.get("flagservice.request_id", ""))
    if claims is None:
        return Actor("outsider", request_id=request_id)
    return Actor(claims.client_id, claims.ods, request_id)
