"""What every kind of sealing shares: one cipher, framed names, and refusals that tell nothing.

Every key has 32 bytes. No message holds a key, a body or a value.

    VaultError
    ├── CannotOpen   altered, moved, cut short, or sealed under another key: these are one answer
    └── UnknownKey   the key that is needed is not on the ring
"""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

FORMAT = b"\x01"
KEY_BYTES = 32
_NONCE_BYTES = 12  # random: safe for 2**32 messages under one key, NIST SP 800-38D, 8.3
_LENGTH_BYTES = 4


class VaultError(Exception):
    """The vault refused."""


class CannotOpen(VaultError):
    """What was given is not what was sealed or wrapped."""


class UnknownKey(VaultError):
    """The key that is needed is not on the ring."""


def checked_key(key: bytes) -> bytes:
    """Returns the key if it has the right length. Raises VaultError."""
    if len(key) != KEY_BYTES:
        raise VaultError("every key has 32 bytes")
    return key


def encrypt(cipher: AESGCM, plaintext: bytes, *, bound_to: bytes) -> bytes:
    """Returns nonce and ciphertext. They decrypt only with the same associated data."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, plaintext, bound_to)


def decrypt(cipher: AESGCM, sealed: bytes, *, bound_to: bytes) -> bytes:
    """Returns what was encrypted. Raises CannotOpen."""
    nonce, ciphertext = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
    if len(nonce) < _NONCE_BYTES:
        raise CannotOpen("this is too short to have been sealed")
    try:
        return cipher.decrypt(nonce, ciphertext, bound_to)
    except InvalidTag:
        raise CannotOpen("altered, moved from its place, or sealed under another key") from None


def framed_place(*names: str) -> bytes:
    """Returns each name behind its length, so that no two places are spelled alike."""
    parts = [FORMAT]
    for name in names:
        encoded = as_bytes(name)
        parts += len(encoded).to_bytes(_LENGTH_BYTES), encoded
    return b"".join(parts)


def framed(name: str) -> bytes:
    """Returns a name behind its length."""
    encoded = as_bytes(name)
    return len(encoded).to_bytes(_LENGTH_BYTES) + encoded


def as_bytes(text: str) -> bytes:
    """Returns the bytes of any string. A refusal to encode would quote it in an exception."""
    return text.encode("utf-8", "surrogatepass")
