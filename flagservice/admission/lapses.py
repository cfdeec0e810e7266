"""Lists the practices that hold flags and are admitted no more, and since when: a person must act.

What was filed there stays there, in a system that may leak. So it is listed until the system is
checked anew, or the flags are taken back. A list of work names no practice: `practice_pseudonym`
stands for it there, and an operator's own list says which it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, exists, not_
from sqlmodel import col, select

from flagservice.admission.endpoints import is_admitted
from flagservice.admission.result_notes import VALID_FOR
from flagservice.audit.log import Deed, Work
from flagservice.domain.copies import CopyStatus
from flagservice.store import tables
from flagservice.store.sent_or_read import sent_or_read


@dataclass(frozen=True)
class PracticeSystem:
    """A registered practice's system. `lapsed` is the instant since which it is not admitted."""

    practice: str
    system: str
    version: str
    name: str
    lapsed: datetime | None


def practice_systems(work: Work) -> list[PracticeSystem]:
    """Returns every registered practice, for an operator."""
    work.record(Deed.STATUS_READ, what="practices")
    admitted = set(
        work.session.exec(select(tables.EndpointRow.practice).where(is_admitted(work.now)))
    )
    return [
        PracticeSystem(
            row.practice,
            row.system,
            row.system_version,
            practice_pseudonym(work, row.practice),
            None if row.practice in admitted else lapsed_at(work, row),
        )
        for row in work.session.exec(
            select(tables.EndpointRow).order_by(tables.EndpointRow.practice)
        )
    ]


def holding_lapsed(work: Work) -> Sequence[tables.EndpointRow]:
    """Returns the practices that are not admitted and hold, or may hold, a flag or its history."""
    asked = select(tables.EndpointRow).where(not_(is_admitted(work.now)), _holds_something())
    return work.session.exec(asked).all()


def practice_pseudonym(work: Work, practice: str) -> str:
    """Returns what stands for a practice where its code would tell where a person is registered."""
    return work.vault.pseudonym(practice, purpose="lapse")


def lapsed_at(work: Work, endpoint: tables.EndpointRow) -> datetime:
    """Returns since when an endpoint is not admitted; its registration, if it never was.

    A run that was clean first and leaking later counts as one that never was clean.
    """
    of_version = (
        col(tables.LeakResultRow.system) == endpoint.system,
        col(tables.LeakResultRow.system_version) == endpoint.system_version,
    )
    results = work.session.exec(select(tables.LeakResultRow).where(*of_version)).all()
    ends = [
        _end(work, one, results) for one in results if one.verdict is tables.AcceptedVerdict.CLEAN
    ]
    lapsed = max([endpoint.registered, *ends])
    return min(lapsed, endpoint.suspended or lapsed)


def _end(
    work: Work, clean: tables.LeakResultRow, results: Sequence[tables.LeakResultRow]
) -> datetime:
    """Returns what ended a clean result first: its year, its checker, a finding, a withdrawal."""
    ends = [clean.run_at + VALID_FOR]
    checker = work.session.get_one(tables.CheckerRow, clean.checker)
    if checker.revoked is not None:
        ends.append(checker.revoked)
    for other in results:
        if other.run_at >= clean.run_at and other.verdict is tables.AcceptedVerdict.LEAKS:
            ends.append(other.accepted)
        if other.run_at >= clean.run_at and other.withdrawn is not None:
            ends.append(other.withdrawn)
    return min(ends)


def _holds_something() -> ColumnElement[bool]:
    return exists().where(
        col(tables.CopyRow.practice) == col(tables.EndpointRow.practice),
        col(tables.CopyRow.status) != CopyStatus.REMOVED,
        sent_or_read(col(tables.CopyRow.id)),
    )
