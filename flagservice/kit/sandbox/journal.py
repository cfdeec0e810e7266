"""Writes down every request the system side received, so that bytes can be checked, not told.

The line is written before the reply: whoever has an answer can find the question.
It holds everything as it came, the token too; it belongs to a stand-in with made-up people.
"""

import json
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class JournalLine:
    """One request and the status it got; bytes that are not UTF-8 stay as lone surrogates."""

    method: str
    target: str
    headers: Iterable[tuple[str, str]]
    body: bytes
    status: int

    def written(self) -> bytes:
        """One line of JSON, in ASCII."""
        content: dict[str, Any] = {
            "method": self.method,
            "target": self.target,
            "headers": _joined(self.headers),
            "body": self.body.decode("utf-8", errors="surrogateescape"),
            "status": self.status,
        }
        return json.dumps(content).encode("ascii") + b"\n"


class SandboxJournal:
    """A file that only grows, a whole line at a time."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._file = path.open("ab", buffering=0)

    def add(self, line: JournalLine) -> None:
        """Append the line; it is with the operating system when this returns."""
        with self._lock:
            self._file.write(line.written())

    def close(self) -> None:
        """Give the file back."""
        with self._lock:
            self._file.close()


def _joined(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Names as they came; a repeated one's values joined, as RFC 9110 section 5.3 allows."""
    found: dict[str, str] = {}
    for name, value in headers:
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found
