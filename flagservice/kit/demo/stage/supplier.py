"""What a supplier does before any flag may come: checks a version of its system, and signs."""

import json
import secrets
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from flagservice.kit.demo.stage import gp_system

SYSTEM, GOOD, BROKEN = "Sandbox", "1.0", "0.9"
MISTAKE = "label-ignored"
SIGNER = "sandbox.checker"
_TWINS = {"flagged": "9990548609", "plain": "9990548617"}
_NHS_NUMBER = "https://fhir.nhs.uk/Id/nhs-number"


@dataclass(frozen=True)
class CheckedVersion:
    """The last line of a check, whether it was clean, and the signed result."""

    said: str
    clean: bool
    result: Path


class Supplier:
    """Has a test system with twins in it, and a key to sign with."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._folder = folder
        self._environment = environment
        self._checks = 0
        folder.mkdir()
        key = Ed25519PrivateKey.generate()
        self._key = folder / "checker.pem"
        self.public_key = folder / "checker.pub.pem"
        self._key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        self.public_key.write_bytes(
            key.public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        )

    def check(self, version: str, *, leak: str = "") -> CheckedVersion:
        """Runs the real leak check against a fresh test system of this version."""
        self._checks += 1
        folder = self._folder / f"{version}-{self._checks}"
        folder.mkdir()
        tokens = _test_system(folder)
        process, url = gp_system.start(folder, "B83999", leak=leak)
        try:
            _ordinary_entries(url, tokens["push"])
            (folder / "system.toml").write_text(_described(url, tokens, version))
            done = self._leak_check(folder)
        finally:
            process.terminate()
            process.wait(timeout=10)
        said = (done.stdout.strip().splitlines() or [done.stderr.strip()[-400:]])[-1]
        return CheckedVersion(said, done.returncode == 0, folder / "result.note")

    def _leak_check(self, folder: Path) -> subprocess.CompletedProcess[str]:
        options = {
            "--key": str(self._key),
            "--signer": SIGNER,
            "--out": str(folder / "result.note"),
        }
        words = [word for pair in options.items() for word in pair]
        return subprocess.run(
            [
                *(sys.executable, "-m", "flagservice", "leak-check"),
                *(str(folder / "system.toml"), *words),
            ],
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )


def _test_system(folder: Path) -> dict[str, Any]:
    people = [{"nhs_number": number, "name": name} for name, number in _TWINS.items()]
    tokens = {
        "push": secrets.token_hex(24),
        "clinician": secrets.token_hex(24),
        "patients": {secrets.token_hex(24): number for number in _TWINS.values()},
        "proxies": {},
    }
    (folder / "patients.json").write_text(json.dumps(people))
    (folder / "tokens.json").write_text(json.dumps(tokens))
    return tokens


def _ordinary_entries(url: str, token: str) -> None:
    for number in _TWINS.values():
        for kind in ("Condition", "Observation"):
            entry = {
                "resourceType": kind,
                "code": {"text": "Asthma"},
                "subject": {"identifier": {"system": _NHS_NUMBER, "value": number}},
            }
            httpx.post(
                f"{url}/fhir/{kind}",
                json=entry,
                headers={"Authorization": f"Bearer {token}"},
                trust_env=False,
            ).raise_for_status()


def _described(url: str, tokens: dict[str, Any], version: str) -> str:
    by_number = {number: token for token, number in tokens["patients"].items()}
    texts = {
        "system": SYSTEM,
        "version": version,
        "patient_base": f"{url}/patient/fhir",
        "push_base": f"{url}/fhir",
        "push_token": tokens["push"],
        "clinician_base": f"{url}/clinician/fhir",
        "clinician_token": tokens["clinician"],
    }
    lines = [f"{name} = {json.dumps(text)}" for name, text in texts.items()]
    lines.append("pause_seconds = 0")
    for name, number in _TWINS.items():
        lines += [f"[{name}]", f'nhs_number = "{number}"', f'token = "{by_number[number]}"']
    return "\n".join(lines) + "\n"
