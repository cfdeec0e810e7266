"""Starts a practice's GP system as a process of its own."""

import subprocess
import sys
from pathlib import Path


class NotStarted(Exception):
    """A GP system did not start."""


def start(folder: Path, code: str, *, leak: str = "") -> tuple[subprocess.Popen[str], str]:
    """Starts a system, broken in the ways that `leak` names; returns its process and address."""
    options = {
        "--practice": code,
        "--port": "0",
        "--store": str(folder / "store.sqlite"),
        "--patients": str(folder / "patients.json"),
        "--journal": str(folder / "journal.jsonl"),
        "--token-file": str(folder / "tokens.json"),
        "--leak": leak,
    }
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "flagservice.kit.sandbox"),
            *(word for pair in options.items() for word in pair),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    line = process.stdout.readline() if process.stdout else ""
    if not line.startswith("listening "):
        process.terminate()
        raise NotStarted(f"the GP system of {code} did not start")
    return process, line.split()[1]
