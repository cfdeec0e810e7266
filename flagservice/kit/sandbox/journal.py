"""Writes down every request that the system side received, so that bytes can be checked.

The line is written before the reply, so a client with an answer finds its request. It holds
everything as it came, the token too: the people are made up.
"""

import json
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class JournalLine:
    """One request and its status; bytes that are not UTF-8 stay as lone surrogates."""

    method: str
    target: str
    headers: Iterable[tuple[str, str]]
    body: bytes
    status: int

    def written(self) -> bytes:
        """Returns one line of JSON, in ASCII."""
        content: dict[str, Any] = {
            "method": self.method,
            "target": self.target,
            "headers": _joined(self.headers),
            "body": self.body.decode("utf-8", errors="surrogateescape"),
            "status": self.status,
        }
        return json.dumps(content).encode("ascii") + b"\n"


class SandboxJournal:
    """A file that grows by whole lines."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._file = path.open("ab", buffering=0)

    def add(self, line: JournalLine) -> None:
        """Appends the line; the operating system has it on return."""
        with self._lock:
            self._file.write(line.written())

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            self._file.close()


def _joined(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Returns the headers by name; joins a repeated one's values (RFC 9110, section 5.3)."""
    found: dict[str, str] = {}
    for name, value in headers:
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found
