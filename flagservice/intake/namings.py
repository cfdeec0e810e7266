"""Whom a plan's newest version names. Whom it leaves out was wrongly named, unless it ends."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import bindparam
from sqlmodel import col, select

from flagservice.audit.log import Work
from flagservice.domain.copies import ReceiptWord
from flagservice.domain.people import Phase
from flagservice.domain.statements import Statement
from flagservice.domain.submissions import Submission
from flagservice.intake.ruling.particulars import open_particulars, particulars_of, seal_particulars
from flagservice.people import persons
from flagservice.store import tables

_NAMINGS: Final = select(tables.NamingRow).where(col(tables.NamingRow.plan_id) == bindparam("plan"))


@dataclass(frozen=True)
class Renaming:
    """A version, the people whom it names, and is it the first that there is of its plan?"""

    submission: Submission
    people: Mapping[str, tables.PersonRow]
    first: bool


def rename(work: Work, plan: tables.PlanRow, now: Renaming) -> list[tables.PersonRow]:
    """Replaces what the plan said of everybody; answers everybody who was or is named, locked."""
    submission, people = now.submission, now.people
    rows = [] if now.first else work.session.exec(_NAMINGS, params={"plan": plan.id}).all()
    before = {row.person_id: row for row in rows if row.person_id is not None}
    for row in rows:
        if row.person_id is None:
            work.session.delete(row)
    after: set[str | None] = set()
    for statement in submission.statements():
        number = statement.person.nhs_number
        person = people[number] if number is not None else None
        person_id = person.id if person else None
        earlier = before.get(person_id) if person_id is not None else None
        _name(work, plan, NamedNow(submission, statement, person_id, earlier))
        after.add(person_id)
    for person_id, row in before.items():
        if person_id not in after:
            _no_longer(work, row, dropped=submission.end is None)
    gone = persons.lock_known(work, [id_ for id_ in before if id_ not in after])
    return sorted([*people.values(), *gone], key=lambda person: person.pseudonym)


@dataclass(frozen=True)
class NamedNow:
    """One statement, the person it is about, and what was said of them before."""

    submission: Submission
    statement: Statement
    person_id: str | None
    before: tables.NamingRow | None


def _name(work: Work, plan: tables.PlanRow, now: NamedNow) -> None:
    naming = now.before or tables.NamingRow(
        id=work.new_id(),
        plan_id=plan.id,
        person_id=now.person_id,
        place=0,
        version=0,
        data_key=work.vault.new_data_key(),
        sealed=b"",
    )
    naming.place, naming.version = now.statement.place, now.submission.version
    naming.current, naming.dropped = True, False
    naming.word = ReceiptWord.NOT_REACHED if now.person_id is None else ReceiptWord.ACCEPTED
    naming.sealed = seal_particulars(work, naming, particulars_of(now.submission, now.statement))
    work.session.add(naming)


def _no_longer(work: Work, naming: tables.NamingRow, *, dropped: bool) -> None:
    """Left out of a plan that goes on, the person was wrongly named: nothing of it stays."""
    if naming.current:
        naming.current, naming.dropped = False, dropped
    naming.sealed = seal_particulars(
        work, naming, replace(open_particulars(work, naming), phase=Phase.ENDED)
    )
    work.session.add(naming)
