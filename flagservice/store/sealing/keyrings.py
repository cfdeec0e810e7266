"""The key-encryption keys, and the little that a key management service has to do for us.

A provider is three methods (`KeyRing`). `LocalKeyRing` holds the keys in this process, and
`app.keys.providers` reads them from a file or the environment. A provider for a cloud's service
keeps its keys there, and a short name for each:

    class CloudKeyRing:
        def current_id(self):
            return "c7"                                 # of the key that wraps from now on
        def wrap(self, data_key):
            return header("c7") + cloud.encrypt(key=ADDRESS["c7"], plaintext=data_key)
        def unwrap(self, wrapped):
            key_id = wrapping_key_id(wrapped)           # raises CannotOpen
            if key_id not in ADDRESS:
                raise UnknownKey(key_id)
            return cloud.decrypt(key=ADDRESS[key_id], ciphertext=wrapped[len(header(key_id)):])

It is asked once for each data key that is not in memory, and twice for each that is wrapped anew.
The header is not optional: by it a rotation finds in the database what is left to do.
"""

import re
from collections.abc import Mapping
from typing import Protocol

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from flagservice.store.sealing.ciphers import (
    FORMAT,
    CannotOpen,
    UnknownKey,
    VaultError,
    checked_key,
    decrypt,
    encrypt,
)

# Too short to be a key in hexadecimal or base64, so a name may stand in a message.
_KEY_ID = re.compile(rb"[A-Za-z0-9._-]{1,32}")


class KeyRing(Protocol):
    """The key-encryption keys."""

    def current_id(self) -> str:
        """Returns the id of the key that wraps from now on."""

    def wrap(self, data_key: bytes) -> bytes:
        """Wraps a data key under the current key. The answer begins with that key's `header`."""

    def unwrap(self, wrapped: bytes) -> bytes:
        """Unwraps under the key that wrapped it. Raises `CannotOpen` or `UnknownKey`."""


class LocalKeyRing:
    """Key-encryption keys held in this process, by id.

    A wrapped key is a header, a nonce and the AES-256-GCM of the data key, with the header as
    associated data. It is not bound to its row. What it sealed is, so it opens nothing in another
    row.
    """

    def __init__(self, keys: Mapping[str, bytes], current: str) -> None:
        if not all(_KEY_ID.fullmatch(key_id.encode("utf-8", "replace")) for key_id in keys):
            raise VaultError("a key id has 1 to 32 letters, digits, dots, dashes or underscores")
        if len(set(keys.values())) < len(keys):
            raise VaultError("two key ids name the same key: that is no rotation")
        if current not in keys:
            raise UnknownKey("the current key-encryption key is not on the ring")
        self._ciphers = {key_id: AESGCM(checked_key(key)) for key_id, key in keys.items()}
        self._current = current

    def current_id(self) -> str:
        """As `KeyRing` says."""
        return self._current

    def wrap(self, data_key: bytes) -> bytes:
        """As `KeyRing` says."""
        begins = header(self._current)
        return begins + encrypt(
            self._ciphers[self._current], checked_key(data_key), bound_to=begins
        )

    def unwrap(self, wrapped: bytes) -> bytes:
        """As `KeyRing` says."""
        key_id = wrapping_key_id(wrapped)
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise UnknownKey(f"key-encryption key {key_id} is not on the ring")
        begins = header(key_id)
        return decrypt(cipher, wrapped[len(begins) :], bound_to=begins)

    def __repr__(self) -> str:
        return f"<LocalKeyRing of {len(self._ciphers)}, current {self._current}>"


def header(key_id: str) -> bytes:
    """Returns how everything that this key wrapped begins: format, length of the id, id."""
    return FORMAT + bytes([len(key_id)]) + key_id.encode("ascii")


def wrapping_key_id(wrapped: bytes) -> str:
    """Returns which key wrapped this. Raises CannotOpen if it is no wrapped key."""
    length, rest = wrapped[1:2], wrapped[2:]
    key_id = rest[: int.from_bytes(length)]
    # A cut id must not pass for a shorter one: that would be reported as a missing key.
    if wrapped[:1] + length != FORMAT + bytes([len(key_id)]) or not _KEY_ID.fullmatch(key_id):
        raise CannotOpen("this is not a wrapped key")
    return key_id.decode("ascii")
