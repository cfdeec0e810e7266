"""Reads what a leak-check result says: strictly, field by field, since a stranger wrote it.

Its signature is checked first, over its very bytes (see `checkers`). A field that is not known is
refused. Which software ran, and how often it asked, no reader can check. So a result names its
protocol, and asks at least as often as the protocol's lists alone do.
"""

import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from flagservice.domain.errors import Fault, Invalid
from flagservice.store import tables

VALID_FOR: Final = timedelta(days=365)
"""counted from the run, not from the acceptance"""
AHEAD: Final = timedelta(minutes=5)
_TOOL: Final = "flagservice leak-check"
FEWEST_REQUESTS: Final = {2: 1076}
"""The protocols that suffice, and how often a check asks a system that offers nothing.

The tool knows that, too (`kit.leak_check.check.fewest`). A test holds them together.
"""
_CONTROLS: Final = ("Flag", "Condition")
_FIELDS: Final[dict[str, type]] = {
    "tool": str,
    "tool_version": str,
    "protocol": int,
    "system": str,
    "version": str,
    "patient_base": str,
    "push_base": str,
    "clinician_base": str,
    "run_at": str,
    "requests": int,
    "planned": int,
    "control": str,
    "verdict": str,
    "doubts": list,
    "findings": list,
    "transcript": str,
}
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class LeakResult:
    """What a result says, once all of it has been checked."""

    system: str
    version: str
    run_at: datetime
    verdict: tables.AcceptedVerdict
    transcript: str


@dataclass(frozen=True)
class CheckedAddresses:
    """When a check ran, and the addresses of the test system that it was about."""

    run_at: str
    push: str
    patient: str
    clinician: str


def read_note(line: str, *, now: datetime) -> LeakResult:
    """Returns what the signed line of a result says. Raises Invalid, by field and rule."""
    said = _fields(line)
    if said["tool"] != _TOOL or said["protocol"] not in FEWEST_REQUESTS:
        known = ", ".join(map(str, FEWEST_REQUESTS))
        raise Invalid(Fault("tool, protocol", f"are {_TOOL} and {known}: run a newer one"))
    verdict = _verdict(said)
    if not _DIGEST.fullmatch(said["transcript"]):
        raise Invalid(Fault("transcript", "is sha256: and 64 hexadecimal digits"))
    run_at = _instant(said["run_at"], now=now)
    if (
        verdict is tables.AcceptedVerdict.CLEAN and run_at <= now - VALID_FOR
    ):  # a finding never grows old
        raise Invalid(Fault("run_at", f"is not longer ago than {VALID_FOR.days} days"))
    return LeakResult(said["system"], said["version"], run_at, verdict, said["transcript"])


def checked_addresses(note: str) -> CheckedAddresses:
    """Returns the addresses of a note that was accepted."""
    said = json.loads(note.partition("\n")[0])
    bases = (said["push_base"], said["patient_base"], said["clinician_base"])
    return CheckedAddresses(said["run_at"], *bases)


def _verdict(said: dict[str, Any]) -> tables.AcceptedVerdict:
    """Returns the verdict. A leak counts however little was asked; "clean" takes a whole check."""
    if said["verdict"] not in list(tables.AcceptedVerdict):
        raise Invalid(Fault("verdict", "is clean or leaks: another concludes nothing"))
    verdict = tables.AcceptedVerdict(said["verdict"])
    if verdict is tables.AcceptedVerdict.LEAKS:
        if not said["findings"]:
            raise Invalid(Fault("findings", "are named where the verdict is leaks"))
        return verdict
    if said["findings"] or said["doubts"]:
        raise Invalid(Fault("findings, doubts", "are empty where the verdict is clean"))
    if said["control"] not in _CONTROLS:
        raise Invalid(Fault("control", f"showed, and was one of {', '.join(_CONTROLS)}"))
    fewest = max(said["planned"], FEWEST_REQUESTS[said["protocol"]])
    if said["requests"] < fewest:
        rule = f"are at least {fewest}, which the lists of this protocol alone come to"
        raise Invalid(Fault("requests", rule))
    return verdict


def _fields(line: str) -> dict[str, Any]:
    try:
        said = json.loads(line, object_pairs_hook=_unequal)
    except ValueError:
        raise Invalid(
            Fault("result", "is a line of JSON, and no field of it comes twice")
        ) from None
    if not isinstance(said, dict) or set(said) != set(_FIELDS):
        raise Invalid(Fault("result", f"has these fields and no others: {', '.join(_FIELDS)}"))
    for name, sort in _FIELDS.items():
        value = said[name]
        is_blank = isinstance(value, str) and (not value or value != value.strip())
        if type(value) is not sort or is_blank:
            raise Invalid(Fault(name, f"is of the type {sort.__name__}, and not empty text"))
    return said


def _unequal(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found


def _instant(text: str, *, now: datetime) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise Invalid(Fault("run_at", "is an instant with its offset from UTC"))
    if found > now + AHEAD:
        raise Invalid(Fault("run_at", "does not lie in the future"))
    return found
