"""Everything personal is sealed here, so that a stolen database or backup says nothing.

    key-encryption key (a KMS, or `LocalKeyRing`)
        wraps a data key, one per person
            seals a body, bound to its table, row and version

Rotation wraps data keys anew and never touches a body. Destroying a data key destroys all that it
sealed. NHS numbers are found by a pseudonym under a key of its own: they are few enough to try
them all, so whoever holds that key can undo every pseudonym.

Every key has 32 bytes. No message and no `repr` here holds a key, a body or a value.

    VaultError
    ├── CannotOpen   altered, moved, cut short, or sealed under another key: these are one answer
    └── UnknownKey   wrapped under a key-encryption key that this ring does not hold
"""

import hmac
import os
import re
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_FORMAT = b"\x01"
_KEY_BYTES = 32
_NONCE_BYTES = 12  # random: safe for 2**32 messages under one key, NIST SP 800-38D, 8.3
_LENGTH_BYTES = 4
_LEAST_SALT_BYTES = 16
_MOST_SALT_BYTES = 255
# Too short to be a key in hexadecimal or base64, so a name may stand in a message.
_KEY_ID = re.compile(rb"[A-Za-z0-9._-]{1,32}")


class VaultError(Exception):
    """The vault refused."""


class CannotOpen(VaultError):
    """What was given is not what was sealed or wrapped."""


class UnknownKey(VaultError):
    """The key that is needed is not on the ring."""


class KeyRing(Protocol):
    """The key-encryption keys: the little that a key management service has to do for us."""

    def current_id(self) -> str:
        """The id of the key that wraps from now on."""

    def wrap(self, data_key: bytes) -> bytes:
        """Under the current key; the answer carries that key's id."""

    def unwrap(self, wrapped: bytes) -> bytes:
        """Under whichever key wrapped it; raises `CannotOpen` or `UnknownKey`."""


class LocalKeyRing:
    """Key-encryption keys held in this process, by id. Where they came from is not its business.

    A wrapped key is: format, length of the id, id, nonce, AES-256-GCM of the data key, with all
    that stands before the nonce as associated data.
    """

    def __init__(self, keys: Mapping[str, bytes], current: str) -> None:
        if not all(_KEY_ID.fullmatch(key_id.encode("utf-8", "replace")) for key_id in keys):
            raise VaultError("a key id has 1 to 32 letters, digits, dots, dashes or underscores")
        if len(set(keys.values())) < len(keys):
            raise VaultError("two key ids name the same key: that is no rotation")
        if current not in keys:
            raise UnknownKey("the current key-encryption key is not on the ring")
        self._ciphers = {key_id: AESGCM(_key(key)) for key_id, key in keys.items()}
        self._current = current

    def current_id(self) -> str:
        """The current key-encryption key."""
        return self._current

    def wrap(self, data_key: bytes) -> bytes:
        """As `KeyRing` says."""
        key_id = self._current.encode("ascii")
        header = _FORMAT + bytes([len(key_id)]) + key_id
        return header + _encrypt(self._ciphers[self._current], _key(data_key), bound_to=header)

    def unwrap(self, wrapped: bytes) -> bytes:
        """As `KeyRing` says."""
        key_id = wrapping_key_id(wrapped)
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise UnknownKey(f"key-encryption key {key_id} is not on the ring")
        header_bytes = 2 + len(key_id)
        return _decrypt(cipher, wrapped[header_bytes:], bound_to=wrapped[:header_bytes])

    def __repr__(self) -> str:
        return f"<LocalKeyRing of {len(self._ciphers)}, current {self._current}>"


