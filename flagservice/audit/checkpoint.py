"""A signed head of the audit tree. Outsiders who keep one can hold the service to its past.

The form is the transparency log's, so that ordinary tools read it: a C2SP tlog-checkpoint
(c2sp.org/tlog-checkpoint) in a C2SP signed note (c2sp.org/signed-note), signed with Ed25519.

    <origin>
    <size>
    <base64 root>

    — <name> <base64(4-byte key hash || signature)>

Three rules are stricter here than there. The name that signs is the origin, there are no extension
lines, and exactly one line is ours. So a note has one reading.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Self

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from flagservice.audit.tree import HASH_BYTES

_ED25519 = b"\x01"  # the signature type that signed-note assigns
_KEY_BYTES = 32
_KEY_HASH_BYTES = 4
_MOST_LEAVES = 2**63 - 1
_MOST_CHARACTERS = 131_072  # signed-note: room for 16 signatures, of up to 5 kB each
_TEXT = re.compile(r"([^\n]+)\n(0|[1-9][0-9]{0,18})\n([^\n]+)\n")
_SIGNATURE_LINE = re.compile(r"— ([^ ]+) ([^ ]+)")


class CheckpointError(Exception):
    """Something about a checkpoint was refused."""


class BadCheckpoint(CheckpointError):
    """The note is malformed, is not signed by the log, or says more than a checkpoint may."""


class BadKey(CheckpointError):
    """The key or its name cannot be used."""


@dataclass(frozen=True)
class Checkpoint:
    """A statement that the log `origin` had `size` leaves and this root."""

    origin: str
    size: int
    root: bytes

    def __post_init__(self) -> None:
        if not _is_name(self.origin):
            raise BadCheckpoint("an origin is printable, and has no space and no plus")
        if not 0 <= self.size <= _MOST_LEAVES:
            raise BadCheckpoint("a size lies between 0 and 2**63 - 1")
        if len(self.root) != HASH_BYTES:
            raise BadCheckpoint("a root has 32 bytes")

    @property
    def text(self) -> str:
        """The characters that are signed."""
        return f"{self.origin}\n{self.size}\n{_base64(self.root)}\n"


class Signer:
    """The log's private key and the name that it signs by. Its `repr` does not show the key."""

    def __init__(self, name: str, private_key: Ed25519PrivateKey) -> None:
        self.name = name
        self.public_key_bytes = private_key.public_key().public_bytes_raw()
        self.key_hash = key_hash(name, self.public_key_bytes)
        self._private_key = private_key

    @classmethod
    def generate(cls, name: str) -> Self:
        """Returns a fresh key under this name."""
        return cls(name, Ed25519PrivateKey.generate())

    @classmethod
    def from_pem(cls, name: str, pem: bytes) -> Self:
        """Returns the key of an unencrypted PKCS #8 PEM. Raises BadKey."""
        try:
            private_key = serialization.load_pem_private_key(pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise BadKey("the signing key is not an unencrypted private key in PEM") from None
        if not isinstance(private_key, Ed25519PrivateKey):
            raise BadKey("the signing key is not an Ed25519 key")
        return cls(name, private_key)

    def to_pem(self) -> bytes:
        """Returns the secret itself, so that it can be put away."""
        return self._private_key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )

    def signature_of(self, text: str) -> bytes:
        """Returns the Ed25519 signature of the text in UTF-8."""
        return self._private_key.sign(text.encode())

    def __repr__(self) -> str:
        return f"<Signer {self.name}+{self.key_hash.hex()}>"


def key_hash(name: str, public_key: bytes) -> bytes:
    """Returns four bytes that tell which key of a name signed. They prove nothing.

    signed-note, Ed25519 signatures.
    """
    if not _is_name(name):
        raise BadKey("a key name is printable, and has no space and no plus")
    if len(public_key) != _KEY_BYTES:
        raise BadKey("an Ed25519 public key has 32 bytes")
    return sha256(name.encode() + b"\n" + _ED25519 + public_key).digest()[:_KEY_HASH_BYTES]


def sign(checkpoint: Checkpoint, key: Signer) -> str:
    """Returns the signed note of a checkpoint. Raises BadCheckpoint if it is another log's."""
    if key.name != checkpoint.origin:
        raise BadCheckpoint("a log signs only checkpoints of its own origin")
    signed = _base64(key.key_hash + key.signature_of(checkpoint.text))
    return f"{checkpoint.text}\n— {key.name} {signed}\n"


def verify(note: str, name: str, *, public_key: bytes) -> Checkpoint:
    """Returns the checkpoint that the log `name` signed. Raises BadCheckpoint for any flaw.

    Lines by other keys, such as a witness's, must be well formed. They are not judged otherwise.
    """
    ours = key_hash(name, public_key)
    text, signatures = _parts(note)
    mine = [
        signature[_KEY_HASH_BYTES:]
        for signer, signature in signatures
        if signer == name and signature[:_KEY_HASH_BYTES] == ours
    ]
    if len(mine) != 1:
        raise BadCheckpoint("a checkpoint has exactly one signature by the log's key")
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(mine[0], text.encode())
    except InvalidSignature:
        raise BadCheckpoint("the signature does not fit the text") from None
    return _checkpoint(text, name)


def _parts(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    """Splits a note at its last empty line, between the text and the signatures.

    signed-note, Format.
    """
    if len(note) > _MOST_CHARACTERS:
        raise BadCheckpoint("the note is longer than any checkpoint")
    if not note.replace("\n", "").isprintable():
        raise BadCheckpoint("a note has only printable characters and newlines")
    text, blank, signatures = note.rpartition("\n\n")
    if not blank or not signatures.endswith("\n"):
        raise BadCheckpoint("a note is a text, an empty line, and lines of signatures")
    return text + "\n", [_signature(line) for line in signatures[:-1].split("\n")]


def _signature(line: str) -> tuple[str, bytes]:
    match = _SIGNATURE_LINE.fullmatch(line)
    if match is None or not _is_name(match[1]):
        raise BadCheckpoint("a signature line is a dash, a name and a signature")
    signature = _bytes(match[2])
    if len(signature) <= _KEY_HASH_BYTES:
        raise BadCheckpoint("a signature follows its key hash")
    return match[1], signature


def _checkpoint(text: str, name: str) -> Checkpoint:
    match = _TEXT.fullmatch(text)
    if match is None:
        raise BadCheckpoint("a checkpoint has three lines: origin, plain decimal size, and root")
    origin, size, root = match.groups()
    if origin != name:
        raise BadCheckpoint("the checkpoint is of another log")
    return Checkpoint(origin, int(size), _bytes(root))


def _is_name(name: str) -> bool:
    """Returns whether a text may be a name: as signed-note says, and printable.

    Two printable names are less likely to look alike.
    """
    return name.isprintable() and name != "" and not set(name) & {" ", "+"}


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _bytes(text: str) -> bytes:
    """Decodes base64 in its one canonical spelling. Otherwise spare bits would go unsigned."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadCheckpoint("that is not base64") from None
    if _base64(data) != text:
        raise BadCheckpoint("that is not canonical base64")
    return data
