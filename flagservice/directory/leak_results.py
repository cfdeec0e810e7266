"""Which leak-check results count: signed by a registered checker, clean, for one exact version.

A result is a file that a stranger wrote. Its signature is checked over its very bytes before one
word of it is believed; then every field is read strictly, and a field that is not known is refused.
Whoever registers a checker, accepts a result or withdraws one is recorded with the reason.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, exists
from sqlmodel import col

from flagservice.audit.log import Deed, Work
from flagservice.directory.checkers import signer_of
from flagservice.domain.errors import Conflict, Fault, Invalid, NotFound
from flagservice.store.checked import Checker, LeakResult

VALID_FOR: Final = timedelta(days=365)
"""Counted from the run, not from the acceptance."""
_AHEAD: Final = timedelta(minutes=5)
_TOOL: Final = "flagservice leak-check"
_PROTOCOL: Final = 1
_FIELDS: Final[dict[str, type]] = {
    "tool": str,
    "tool_version": str,
    "protocol": int,
    "system": str,
    "version": str,
    "base": str,
    "run_at": str,
    "requests": int,
    "verdict": str,
    "doubts": list,
    "findings": list,
    "transcript": str,
}
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class Decided:
    """Who decided, and why."""

    by: str
    reason: str

    def __post_init__(self) -> None:
        if not self.by.strip() or not self.reason.strip():
            raise Invalid(Fault("by, reason", "this is a decision: say who, and why"))


@dataclass(frozen=True)
class Said:
    """What a clean result says, once all of it has been checked."""

    system: str
    version: str
    run_at: datetime


def accept(work: Work, note: str, *, decided: Decided) -> str:
    """Takes a result in and answers its id; raises Invalid, or Conflict if it is there already."""
    checker, line = signer_of(work, note)
    said = _read(line, now=work.now)
    identity = hashlib.sha256(note.encode()).hexdigest()
    earlier = work.session.get(LeakResult, identity)
    if earlier is not None:
        raise Conflict("this result was withdrawn" if earlier.withdrawn else "it was accepted")
    data_key = work.vault.new_data_key()
    work.session.add(
        LeakResult(
            id=identity,
            checker=checker.name,
            system=said.system,
            system_version=said.version,
            run_at=said.run_at,
            accepted=work.now,
            note=note,
            data_key=data_key,
            sealed=_sealed(
                work, data_key, identity, secret={"by": decided.by, "reason": decided.reason}
            ),
        )
    )
    work.record(
        Deed.LEAK_RESULT_ACCEPTED,
        result=identity,
        checker=checker.name,
        system=said.system,
        version=said.version,
    )
    return identity


def withdraw(work: Work, identity: str, *, decided: Decided) -> None:
    """From now on the result admits nobody; raises NotFound."""
    row = work.session.get(LeakResult, identity)
    if row is None or row.withdrawn is not None:
        raise NotFound("there is no such result, or it was withdrawn before")
    place = {"table": "leak_result", "row": identity}
    kept = json.loads(work.vault.open(row.data_key, row.sealed, version=1, **place))
    kept |= {"withdrawn_by": decided.by, "withdrawn_why": decided.reason}
    row.sealed = _sealed(work, row.data_key, identity, secret=kept)
    row.withdrawn = work.now
    work.session.add(row)
    work.record(Deed.LEAK_RESULT_WITHDRAWN, result=identity)


def is_valid(now: datetime) -> ColumnElement[bool]:
    """The one rule, over rows of `LeakResult`."""
    signed_by_a_checker = exists().where(
        col(Checker.name) == col(LeakResult.checker), col(Checker.revoked).is_(None)
    )
    return and_(
        col(LeakResult.withdrawn).is_(None),
        col(LeakResult.run_at) > now - VALID_FOR,
        col(LeakResult.run_at) <= now + _AHEAD,
        signed_by_a_checker,
    )


def _sealed(work: Work, data_key: bytes, identity: str, *, secret: dict[str, str]) -> bytes:
    content = json.dumps(secret).encode()
    return work.vault.seal(data_key, content, table="leak_result", row=identity, version=1)


def _read(line: str, *, now: datetime) -> Said:
    said = _fields(line)
    if (said["tool"], said["protocol"]) != (_TOOL, _PROTOCOL):
        raise Invalid(Fault("tool, protocol", f"are {_TOOL} and {_PROTOCOL}: run a newer one"))
    if said["verdict"] != "clean":
        rule = "is clean; if an earlier result of this version was accepted, withdraw that one"
        raise Invalid(Fault("verdict", rule))
    if said["findings"] or said["doubts"]:
        raise Invalid(Fault("findings, doubts", "are empty where the verdict is clean"))
    if said["requests"] < 1 or not _DIGEST.fullmatch(said["transcript"]):
        raise Invalid(Fault("requests, transcript", "show that something was asked"))
    return Said(said["system"], said["version"], _instant(said["run_at"], now=now))


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
    if found > now + _AHEAD:
        raise Invalid(Fault("run_at", "does not lie in the future"))
    if found <= now - VALID_FOR:
        raise Invalid(Fault("run_at", f"is not longer ago than {VALID_FOR.days} days"))
    return found
