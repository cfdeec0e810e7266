"""The keys, on disk or in the environment: made once, never overwritten, readable by us alone.

kek.json        key-encryption keys by id, and which is current; data keys are wrapped by it
pseudonym.key   the key of every pseudonym: apart, because it undoes them all
audit.pem       Ed25519: signs checkpoints
token.pem       P-256: signs our own access tokens
"""

import base64
import contextlib
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from joserfc.jwk import ECKey

from flagservice.audit.checkpoint import Signer
from flagservice.settings import Settings
from flagservice.store.vault import KeyRing, LocalKeyRing, UnknownKey, Vault

_KEY_BYTES = 32


class KeysMissing(Exception):
    """There is data, or should be, and its keys are not there."""


@dataclass(frozen=True)
class Keys:
    """Every key, as what uses it."""

    vault: Vault
    signer: Signer
    tokens: ECKey


def make_keys(folder: Path, origin: str) -> None:
    """Makes every key that is not there yet; an existing one is never touched."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    kek = {"current": "k1", "keys": {"k1": _fresh()}}
    _write_new(folder / "kek.json", json.dumps(kek).encode())
    _write_new(folder / "pseudonym.key", _fresh().encode())
    _write_new(folder / "audit.pem", Signer.generate(origin).to_pem())
    token_key = ECKey.generate_key("P-256", {"use": "sig"}, private=True)
    _write_new(folder / "token.pem", token_key.as_pem(private=True))


def missing_keys(settings: Settings) -> list[str]:
    """The names of the key files that these settings need and that are not there."""
    needed = ["pseudonym.key", "audit.pem", "token.pem"]
    if settings.key_encryption_keys is None:
        needed.append("kek.json")
    return [name for name in needed if not (settings.keys_folder / name).exists()]


def load_keys(settings: Settings) -> Keys:
    """The keys of these settings; raises KeysMissing."""
    folder = settings.keys_folder
    try:
        ring = _key_ring(settings)
        pseudonym = base64.b64decode((folder / "pseudonym.key").read_bytes())
        signer = Signer.from_pem(settings.origin, (folder / "audit.pem").read_bytes())
        tokens = ECKey.import_key((folder / "token.pem").read_bytes(), {"use": "sig"})
    except FileNotFoundError as missing:
        name = Path(str(missing.filename)).name
        raise KeysMissing(f"{name} is not there: run `flagservice keys init`") from None
    return Keys(Vault(ring, pseudonym), signer, tokens)


def add_key_encryption_key(folder: Path) -> str:
    """A new current key-encryption key; the old ones stay until nothing is wrapped by them."""
    path = folder / "kek.json"
    kek = json.loads(path.read_text())
    # Above every number on the ring: an old key that was dropped must not lend its name.
    numbers = [int(known[1:]) for known in kek["keys"] if known[1:].isdecimal()]
    name = f"k{max(numbers, default=0) + 1}"
    kek = {"current": name, "keys": {**kek["keys"], name: _fresh()}}
    _written(folder, json.dumps(kek).encode()).replace(path)
    _sync(folder)
    return name


class FileKeyRing:
    """The key-encryption keys of a file, read anew once it changed: keys rotate while we run."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = (0, 0)
        self._ring = self._newest()

    def current_id(self) -> str:
        """As `KeyRing` says."""
        return self._newest().current_id()

    def wrap(self, data_key: bytes) -> bytes:
        """As `KeyRing` says; never under a key that is no longer the current one."""
        return self._newest().wrap(data_key)

    def unwrap(self, wrapped: bytes) -> bytes:
        """As `KeyRing` says."""
        try:
            return self._ring.unwrap(wrapped)
        except UnknownKey:
            return self._newest().unwrap(wrapped)

    def _newest(self) -> LocalKeyRing:
        found = self._path.stat()
        if (found.st_mtime_ns, found.st_ino) != self._seen:
            self._ring = _ring(self._path.read_text())
            self._seen = (found.st_mtime_ns, found.st_ino)
        return self._ring


def _key_ring(settings: Settings) -> KeyRing:
    given = settings.key_encryption_keys
    if given is None:
        return FileKeyRing(settings.keys_folder / "kek.json")
    return _ring(given.get_secret_value())


def _ring(text: str) -> LocalKeyRing:
    kek = json.loads(text)
    keys = {name: base64.b64decode(key) for name, key in kek["keys"].items()}
    return LocalKeyRing(keys, kek["current"])


def _fresh() -> str:
    return base64.b64encode(os.urandom(_KEY_BYTES)).decode()


def _write_new(path: Path, content: bytes) -> None:
    """Whole or not at all: another process may start, or this one die, at any moment."""
    if path.exists():
        return
    fresh = _written(path.parent, content)
    with contextlib.suppress(FileExistsError):
        path.hardlink_to(fresh)
    fresh.unlink()
    _sync(path.parent)


def _written(folder: Path, content: bytes) -> Path:
    """A new file with a name of its own, on disk, readable by us alone."""
    handle, name = tempfile.mkstemp(dir=folder, prefix="new-")
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return Path(name)


def _sync(folder: Path) -> None:
    """A name is on disk once its folder is: data keys may be wrapped under this key at once."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
