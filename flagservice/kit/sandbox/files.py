"""Reads who is registered and who may call, and reads it again when a file changes.

While a file is half-written, the last good reading stays in force.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Generic, TypeVar

from . import wire

Content = TypeVar("Content")
Stamp = tuple[int, int, int]


class Side(Enum):
    """The three sides of the practice's system."""

    SYSTEM = "system"
    CLINICIAN = "clinician"
    PATIENT = "patient"


@dataclass(frozen=True, slots=True)
class SandboxCaller:
    """The holder of a token. A patient's or a proxy's names the one record that it opens."""

    side: Side
    nhs_number: str = ""
    proxy: bool = False


@dataclass(frozen=True, slots=True)
class SandboxPatient:
    """A person registered at the practice."""

    nhs_number: str
    name: str


class WatchedFile(Generic[Content]):
    """A JSON file that is read again when it has changed."""

    def __init__(self, path: Path, *, parse: Callable[[object], Content]) -> None:
        self._path = path
        self._parse = parse
        self._stamp = self._look()
        self._content = self._read()

    def current(self) -> Content:
        """Returns the newest good reading."""
        try:
            stamp = self._look()
            if stamp != self._stamp:
                self._content = self._read()
                self._stamp = stamp
        except (OSError, ValueError):
            pass
        return self._content

    def forget(self) -> None:
        """Makes the next look read the file anew."""
        self._stamp = (0, 0, 0)

    def _look(self) -> Stamp:
        found = self._path.stat()
        return found.st_mtime_ns, found.st_size, found.st_ino

    def _read(self) -> Content:
        return self._parse(wire.read(self._path.read_bytes()))


def patients(content: object) -> dict[str, SandboxPatient]:
    """Returns the registered people by NHS number; ignores further keys."""
    if not isinstance(content, list):
        raise wire.Unreadable
    people = [_patient(row) for row in content]
    return {person.nhs_number: person for person in people}


def tokens(content: object) -> dict[str, SandboxCaller]:
    """Returns the callers by token; refuses a token that two of them have."""
    if not isinstance(content, dict):
        raise wire.Unreadable
    granted = [
        (_string(content, "push"), SandboxCaller(Side.SYSTEM)),
        (_string(content, "clinician"), SandboxCaller(Side.CLINICIAN)),
        *_readers(content.get("patients", {}), proxy=False),
        *_readers(content.get("proxies", {}), proxy=True),
    ]
    callers = dict(granted)
    if len(callers) != len(granted):
        raise wire.Unreadable
    return callers


def _patient(row: object) -> SandboxPatient:
    if not isinstance(row, dict):
        raise wire.Unreadable
    return SandboxPatient(_string(row, "nhs_number"), _string(row, "name"))


def _readers(content: object, *, proxy: bool) -> list[tuple[str, SandboxCaller]]:
    if not isinstance(content, dict):
        raise wire.Unreadable
    return [
        (token, SandboxCaller(Side.PATIENT, _string(content, token), proxy=proxy))
        for token in content
    ]


def _string(content: dict[str, object], key: str) -> str:
    value = content.get(key)
    if not isinstance(value, str) or not value:
        raise wire.Unreadable
    return value
