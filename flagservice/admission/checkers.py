"""Knows who may sign a leak-check result. To register a key is a decision by a named person.

A result is a C2SP signed note with exactly one signature line: a printable name without space or
plus, and base64 of a four-byte key hash and an Ed25519 signature.
"""

import base64
import binascii
import json
import re
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from flagservice.admission.decisions import OperatorDecision
from flagservice.audit.checkpoint import BadKey, key_hash
from flagservice.audit.log import Deed, Work
from flagservice.domain.errors import Conflict, Fault, Invalid, NotFound
from flagservice.store import tables

_NOTE: Final = re.compile(r"([^\n]+\n)\n— ([^ \n]+) ([A-Za-z0-9+/=]+)\n")
_MOST_CHARACTERS: Final = 1_000_000
_HINT_BYTES: Final = 4


def add_checker(work: Work, name: str, public_key: bytes, *, decision: OperatorDecision) -> None:
    """Lets a key, given as PEM, sign results from now on. Raises Invalid or Conflict."""
    key = _public_key(public_key)
    try:
        key_hash(name, key)
    except BadKey as wrong:
        raise Invalid(Fault("name", str(wrong))) from None
    if work.session.get(tables.CheckerRow, name) is not None:
        raise Conflict("name: there was a checker of this name; a new key gets a new name")
    data_key = work.vault.new_data_key()
    secret = json.dumps(decision.kept()).encode()
    row = tables.CheckerRow(
        name=name, public_key=key, added=work.now, data_key=data_key, sealed=b""
    )
    row.sealed = work.vault.seal_row(row, secret)
    work.session.add(row)
    work.session.flush()
    work.record(Deed.CHECKER_ADDED, checker=name)


def revoke_checker(work: Work, name: str, *, decision: OperatorDecision) -> None:
    """Ends that anything counts which this key ever signed. Raises NotFound."""
    row = work.session.get(tables.CheckerRow, name)
    if row is None or row.revoked is not None:
        raise NotFound("there is no such checker, or it was revoked before")
    opened = work.vault.open_row(row)
    decided = json.loads(opened) | decision.kept_as("revoked")
    row.sealed = work.vault.seal_row(row, json.dumps(decided).encode())
    row.revoked = work.now
    work.session.add(row)
    work.record(Deed.CHECKER_REVOKED, checker=name)


def signer_of(work: Work, note: str) -> tuple[tables.CheckerRow, str]:
    """Returns who signed a note, and the line that was signed. Raises Invalid for any flaw."""
    match = _NOTE.fullmatch(note) if len(note) <= _MOST_CHARACTERS else None
    if match is None:
        raise Invalid(Fault("result", "is a signed note: a line, an empty line, a signature line"))
    line, name, written = match.groups()
    checker = work.session.get(tables.CheckerRow, name)
    if checker is None:
        raise Invalid(Fault("signature", "is by a registered checker"))
    if checker.revoked is not None:
        raise Invalid(Fault("signature", "is by a checker that was not revoked"))
    signed = _bytes(written)
    if signed[:_HINT_BYTES] != key_hash(name, checker.public_key):
        raise Invalid(Fault("signature", "is by the key that is registered under its name"))
    try:
        key = Ed25519PublicKey.from_public_bytes(checker.public_key)
        key.verify(signed[_HINT_BYTES:], line.encode())
    except InvalidSignature:
        raise Invalid(
            Fault("signature", "fits the result: it was changed, or not signed")
        ) from None
    return checker, line


def _public_key(pem: bytes) -> bytes:
    try:
        key = serialization.load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise Invalid(Fault("public key", "is an Ed25519 public key, as PEM"))
    return key.public_bytes_raw()


def _bytes(text: str) -> bytes:
    """Returns the bytes of the one canonical spelling, as for checkpoints."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if not data or base64.b64encode(data).decode("ascii") != text:
        raise Invalid(Fault("signature", "is canonical base64"))
    return data
