"""What a run says: a verdict, every difference by name, and a signature that others can check.

A file is a signed note (C2SP signed-note, as the audit's checkpoints are): one line of JSON with
its keys in order, an empty line, and a line with the checker's name and its Ed25519 signature over
the bytes of the first line.
"""

import base64
import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from flagservice.domain.errors import Fault, Invalid
from flagservice.kit.leak_check.config import SupplierSystem
from flagservice.kit.leak_check.control import ControlKind
from flagservice.kit.leak_check.differences.naming import Finding

TOOL: Final = "flagservice leak-check"
PROTOCOL: Final = 2
"""What is asked and how it is judged; it rises when an older result would no longer suffice."""
_ED25519: Final = b"\x01"


class LeakCheckVerdict(StrEnum):
    """What a run concludes."""

    CLEAN = "clean"
    LEAKS = "leaks"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True)
class CrawlExtent:
    """How much was asked, how much was planned, and the digest of the transcript."""

    requests: int
    planned: int
    transcript: str


@dataclass(frozen=True)
class LeakCheckOutcome:
    """All that came of one run; `doubts` say why nothing can be concluded."""

    system: SupplierSystem
    run_at: datetime
    findings: tuple[Finding, ...]
    doubts: tuple[str, ...]
    extent: CrawlExtent
    control: ControlKind

    @property
    def verdict(self) -> LeakCheckVerdict:
        """Returns the verdict: any leak is one, and without leaks a doubt is never a pass."""
        if self.findings:
            return LeakCheckVerdict.LEAKS
        return LeakCheckVerdict.INCONCLUSIVE if self.doubts else LeakCheckVerdict.CLEAN


@dataclass(frozen=True)
class ResultSigner:
    """The key that signs, and the name by which the service knows it."""

    name: str
    key: Ed25519PrivateKey

    @classmethod
    def read(cls, name: str, pem: bytes) -> "ResultSigner":
        """Returns the signer of an unencrypted PKCS #8 PEM; raises Invalid."""
        try:
            key = serialization.load_pem_private_key(pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            key = None
        if not isinstance(key, Ed25519PrivateKey):
            raise Invalid(Fault("key", "is an unencrypted Ed25519 private key, as PEM"))
        if not name.isprintable() or not name or set(name) & {" ", "+"}:
            raise Invalid(Fault("signer", "is printable, with no space and no plus"))
        return cls(name, key)


def content(outcome: LeakCheckOutcome, *, tool_version: str) -> str:
    """Returns the line that is signed. No number, token or word of a record is in it."""
    said = {
        "tool": TOOL,
        "tool_version": tool_version,
        "protocol": PROTOCOL,
        "system": outcome.system.name,
        "version": outcome.system.version,
        "patient_base": outcome.system.patient_base,
        "push_base": outcome.system.push.base,
        "clinician_base": outcome.system.clinician.base,
        "run_at": outcome.run_at.astimezone(UTC).isoformat(timespec="seconds"),
        "requests": outcome.extent.requests,
        "planned": outcome.extent.planned,
        "control": outcome.control,
        "verdict": outcome.verdict,
        "doubts": list(outcome.doubts),
        "findings": [
            {"name": one.name, "where": one.where, "readers": one.readers, "seen": one.stages}
            for one in outcome.findings
        ],
        "transcript": outcome.extent.transcript,
    }
    return json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=True) + "\n"


def signed(text: str, by: ResultSigner) -> str:
    """Returns the signed note around a line."""
    public = by.key.public_key().public_bytes_raw()
    hint = hashlib.sha256(by.name.encode() + b"\n" + _ED25519 + public).digest()[:4]
    signature = base64.b64encode(hint + by.key.sign(text.encode())).decode("ascii")
    return f"{text}\n— {by.name} {signature}\n"


def write_out(
    outcome: LeakCheckOutcome, path: Path, *, by: ResultSigner, tool_version: str
) -> None:
    """Writes the signed result."""
    path.write_text(signed(content(outcome, tool_version=tool_version), by), encoding="utf-8")
