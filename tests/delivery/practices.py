"""GP systems for tests: real `kit.sandbox` processes, with synthetic patients of their own."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

PUSH = "push-token-of-a-test"


@dataclass(frozen=True)
class GpSystem:
    """One practice's system: where it listens, and the files that it keeps."""

    code: str
    url: str
    folder: Path

    def held(self) -> list[dict[str, Any]]:
        """Every flag and request in its store, in its newest version."""
        return [json.loads(body) for (body,) in self._rows("SELECT body FROM notice")]

    def history(self) -> list[dict[str, Any]]:
        """Every version that it ever stored, oldest first."""
        asked = "SELECT body FROM notice_version ORDER BY rowid"
        return [json.loads(body) for (body,) in self._rows(asked)]

    def journal(self) -> list[dict[str, Any]]:
        """Every request that arrived, in order."""
        path = self.folder / "journal.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        return [json.loads(line) for line in lines]

    def _rows(self, asked: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.folder / "store.sqlite")) as store:
            return store.execute(asked).fetchall()


@contextmanager
def a_gp_system(folder: Path, code: str, *, patients: Iterable[str]) -> Iterator[GpSystem]:
    """Started as anybody would start it, on a loopback port of its own choice."""
    folder.mkdir(parents=True, exist_ok=True)
    listed = [{"nhs_number": number, "name": f"Patient {n}"} for n, number in enumerate(patients)]
    (folder / "patients.json").write_text(json.dumps(listed))
    tokens = {"push": PUSH, "clinician": "clinician-token", "patients": {}, "proxies": {}}
    (folder / "tokens.json").write_text(json.dumps(tokens))
    options = {
        "--practice": code,
        "--port": "0",
        "--store": folder / "store.sqlite",
        "--patients": folder / "patients.json",
        "--journal": folder / "journal.jsonl",
        "--token-file": folder / "tokens.json",
    }
    words = [str(word) for pair in options.items() for word in pair]
    command = [sys.executable, "-m", "flagservice.kit.sandbox", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            assert line.startswith("listening "), f"the GP system of {code} did not start"
            yield GpSystem(code, f"{line.split()[1]}/fhir", folder)
        finally:
            process.kill()


def nhs_numbers(start: int = 0) -> Iterator[str]:
    """Numbers of the synthetic range 999, with a good check digit, never twice."""
    for n in count(start):
        digits = f"999{n:06d}"
        check = 11 - sum(int(d) * (10 - place) for place, d in enumerate(digits)) % 11
        if check != 10:
            yield f"{digits}{check % 11}"
