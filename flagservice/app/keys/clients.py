"""A client's registered keys: several may live at once, so that one follows another without a gap.

The organisation makes a new pair, we add its public half, the organisation signs with it from then
on, and the old one is dropped. A key is known by its thumbprint (RFC 7638), which is the `kid` of
the assertions that it signs. A client always keeps one: who may not call any more is revoked.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlmodel import col, select

from flagservice.app.build import Parts
from flagservice.app.operating import OPERATOR, public_jwk
from flagservice.audit.log import Deed, Work
from flagservice.domain.errors import Conflict, NotFound
from flagservice.store import tables

T = TypeVar("T")
_Jwk = dict[str, Any]


@dataclass(frozen=True)
class RegisteredKey:
    """A public key by its thumbprint, and of which sort it is."""

    kid: str
    sort: str


def add_key(parts: Parts, client_id: str, *, public_key: bytes) -> str:
    """From now on the client may sign with this one, too; answers its thumbprint.

    Raises Invalid, NotFound, or Conflict where it is there already.
    """
    jwk = public_jwk(public_key)

    def deed(work: Work, client: tables.ClientRow) -> None:
        keys = _keys(client)
        if any(key["kid"] == jwk["kid"] for key in keys):
            raise Conflict("the client has this key already")
        _set(work, client, [*keys, jwk])
        work.record(Deed.CLIENT_KEY_ADDED, client=client.id, key=jwk["kid"])

    _of_client(parts, client_id, deed=deed)
    return str(jwk["kid"])


def drop_key(parts: Parts, client_id: str, *, kid: str) -> None:
    """From now on nothing that it signs is taken; raises NotFound, or Conflict for the last one."""

    def deed(work: Work, client: tables.ClientRow) -> None:
        keys = _keys(client)
        left = [key for key in keys if key["kid"] != kid]
        if len(left) == len(keys):
            raise NotFound("the client has no such key")
        if not left:
            raise Conflict("this is the client's last key: add the next one first, or revoke it")
        _set(work, client, left)
        work.record(Deed.CLIENT_KEY_DROPPED, client=client.id, key=kid)

    _of_client(parts, client_id, deed=deed)


def keys_of(parts: Parts, client_id: str) -> list[RegisteredKey]:
    """In the order in which they were added; raises NotFound."""

    def deed(work: Work, client: tables.ClientRow) -> list[RegisteredKey]:
        work.record(Deed.CLIENT_KEYS_READ, client=client.id)
        return [RegisteredKey(key["kid"], key.get("crv") or "RSA") for key in _keys(client)]

    return _of_client(parts, client_id, deed=deed)


def _of_client(parts: Parts, client_id: str, *, deed: Callable[[Work, tables.ClientRow], T]) -> T:
    """Locked: two who change its keys at once do so one after the other."""

    def performed(work: Work) -> T:
        asked = (
            select(tables.ClientRow).where(col(tables.ClientRow.id) == client_id).with_for_update()
        )
        client = work.session.exec(asked).one_or_none()
        if client is None:
            raise NotFound("there is no such client")
        return deed(work, client)

    return parts.log.perform(OPERATOR, performed)


def _keys(client: tables.ClientRow) -> list[_Jwk]:
    return list(json.loads(client.keys)["keys"])


def _set(work: Work, client: tables.ClientRow, keys: list[_Jwk]) -> None:
    client.keys = json.dumps({"keys": keys})
    work.session.add(client)
