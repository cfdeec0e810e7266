"""One practice: a GP system in a process of its own, and a safeguarding lead."""

import json
import secrets
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from flagservice.kit.demo.family import Member
from flagservice.kit.demo.stage.client import KeyedClient
from flagservice.kit.demo.stage.received import PracticeJournal
from flagservice.kit.demo.stage.supplier import GOOD


@dataclass
class GpPractice:
    """One practice: its GP system's process, its safeguarding lead, and their clients."""

    code: str
    folder: Path
    client: KeyedClient
    lead: KeyedClient
    tokens: dict[str, Any]
    version: str = GOOD
    process: subprocess.Popen[str] | None = None
    url: str = ""

    @property
    def journal(self) -> PracticeJournal:
        """Returns what arrived there."""
        return PracticeJournal(self.folder / "journal.jsonl")

    def take_on(self, members: Iterable[Member]) -> None:
        """Registers patients, each with an app of their own, beside the earlier ones."""
        for member in members:
            self.tokens["patients"][secrets.token_hex(24)] = member.nhs_number
        listed = [
            {"nhs_number": number, "name": f"Patient {place}"}
            for place, number in enumerate(self.tokens["patients"].values())
        ]
        (self.folder / "patients.json").write_text(json.dumps(listed))
        (self.folder / "tokens.json").write_text(json.dumps(self.tokens))

    def patient_view(self, nhs_number: str) -> str:
        """Returns all that the patient's own app is shown."""
        token = next(t for t, n in self.tokens["patients"].items() if n == nhs_number)
        reply = httpx.get(
            f"{self.url}/patient/record",
            headers={"Authorization": f"Bearer {token}"},
            trust_env=False,
        )
        reply.raise_for_status()
        return reply.text
