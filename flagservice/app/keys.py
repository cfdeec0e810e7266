"""The keys, on disk or in the environment: made once, never overwritten, readable by us alone.

kek.json        key-encryption keys by id, and which is current; data keys are wrapped by it
pseudonym.key   the key of every pseudonym: apart, because it undoes them all
audit.pem       Ed25519: signs checkpoints
token.pem       P-256: signs our own access tokens
"""

import base64
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from joserfc.jwk import ECKey

from flagservice.audit.checkpoint import Signer
from flagservice.settings import Settings
from flagservice.store.vault import LocalKeyRing, Vault

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
    return Keys(Vault(LocalKeyRing(ring["keys"], ring["current"]), pseudonym), signer, tokens)


def add_key_encryption_key(folder: Path) -> str:
    """A new current key-encryption key; the old ones stay until nothing is wrapped by them."""
    path = folder / "kek.json"
    kek = json.loads(path.read_text())
    name = f"k{len(kek['keys']) + 1}"
    kek = {"current": name, "keys": {**kek["keys"], name: _fresh()}}
    fresh = folder / "kek.json.new"
    fresh.unlink(missing_ok=True)
    _write_new(fresh, json.dumps(kek).encode())
    fresh.replace(path)
    return name


def _key_ring(settings: Settings) -> dict[str, Any]:
    given = settings.key_encryption_keys
    text = given.get_secret_value() if given else (settings.keys_folder / "kek.json").read_text()
    kek = json.loads(text)
    keys = {name: base64.b64decode(key) for name, key in kek["keys"].items()}
    return {"current": kek["current"], "keys": keys}


def _fresh() -> str:
    return base64.b64encode(os.urandom(_KEY_BYTES)).decode()


def _write_new(path: Path, content: bytes) -> None:
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
