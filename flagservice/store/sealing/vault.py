"""Seals everything personal, so that a stolen database or backup says nothing.

    key-encryption key (`keyrings`: a file, the environment, a KMS)
        wraps a data key, one per person
            seals a body, bound to its table, row and version
            keys a digest, for what is compared and never searched for
    pseudonym key (`pseudonyms`), apart
        stands in for what is searched for: an NHS number, a plan's reference

Rotation wraps data keys anew and never touches a body or a digest. Destroying a data key destroys
all that it sealed, and what its digests could tell.

No message and no `repr` holds a key, a body or a value.
"""

import hmac
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from hashlib import sha256

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlmodel import SQLModel

from flagservice.store.sealing.ciphers import (
    FORMAT,
    KEY_BYTES,
    CannotOpen,
    VaultError,
    checked_key,
    decrypt,
    encrypt,
    framed,
    framed_place,
)
from flagservice.store.sealing.keyrings import KeyRing
from flagservice.store.sealing.places import KeyedRow, SealedRow, place_of
from flagservice.store.sealing.pseudonyms import PseudonymKeys

_LEAST_SALT_BYTES = 16
_MOST_SALT_BYTES = 255


class Vault:
    """Seals, opens, digests and gives pseudonyms."""

    def __init__(
        self,
        keyring: "KeyRing | DataKeys",
        pseudonym_keys: PseudonymKeys,
        *,
        versions: Callable[[], tuple[int, ...]] | None = None,
    ) -> None:
        self._data_keys = keyring if isinstance(keyring, DataKeys) else DataKeys(keyring)
        self._pseudonym_keys = pseudonym_keys
        self._versions = versions or pseudonym_keys.versions

    def within(self, versions: Callable[[], tuple[int, ...]]) -> "Vault":
        """Returns this vault for one unit of work, with the pseudonym versions that rows carry.

        The versions are asked for once, for the first pseudonym.
        """
        return Vault(self._data_keys, self._pseudonym_keys, versions=cache(versions))

    def new_data_key(self) -> bytes:
        """Returns a fresh key, already wrapped. No caller ever holds a bare one."""
        return self._data_keys.ring.wrap(os.urandom(KEY_BYTES))

    def seal(
        self, wrapped_key: bytes, plaintext: bytes, *, table: str, row: str, version: int | str
    ) -> bytes:
        """Returns format, nonce and ciphertext. They open only at this table, row and version."""
        bound_to = framed_place(table, row, str(version))
        return FORMAT + encrypt(
            self._data_keys.get(wrapped_key).cipher, plaintext, bound_to=bound_to
        )

    def open(
        self, wrapped_key: bytes, sealed: bytes, *, table: str, row: str, version: int | str
    ) -> bytes:
        """Returns what was sealed at this place. Raises CannotOpen."""
        if sealed[:1] != FORMAT:
            raise CannotOpen("this was not sealed by a vault of this format")
        bound_to = framed_place(table, row, str(version))
        return decrypt(self._data_keys.get(wrapped_key).cipher, sealed[1:], bound_to=bound_to)

    def seal_row(self, row: KeyedRow, plaintext: bytes) -> bytes:
        """Returns the body sealed for this very row, under the row's own data key."""
        return self.seal_row_under(_own_key(row), row, plaintext)

    def open_row(self, row: KeyedRow) -> bytes:
        """Returns the body of a row that has its own data key. Raises CannotOpen."""
        return self.open_row_under(_own_key(row), row)

    def seal_row_under(self, wrapped_key: bytes, row: SealedRow, plaintext: bytes) -> bytes:
        """Returns the body sealed for this very row, under a data key that another row holds."""
        return self.seal(wrapped_key, plaintext, **place_of(row)._asdict())

    def open_row_under(
        self, wrapped_key: bytes, row: SealedRow, *, table: type[SQLModel] | None = None
    ) -> bytes:
        """Returns the body of a row whose data key another row holds. Raises CannotOpen.

        With `table`, the row may be any object that has the columns of that table.
        """
        if row.sealed is None:
            raise CannotOpen("this row has no sealed body")
        return self.open(wrapped_key, row.sealed, **place_of(row, table)._asdict())

    def digest(self, wrapped_key: bytes, value: bytes, *, purpose: str) -> str:
        """Returns a keyed digest. Under one data key, equal values have equal digests.

        It tells nothing else, and outlives every rotation.
        """
        one = self._data_keys.get(wrapped_key).keyed.copy()
        one.update(framed(purpose) + value)
        return one.hexdigest()

    def rewrap(self, wrapped: bytes) -> bytes:
        """Returns the same data key under the current key-encryption key.

        What the data key sealed stays as it is.
        """
        return self._data_keys.ring.wrap(self._data_keys.ring.unwrap(wrapped))

    def current_key_id(self) -> str:
        """Returns which key-encryption key wraps data keys from now on."""
        return self._data_keys.ring.current_id()

    def newest_pseudonym_version(self) -> int:
        """Returns this process's newest version. Rows may not carry it yet."""
        return self._pseudonym_keys.versions()[0]

    def forget(self) -> None:
        """Drops the unwrapped data keys, so that a destroyed one does not live on in memory."""
        self._data_keys.forget()

    def pseudonym(self, value: str, *, purpose: str) -> str:
        """Returns a stand-in that tells only whether two values are equal."""
        return self.pseudonyms(value, purpose=purpose)[0]

    def pseudonyms(self, value: str, *, purpose: str) -> tuple[str, ...]:
        """Returns the stand-in under each version, newest first, for one statement."""
        return tuple(
            self._pseudonym_keys.pseudonym(value, purpose=purpose, version=version)
            for version in self._versions()
        )

    def __repr__(self) -> str:
        return "<Vault>"


def _own_key(row: KeyedRow) -> bytes:
    if row.data_key is None:
        raise CannotOpen("this row has no data key")
    return row.data_key


@dataclass(frozen=True, repr=False)
class _DataKey:
    """A data key, ready to seal, and, derived from it, to digest."""

    cipher: AESGCM
    keyed: hmac.HMAC


class DataKeys:
    """Unwraps data keys, and keeps the last few in memory."""

    def __init__(self, ring: KeyRing, *, kept: int = 1024) -> None:
        self.ring = ring
        self.get = lru_cache(kept)(self._unwrapped)

    def forget(self) -> None:
        """Drops the unwrapped keys."""
        self.get.cache_clear()

    def _unwrapped(self, wrapped: bytes) -> _DataKey:
        key = checked_key(self.ring.unwrap(wrapped))
        derived = hmac.digest(key, b"flagservice digest", sha256)
        return _DataKey(AESGCM(key), hmac.new(derived, digestmod=sha256))


def commit(value: bytes, salt: bytes) -> str:
    """Returns a commitment to a value: SHA-256 of the salt's length, the salt and the value.

    Without the salt it says nothing; with the salt it proves the value. The length byte is at least
    16, so that a commitment is never a hash of the tree, which starts with 0 or 1.
    """
    if not _LEAST_SALT_BYTES <= len(salt) <= _MOST_SALT_BYTES:
        raise VaultError("a salt has 16 to 255 bytes")
    return sha256(bytes([len(salt)]) + salt + value).hexdigest()
