"""What an operator does at the command line: clients, practices, registers, keys."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from flagservice.admission import endpoints
from flagservice.admission.checkers import NewChecker, add_checker, revoke_checker
from flagservice.admission.lapses import PracticeSystem, practice_systems
from flagservice.admission.result_notes import CheckedAddresses
from flagservice.admission.results import (
    AcceptedResult,
    OperatorDecision,
    accept,
    newest_checked_addresses,
    withdraw,
)
from flagservice.api.access.callers import SCOPES
from flagservice.app.build import Parts
from flagservice.audit.log import Actor, Deed, Work
from flagservice.domain.errors import Fault, Invalid, NotFound
from flagservice.intake.registration import update_registration
from flagservice.people.registrations import CsvRegister, Register, Registration
from flagservice.store import tables

OPERATOR = Actor("operator at the command line")


@dataclass(frozen=True)
class NewClient:
    """An organisation's client: its kind decides its scopes, its key proves it.

    Without a key it is registered, and gets no token until one is added.
    """

    ods: str
    kind: str
    public_key: bytes
    id: str = ""
    """By default a fresh one; a tenant of the sandbox keeps its own."""


def add_client(parts: Parts, new: NewClient) -> str:
    """Registers a client and answers its id; raises Invalid."""
    if new.kind not in SCOPES:
        raise Invalid(Fault("kind", f"is one of {', '.join(SCOPES)}"))
    submits = any(scope.endswith(".write") for scope in SCOPES[new.kind])
    if submits and not parts.shelf.desks.has(new.ods):
        raise Invalid(Fault("ods", "policies/desks.toml lists no duty desk for it"))
    keys = json.dumps({"keys": [public_jwk(new.public_key)] if new.public_key else []})
    client_id = new.id or parts.log.new_id()

    def deed(work: Work) -> None:
        work.session.add(
            tables.ClientRow(
                id=client_id,
                ods=new.ods,
                kind=new.kind,
                scopes=" ".join(SCOPES[new.kind]),
                keys=keys,
            )
        )
        work.record(Deed.CLIENT_ADDED, client=client_id, organisation=new.ods)

    parts.log.perform(OPERATOR, deed)
    return client_id


def public_jwk(pem: bytes) -> dict[str, Any]:
    """A client's public key, with its id; raises Invalid.

    RSA of at least 3072 bits, or P-384: 128 bits of security. The private half is never taken in.
    """
    for kind in (RSAKey, ECKey):
        try:
            key = kind.import_key(pem)
        except (JoseError, ValueError, TypeError):
            continue
        jwk = dict(key.as_dict(private=False))
        strong = jwk.get("crv") == "P-384" or len(jwk.get("n", "")) >= 512
        if strong:
            return {**jwk, "use": "sig", "kid": str(key.thumbprint())}
    raise Invalid(Fault("public key", "is an RSA key of 3072 bits or more, or a P-384 key, as PEM"))


def revoke_client(parts: Parts, client_id: str) -> None:
    """From its next request on, the client is nobody; raises NotFound."""

    def deed(work: Work) -> None:
        client = work.session.get(tables.ClientRow, client_id)
        if client is None:
            raise NotFound("there is no such client")
        client.revoked = True
        work.session.add(client)
        work.record(Deed.CLIENT_REVOKED, client=client_id)

    parts.log.perform(OPERATOR, deed)


def register_practice(
    parts: Parts, said: endpoints.EndpointRegistration
) -> CheckedAddresses | None:
    """Records how a practice is reached and what it runs; answers what its check was about.

    That is nothing where no valid result is for this version.
    """
    synthetic = parts.settings.synthetic

    def deed(work: Work) -> CheckedAddresses | None:
        endpoints.register(work, said, allow_loopback=synthetic)
        return newest_checked_addresses(work, system=said.system, version=said.version)

    return parts.log.perform(OPERATOR, deed)


def suspend_practice(parts: Parts, practice: str, *, by: str, reason: str) -> None:
    """Records who suspended a practice's system, and why; raises Invalid or NotFound."""
    parts.log.perform(
        OPERATOR, lambda work: endpoints.suspend(work, practice, by=by, reason=reason)
    )


def practices(parts: Parts) -> list[PracticeSystem]:
    """Every registered practice, and since when it is not admitted, if it is not."""
    return parts.log.perform(OPERATOR, practice_systems)


def add_a_checker(parts: Parts, new: NewChecker) -> None:
    """Records who may sign leak-check results, and who decided so; raises Invalid or Conflict."""
    parts.log.perform(OPERATOR, lambda work: add_checker(work, new))


def revoke_a_checker(parts: Parts, name: str, *, by: str, reason: str) -> None:
    """Nothing that this key ever signed counts any more; raises Invalid or NotFound."""
    parts.log.perform(OPERATOR, lambda work: revoke_checker(work, name, by=by, reason=reason))


def accept_result(parts: Parts, note: str, *, decided: OperatorDecision) -> AcceptedResult:
    """Takes a signed result in, clean or a finding; raises Invalid or Conflict."""
    return parts.log.perform(OPERATOR, lambda work: accept(work, note, decided=decided))


def withdraw_result(parts: Parts, identity: str, *, decided: OperatorDecision) -> None:
    """No run of its version up to this one admits any more; raises NotFound."""
    parts.log.perform(OPERATOR, lambda work: withdraw(work, identity, decided=decided))


def load_register(parts: Parts, path: Path) -> int:
    """Takes in a local register; records that waited for a practice are reached at once."""
    register: Register = CsvRegister(path)
    news = 0
    for number, said in register.everybody():

        def taken(work: Work, number: str = number, said: Registration = said) -> bool:
            rulebook = parts.shelf.rulebook(work)
            return update_registration(work, number, registration=said, rulebook=rulebook)

        news += parts.log.perform(OPERATOR, taken)
    return news
