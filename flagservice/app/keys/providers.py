"""Where the keys that rotate come from: a file that is read anew once it changed, or settings.

A running process sees a new file at its next use; new settings need a restart. A cloud's service is
a provider of its own, as `store.keyrings` shows, and `key_ring` is where it is chosen.
"""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from flagservice.settings import Settings
from flagservice.store.sealing.ciphers import UnknownKey
from flagservice.store.sealing.keyrings import KeyRing, LocalKeyRing
from flagservice.store.sealing.pseudonyms import LocalPseudonymKeys, PseudonymKeys

KEY_ENCRYPTION_FILE = "kek.json"
PSEUDONYM_FILE = "pseudonym.key"
T = TypeVar("T")


def key_ring(settings: Settings) -> KeyRing:
    """Returns the key-encryption keys of these settings; raises FileNotFoundError."""
    given = settings.key_encryption_keys
    if given is None:
        return FileKeyRing(settings.keys_folder / KEY_ENCRYPTION_FILE)
    return _ring(given.get_secret_value())


def pseudonym_keys(settings: Settings) -> PseudonymKeys:
    """Returns the pseudonym keys of these settings; raises FileNotFoundError."""
    given = settings.pseudonym_keys
    if given is None:
        return FilePseudonymKeys(settings.keys_folder / PSEUDONYM_FILE)
    return _pseudonyms(given.get_secret_value())


class FileKeyRing:
    """The key-encryption keys of a file."""

    def __init__(self, path: Path) -> None:
        self._file = _Watched(path, _ring)

    def current_id(self) -> str:
        """As `KeyRing` says."""
        return self._file.newest().current_id()

    def wrap(self, data_key: bytes) -> bytes:
        """As `KeyRing` says; never under a key that is no longer the current one."""
        return self._file.newest().wrap(data_key)

    def unwrap(self, wrapped: bytes) -> bytes:
        """As `KeyRing` says."""
        try:
            return self._file.last.unwrap(wrapped)
        except UnknownKey:
            return self._file.newest().unwrap(wrapped)


class FilePseudonymKeys:
    """The pseudonym keys of a file."""

    def __init__(self, path: Path) -> None:
        self._file = _Watched(path, _pseudonyms)

    def versions(self) -> tuple[int, ...]:
        """As `PseudonymKeys` says."""
        return self._file.newest().versions()

    def pseudonym(self, value: str, *, purpose: str, version: int) -> str:
        """As `PseudonymKeys` says."""
        try:
            return self._file.last.pseudonym(value, purpose=purpose, version=version)
        except UnknownKey:
            return self._file.newest().pseudonym(value, purpose=purpose, version=version)


class _Watched(Generic[T]):
    """What a file says: read again whenever it was replaced."""

    def __init__(self, path: Path, read: Callable[[str], T]) -> None:
        self._path = path
        self._read = read
        self._kept = self._look()

    @property
    def last(self) -> T:
        """Returns what the file said when it was last read."""
        return self._kept[1]

    def newest(self) -> T:
        """Returns what the file says now."""
        kept = self._kept
        if self._mark() != kept[0]:
            # Two threads may both read; what each answers is what it has read, no older.
            kept = self._kept = self._look()
        return kept[1]

    def _look(self) -> tuple[tuple[int, int, int], T]:
        # The mark first: a file that is replaced in between is read once more, never missed.
        return self._mark(), self._read(self._path.read_text())

    def _mark(self) -> tuple[int, int, int]:
        found = self._path.stat()
        return found.st_mtime_ns, found.st_ino, found.st_size


def _ring(text: str) -> LocalKeyRing:
    said = json.loads(text)
    keys = {name: base64.b64decode(key) for name, key in said["keys"].items()}
    return LocalKeyRing(keys, said["current"])


def _pseudonyms(text: str) -> LocalPseudonymKeys:
    keys = json.loads(text)
    return LocalPseudonymKeys({int(one): base64.b64decode(key) for one, key in keys.items()})
