"""The keys, on disk or in the environment: made once, never overwritten, readable by us alone.

kek.json        key-encryption keys by id, and which is current; data keys are wrapped by it
pseudonym.key   the keys of every pseudonym by version: apart, because they undo them all
audit.pem       Ed25519: signs checkpoints
token.pem       P-256: signs our own access tokens
"""

import base64
import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flagservice.app.files import put, put_new
from flagservice.app.keys.providers import (
    KEY_ENCRYPTION_FILE,
    PSEUDONYM_FILE,
    key_ring,
    pseudonym_keys,
)
from flagservice.audit.checkpoint import Signer
from flagservice.domain.errors import CannotRun, Conflict, NotFound
from flagservice.settings import Settings
from flagservice.store.sealing.ciphers import KEY_BYTES
from flagservice.store.sealing.pseudonyms import FIRST
from flagservice.store.sealing.vault import Vault


class KeysMissing(CannotRun):
    """There is data, or should be, and its keys are missing."""


@dataclass(frozen=True)
class Keys:
    """Every key, as what uses it."""

    vault: Vault
    signer: Signer
    token_pem: bytes = field(repr=False)
    """Signs our own access tokens."""


def make_keys(folder: Path, origin: str) -> None:
    """Makes every missing key, and leaves existing ones."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    kek = {"current": "k1", "keys": {"k1": _fresh()}}
    put_new(folder / KEY_ENCRYPTION_FILE, json.dumps(kek).encode())
    put_new(folder / PSEUDONYM_FILE, json.dumps({FIRST: _fresh()}).encode())
    put_new(folder / "audit.pem", Signer.generate(origin).to_pem())
    if not (folder / "token.pem").exists():
        put_new(folder / "token.pem", _token_pem())


def missing_keys(settings: Settings) -> list[str]:
    """Returns the names of the key files that these settings need and that are missing."""
    needed = ["audit.pem", "token.pem"]
    if settings.pseudonym_keys is None:
        needed.append(PSEUDONYM_FILE)
    if settings.key_encryption_keys is None:
        needed.append(KEY_ENCRYPTION_FILE)
    return [name for name in needed if not (settings.keys_folder / name).exists()]


def load_keys(settings: Settings) -> Keys:
    """Returns the keys of these settings; raises KeysMissing."""
    folder = settings.keys_folder
    try:
        vault = Vault(key_ring(settings), pseudonym_keys(settings))
        signer = Signer.from_pem(settings.origin, (folder / "audit.pem").read_bytes())
        token_pem = (folder / "token.pem").read_bytes()
    except FileNotFoundError as missing:
        name = Path(str(missing.filename)).name
        raise KeysMissing(f"{name} is not there: run `flagservice keys init`") from None
    return Keys(vault, signer, token_pem)


def add_key_encryption_key(folder: Path) -> str:
    """Adds a new current key-encryption key; the old ones stay until they wrap nothing."""
    with _changing(folder / KEY_ENCRYPTION_FILE) as kek:
        # The current key is never dropped, so no name is given twice.
        numbers = [int(known[1:]) for known in kek["keys"] if known[1:].isdecimal()]
        name = f"k{max(numbers, default=0) + 1}"
        kek["keys"][name] = _fresh()
        kek["current"] = name
    return name


def add_pseudonym_key(folder: Path) -> int:
    """Adds a new pseudonym key; nothing is found by it before the database says so."""
    with _changing(folder / PSEUDONYM_FILE) as keys:
        version = max(map(int, keys)) + 1
        keys[str(version)] = _fresh()
    return version


def drop_key_encryption_key(folder: Path, name: str) -> None:
    """Drops a key that wraps nothing; raises NotFound or Conflict."""
    with _changing(folder / KEY_ENCRYPTION_FILE) as kek:
        if name not in kek["keys"]:
            raise NotFound("there is no such key-encryption key")
        if name == kek["current"]:
            raise Conflict("this key wraps: rotate first")
        del kek["keys"][name]


def drop_pseudonym_key(folder: Path, version: int) -> None:
    """Drops a key that no row carries; raises NotFound or Conflict."""
    with _changing(folder / PSEUDONYM_FILE) as keys:
        if str(version) not in keys:
            raise NotFound("there is no such version of the pseudonym key")
        if version == max(map(int, keys)):
            raise Conflict("this is the newest version: rotate first")
        del keys[str(version)]


@contextlib.contextmanager
def _changing(path: Path) -> Iterator[dict[str, Any]]:
    """Yields what the file says, and writes it back, one process at a time.

    Otherwise two that read the same file and wrote one after the other would lose a key in use.
    """
    handle = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        said: dict[str, Any] = json.loads(path.read_text())
        yield said
        put(path, json.dumps(said).encode())
    finally:
        os.close(handle)


def _token_pem() -> bytes:
    from joserfc.jwk import ECKey  # noqa: PLC0415, keys are made once: a command need not load it

    key = ECKey.generate_key("P-256", {"use": "sig"}, private=True)
    return key.as_pem(private=True)


def _fresh() -> str:
    return base64.b64encode(os.urandom(KEY_BYTES)).decode()
