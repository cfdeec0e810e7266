"""Who calls, and with what right. An absent claim, scope or registration means no.

Every route goes through a `Face`: it checks the token and its scope, and opens the unit of work in
which the caller's registration is checked again, so that a revoked client is out at once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Final, TypeVar

from fastapi import Depends, Request

from flagservice.api.bodies import check_no_fault
from flagservice.api.tokens import Caller, Tokens
from flagservice.audit.log import Actor, Log, Work
from flagservice.domain.errors import Forbidden, Unauthenticated
from flagservice.intake.in_force import Shelf
from flagservice.store import tables

T = TypeVar("T")

SCOPES: Final = {
    "childrens-services": (
        "plans.write",
        "enquiries.write",
        "receipts.read",
        "holds.read",
        "holds.decide",
    ),
    "police": ("notifications.write", "receipts.read", "holds.read", "holds.decide"),
    "zero-to-nineteen": ("plans.write", "receipts.read", "holds.read", "holds.decide"),
    "gp-system": ("system/Flag.rs", "system/Task.rs", "flags.acknowledge"),
    "practice-lead": ("holds.read", "holds.decide"),
    "governance": ("governance.read", "deliveries.close"),
    "operator": ("service.read",),
}
"""Every scope there is, by the kind of organisation that may hold it."""


@dataclass(frozen=True)
class Face:
    """What the routes need, as values."""

    log: Log
    shelf: Shelf
    tokens: Tokens
    base: str
    version: str
    changed: date

    def perform(self, asked: "Asked", deed: Callable[[Work], T]) -> T:
        """One unit of work for a caller who is still registered."""

        def checked(work: Work) -> T:
            client = work.session.get(tables.Client, asked.caller.client_id)
            if client is None or client.revoked or client.ods != asked.caller.ods:
                raise Unauthenticated("the client is not registered")
            return deed(work)

        return self.log.perform(asked.actor, checked)


@dataclass(frozen=True)
class Asked:
    """One request of an authenticated caller with the right scope."""

    caller: Caller
    actor: Actor


def face_of(request: Request) -> Face:
    """The face that `app` put together."""
    face: Face = request.app.state.face
    return face


Faced = Annotated[Face, Depends(face_of)]


@dataclass(frozen=True)
class May:
    """The dependency of a route that needs every one of these scopes."""

    scopes: tuple[str, ...]

    def __call__(self, request: Request) -> Asked:
        """Who asks; raises Invalid, Unauthenticated or Forbidden."""
        check_no_fault(request)
        found = _caller(request)
        request.state.actor = actor_of(request, found)
        if not set(self.scopes) <= found.scopes & set(SCOPES.get(found.kind, ())):
            raise Forbidden("the token does not have the scope that this needs")
        return Asked(found, request.state.actor)


def may(*scopes: str) -> May:
    """As a route says it: `may("plans.write")`."""
    return May(scopes)


def _caller(request: Request) -> Caller:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated("a bearer token is needed")
    return face_of(request).tokens.caller(token)


def actor_of(request: Request, caller: Caller | None = None) -> Actor:
    """Who the audit says it was."""
    request_id = str(request.scope.get("flagservice.request_id", ""))
    if caller is None:
        return Actor("outsider", request_id=request_id)
    return Actor(caller.client_id, caller.ods, request_id)
