"""Registers an organisation's client by its public key, and revokes it."""

import json
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from flagservice.audit.log import Deed, Work
from flagservice.clients.kinds import SCOPES, ClientKind
from flagservice.domain.errors import Fault, Invalid, NotFound
from flagservice.policy.desks import Desks
from flagservice.store import tables


def add_client(
    work: Work,
    ods: str,
    kind: ClientKind,
    *,
    desks: Desks,
    public_key: bytes = b"",
    client_id: str = "",
) -> str:
    """Registers an organisation's client, and returns its id. Its kind decides its scopes.

    Without a key it gets no token until one is added. Without an id it gets a fresh one. Raises
    Invalid for a weak key, or where the organisation submits and has no duty desk.
    """
    if kind.submits and not desks.has(ods):
        raise Invalid(Fault("ods", "policies/desks.toml lists no duty desk for it"))
    keys = json.dumps({"keys": [public_jwk(public_key)] if public_key else []})
    client = tables.ClientRow(
        id=client_id or work.new_id(), ods=ods, kind=kind, scopes=" ".join(SCOPES[kind]), keys=keys
    )
    work.session.add(client)
    work.record(Deed.CLIENT_ADDED, client=client.id, organisation=ods)
    return client.id


def public_jwk(pem: bytes) -> dict[str, Any]:
    """Returns a client's public key with its id; raises Invalid.

    The key is RSA of at least 3072 bits, or P-384: 128 bits of security. A private half is left
    out.
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


def revoke_client(work: Work, client_id: str) -> None:
    """Ends a client's right to call, from its next request on; raises NotFound."""
    client = work.session.get(tables.ClientRow, client_id)
    if client is None:
        raise NotFound("there is no such client")
    client.revoked = True
    work.session.add(client)
    work.record(Deed.CLIENT_REVOKED, client=client_id)
