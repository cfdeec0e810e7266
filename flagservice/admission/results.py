"""Knows which leak-check results count: signed by a registered checker, for one exact version.

A clean result admits. A result that found a leak is a finding, and suspends at once. A finding or a
withdrawal speaks of every run of that system and version up to its own: only a newer clean run
admits again. `result_notes` reads what a result says.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, or_
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from flagservice.admission.checkers import signer_of
from flagservice.admission.decisions import OperatorDecision
from flagservice.admission.result_notes import (
    AHEAD,
    VALID_FOR,
    CheckedAddresses,
    LeakResult,
    checked_addresses,
    read_note,
)
from flagservice.audit.log import Deed, Work
from flagservice.domain.errors import Conflict, Fault, Invalid, NotFound
from flagservice.store import tables


@dataclass(frozen=True)
class AcceptedResult:
    """The id of a result that was taken in, and whether it is a finding."""

    id: str
    suspends: bool


def accept(work: Work, note: str, *, decision: OperatorDecision) -> AcceptedResult:
    """Takes a result in: a clean one admits, one that leaks suspends its system and version.

    Raises Invalid, or Conflict where this run was taken in already: signed anew, it is the same
    run. Only that it leaks can still be said of a run that was clean.
    """
    checker, line = signer_of(work, note)
    said = read_note(line, now=work.now)
    identity = _identity(said)
    earlier = work.session.get(tables.LeakResultRow, identity)
    clean = said.verdict is tables.AcceptedVerdict.CLEAN
    if earlier is not None and (clean or earlier.verdict is said.verdict):
        raise Conflict("this result was withdrawn" if earlier.withdrawn else "it was accepted")
    if clean and _barred(work, said):
        rule = "is later than any finding or withdrawn result of this version: run the check anew"
        raise Invalid(Fault("run_at", rule))
    data_key = work.vault.new_data_key()
    secret: dict[str, Any] = {**decision.kept()}
    if earlier is not None:
        secret["before"] = _decided(work, earlier)
    row = tables.LeakResultRow(
        id=identity,
        checker=checker.name,
        system=said.system,
        system_version=said.version,
        run_at=said.run_at,
        verdict=said.verdict,
        accepted=work.now,
        withdrawn=earlier.withdrawn if earlier else None,
        note=note,
        data_key=data_key,
        sealed=b"",
    )
    row.sealed = _sealed(work, row, secret)
    work.session.merge(row)
    _recorded(work, row)
    return AcceptedResult(identity, said.verdict is tables.AcceptedVerdict.LEAKS)


def _recorded(work: Work, row: tables.LeakResultRow) -> None:
    work.record(
        Deed.LEAK_RESULT_ACCEPTED,
        result=row.id,
        checker=row.checker,
        system=row.system,
        version=row.system_version,
        verdict=row.verdict,
    )


def _identity(said: LeakResult) -> str:
    run_at = said.run_at.astimezone(UTC).isoformat()
    run = [said.system, said.version, run_at, said.transcript]
    return hashlib.sha256(json.dumps(run).encode()).hexdigest()


def _barred(work: Work, said: LeakResult) -> bool:
    asked = select(tables.LeakResultRow.id).where(
        col(tables.LeakResultRow.system) == said.system,
        col(tables.LeakResultRow.system_version) == said.version,
        col(tables.LeakResultRow.run_at) >= said.run_at,
        or_(
            col(tables.LeakResultRow.verdict) == tables.AcceptedVerdict.LEAKS,
            col(tables.LeakResultRow.withdrawn).is_not(None),
        ),
    )
    return work.session.exec(asked.limit(1)).first() is not None


def withdraw(work: Work, identity: str, *, decision: OperatorDecision) -> None:
    """Ends that a run of that system and version up to this one admits. Raises NotFound."""
    row = work.session.get(tables.LeakResultRow, identity)
    if row is None or row.withdrawn is not None:
        raise NotFound("there is no such result, or it was withdrawn before")
    kept = _decided(work, row)
    kept |= decision.kept_as("withdrawn")
    row.sealed = _sealed(work, row, kept)
    row.withdrawn = work.now
    work.session.add(row)
    work.record(Deed.LEAK_RESULT_WITHDRAWN, result=identity)


def is_valid(now: datetime) -> ColumnElement[bool]:
    """Returns the one rule, as a condition on results."""
    return is_valid_between(now - VALID_FOR, now + AHEAD)


def is_valid_between(since: Any, until: Any) -> ColumnElement[bool]:
    """Returns the same for runs after one instant and up to another, values or parameters."""
    signed_by_a_checker = exists().where(
        col(tables.CheckerRow.name) == col(tables.LeakResultRow.checker),
        col(tables.CheckerRow.revoked).is_(None),
    )
    return and_(
        col(tables.LeakResultRow.verdict) == tables.AcceptedVerdict.CLEAN,
        col(tables.LeakResultRow.run_at) > since,
        col(tables.LeakResultRow.run_at) <= until,
        signed_by_a_checker,
        ~_spoken_against(),
    )


def _spoken_against() -> ColumnElement[bool]:
    """Returns whether a finding or withdrawal, of this run or a later one, speaks against it.

    A revoked checker's counts, too.
    """
    other = aliased(tables.LeakResultRow)
    return exists().where(
        col(other.system) == col(tables.LeakResultRow.system),
        col(other.system_version) == col(tables.LeakResultRow.system_version),
        col(other.run_at) >= col(tables.LeakResultRow.run_at),
        or_(col(other.verdict) == tables.AcceptedVerdict.LEAKS, col(other.withdrawn).is_not(None)),
    )


def newest_checked_addresses(work: Work, *, system: str, version: str) -> CheckedAddresses | None:
    """Returns what the newest result that admits this version was about, for a person to see."""
    asked = (
        select(tables.LeakResultRow.note)
        .where(
            col(tables.LeakResultRow.system) == system,
            col(tables.LeakResultRow.system_version) == version,
        )
        .where(is_valid(work.now))
        .order_by(col(tables.LeakResultRow.run_at).desc())
    )
    note = work.session.exec(asked.limit(1)).first()
    return None if note is None else checked_addresses(note)


def _decided(work: Work, row: tables.LeakResultRow) -> dict[str, Any]:
    kept: dict[str, Any] = json.loads(work.vault.open_row(row))
    return kept


def _sealed(work: Work, row: tables.LeakResultRow, secret: dict[str, Any]) -> bytes:
    return work.vault.seal_row(row, json.dumps(secret).encode())