class Vault:
    """Seals, opens and gives pseudonyms. It keeps the last few data keys unwrapped, in memory."""

    def __init__(
        self,
        keyring: KeyRing,
        pseudonym_key: bytes,
        *,
        pseudonym_version: int = 1,
        former_pseudonym_keys: Mapping[int, bytes] | None = None,
        cached_keys: int = 1024,
    ) -> None:
        former = former_pseudonym_keys or {}
        if pseudonym_version in former or pseudonym_key in former.values():
            raise VaultError("a former pseudonym key has the version or the bytes of the current")
        self._keyring = keyring
        newest_first = {pseudonym_version: pseudonym_key, **dict(sorted(former.items())[::-1])}
        self._pseudonymisers = {
            version: hmac.new(_key(key), digestmod=sha256) for version, key in newest_first.items()
        }
        self._cipher = lru_cache(cached_keys)(lambda wrapped: AESGCM(_key(keyring.unwrap(wrapped))))

    def new_data_key(self) -> bytes:
        """A fresh key for one person, already wrapped: nobody above ever holds a bare one."""
        return self._keyring.wrap(os.urandom(_KEY_BYTES))

    def seal(
        self, wrapped_key: bytes, plaintext: bytes, *, table: str, row: str, version: int | str
    ) -> bytes:
        """Format, nonce, ciphertext. It opens only at the same table, row and version."""
        bound_to = _place(table, row, str(version))
        return _FORMAT + _encrypt(self._cipher(wrapped_key), plaintext, bound_to=bound_to)

    def open(
        self, wrapped_key: bytes, sealed: bytes, *, table: str, row: str, version: int | str
    ) -> bytes:
        """What was sealed at this very place; raises CannotOpen."""
        if sealed[:1] != _FORMAT:
            raise CannotOpen("this was not sealed by a vault of this format")
        bound_to = _place(table, row, str(version))
        return _decrypt(self._cipher(wrapped_key), sealed[1:], bound_to=bound_to)

    def rewrap(self, wrapped: bytes) -> bytes:
        """The same data key under the current key-encryption key; what it sealed stays as it is."""
        return self._keyring.wrap(self._keyring.unwrap(wrapped))

    def is_stale(self, wrapped: bytes) -> bool:
        """Is it wrapped under another key-encryption key than the current one?"""
        return wrapping_key_id(wrapped) != self._keyring.current_id()

    def forget(self) -> None:
        """Drops the unwrapped data keys, so that a destroyed one does not live on in memory."""
        self._cipher.cache_clear()

    def pseudonym(self, value: str, *, purpose: str) -> str:
        """A stand-in that equals itself and says nothing: for columns that are searched."""
        return self.pseudonyms(value, purpose=purpose)[0]

    def pseudonyms(self, value: str, *, purpose: str) -> tuple[str, ...]:
        """Newest key first: while keys rotate, a look-up has to try each."""
        return tuple(
            f"{version}:{_digest(keyed, _framed(purpose) + _text(value))}"
            for version, keyed in self._pseudonymisers.items()
        )

    def __repr__(self) -> str:
        return "<Vault>"


def commit(value: bytes, salt: bytes) -> str:
    """What an audit leaf holds in place of a value: SHA-256 of salt length, salt and value.

    With the salt destroyed it says nothing; with the salt kept it proves the value. The length
    byte is at least 16, so that a commitment is never a hash of the tree, which starts 0 or 1.
    """
    if not _LEAST_SALT_BYTES <= len(salt) <= _MOST_SALT_BYTES:
        raise VaultError("a salt has 16 to 255 bytes")
    return sha256(bytes([len(salt)]) + salt + value).hexdigest()


def wrapping_key_id(wrapped: bytes) -> str:
    """Under which key a `LocalKeyRing` wrapped this; so rotation can tell what is left to do."""
    length, rest = wrapped[1:2], wrapped[2:]
    key_id = rest[: int.from_bytes(length)]
    # A cut id must not pass for a shorter one: that would be reported as a missing key.
    if wrapped[:1] + length != _FORMAT + bytes([len(key_id)]) or not _KEY_ID.fullmatch(key_id):
        raise CannotOpen("this is not a wrapped key")
    return key_id.decode("ascii")


def _key(key: bytes) -> bytes:
    if len(key) != _KEY_BYTES:
        raise VaultError("every key has 32 bytes")
    return key


def _encrypt(cipher: AESGCM, plaintext: bytes, *, bound_to: bytes) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, plaintext, bound_to)


def _decrypt(cipher: AESGCM, sealed: bytes, *, bound_to: bytes) -> bytes:
    nonce, ciphertext = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
    if len(nonce) < _NONCE_BYTES:
        raise CannotOpen("this is too short to have been sealed")
    try:
        return cipher.decrypt(nonce, ciphertext, bound_to)
    except InvalidTag:
        raise CannotOpen("altered, moved from its place, or sealed under another key") from None


def _place(*names: str) -> bytes:
    """Each name behind its length, so that no two places are ever spelled alike."""
    return _FORMAT + b"".join(_framed(name) for name in names)


def _framed(name: str) -> bytes:
    encoded = _text(name)
    return len(encoded).to_bytes(_LENGTH_BYTES) + encoded


def _text(text: str) -> bytes:
    """Every string has bytes; a refusal to encode would quote the string in its exception."""
    return text.encode("utf-8", "surrogatepass")


def _digest(keyed: hmac.HMAC, message: bytes) -> str:
    one = keyed.copy()
    one.update(message)
    return one.hexdigest()
