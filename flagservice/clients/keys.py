"""A client's registered keys: several may live at once, so that a change leaves no gap.

We add the new public key, the organisation signs with it, and the old one is dropped. A key is
known by its thumbprint (RFC 7638), the `kid` of the assertions that it signs. A client always keeps
one; to take away its last, revoke it.
"""

import json
from dataclasses import dataclass
from typing import Any

from sqlmodel import col, select

from flagservice.audit.log import Deed, Work
from flagservice.clients.registry import public_jwk
from flagservice.domain.errors import Conflict, NotFound
from flagservice.store import tables

_Jwk = dict[str, Any]


@dataclass(frozen=True)
class RegisteredKey:
    """A public key's thumbprint and sort."""

    kid: str
    sort: str


def add_key(work: Work, client_id: str, public_key: bytes) -> str:
    """Adds a key that the client may sign with, too, and returns its thumbprint.

    Raises Invalid, NotFound, or Conflict where it is there already.
    """
    jwk = public_jwk(public_key)
    client = _locked(work, client_id)
    keys = _keys(client)
    if any(key["kid"] == jwk["kid"] for key in keys):
        raise Conflict("the client has this key already")
    _set(work, client, [*keys, jwk])
    work.record(Deed.CLIENT_KEY_ADDED, client=client.id, key=jwk["kid"])
    return str(jwk["kid"])


def drop_key(work: Work, client_id: str, kid: str) -> None:
    """Drops a key; raises NotFound, or Conflict for the last one."""
    client = _locked(work, client_id)
    keys = _keys(client)
    left = [key for key in keys if key["kid"] != kid]
    if len(left) == len(keys):
        raise NotFound("the client has no such key")
    if not left:
        raise Conflict("this is the client's last key: add the next one first, or revoke it")
    _set(work, client, left)
    work.record(Deed.CLIENT_KEY_DROPPED, client=client.id, key=kid)


def keys_of(work: Work, client_id: str) -> list[RegisteredKey]:
    """Returns the keys in the order of their adding; raises NotFound."""
    client = _locked(work, client_id)
    work.record(Deed.CLIENT_KEYS_READ, client=client.id)
    return [RegisteredKey(key["kid"], key.get("crv") or "RSA") for key in _keys(client)]


def _locked(work: Work, client_id: str) -> tables.ClientRow:
    """Returns the client, locked: its keys are changed by one at a time. Raises NotFound."""
    asked = select(tables.ClientRow).where(col(tables.ClientRow.id) == client_id).with_for_update()
    client = work.session.exec(asked).one_or_none()
    if client is None:
        raise NotFound("there is no such client")
    return client


def _keys(client: tables.ClientRow) -> list[_Jwk]:
    return list(json.loads(client.keys)["keys"])


def _set(work: Work, client: tables.ClientRow, keys: list[_Jwk]) -> None:
    client.keys = json.dumps({"keys": keys})
    work.session.add(client)
