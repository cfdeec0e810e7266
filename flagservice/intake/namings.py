"""Keeps whom a plan's newest version names, and what it says of each of them.

A person whom a version leaves out was wrongly named, unless the plan ends with it.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from sqlalchemy import bindparam
from sqlmodel import col, select

from flagservice.audit.log import Work
from flagservice.domain.copies import ReceiptWord
from flagservice.domain.people import Phase
from flagservice.domain.plausibility.ages import Doubt
from flagservice.domain.statements import Statement
from flagservice.domain.submissions import Submission
from flagservice.intake.ruling.particulars import (
    Particulars,
    open_particulars,
    particulars_of,
    seal_particulars,
)
from flagservice.people import persons
from flagservice.store import tables

_NAMINGS: Final = select(tables.NamingRow).where(col(tables.NamingRow.plan_id) == bindparam("plan"))


def keep_namings(
    work: Work,
    plan: tables.PlanRow,
    submission: Submission,
    *,
    people: Mapping[str, tables.PersonRow],
    first: bool,
) -> list[tables.PersonRow]:
    """Replaces what the plan says of its people. Returns, locked, all who were or are named.

    `people` are those whom this version names, by NHS number. The plan's `first` version replaces
    nothing.
    """
    rows = [] if first else work.session.exec(_NAMINGS, params={"plan": plan.id}).all()
    before = {row.person_id: row for row in rows if row.person_id is not None}
    for row in rows:
        if row.person_id is None:
            work.session.delete(row)
    after: set[str | None] = set()
    for statement in submission.statements():
        number = statement.person.nhs_number
        person_id = people[number].id if number is not None else None
        naming = before.get(person_id) if person_id is not None else None
        naming = naming or _new_naming(work, plan, person_id)
        _name(work, naming, submission, statement)
        after.add(person_id)
    for person_id, row in before.items():
        if person_id not in after:
            _no_longer(work, row, dropped=submission.end is None)
    gone = persons.lock_known(work, [id_ for id_ in before if id_ not in after])
    return sorted([*people.values(), *gone], key=lambda person: person.pseudonym)


def _new_naming(work: Work, plan: tables.PlanRow, person_id: str | None) -> tables.NamingRow:
    return tables.NamingRow(
        id=work.new_id(),
        plan_id=plan.id,
        person_id=person_id,
        place=0,
        version=0,
        data_key=work.vault.new_data_key(),
        sealed=b"",
    )


def _name(
    work: Work, naming: tables.NamingRow, submission: Submission, statement: Statement
) -> None:
    said = _particulars(work, naming, submission, statement)
    naming.place, naming.version = statement.place, submission.version
    naming.current, naming.dropped = True, False
    unknown = naming.person_id is None
    naming.word = ReceiptWord.NOT_REACHED if unknown else ReceiptWord.ACCEPTED
    naming.sealed = seal_particulars(work, naming, said)
    work.session.add(naming)


def _particulars(
    work: Work, naming: tables.NamingRow, submission: Submission, statement: Statement
) -> Particulars:
    """A child who was named before and came of age since is nobody else: time raises no doubt."""
    now = particulars_of(submission, statement, today=work.today)
    if now.doubt is Doubt.ADULT_CHILD and naming.current and naming.version:
        before = open_particulars(work, naming)
        if (before.role, before.born, before.doubt) == (now.role, now.born, None):
            return replace(now, doubt=None)
    return now


def _no_longer(work: Work, naming: tables.NamingRow, *, dropped: bool) -> None:
    """Ends a naming. If the plan goes on, the person was wrongly named: nothing of it stays."""
    if naming.current:
        naming.current, naming.dropped = False, dropped
    ended = replace(open_particulars(work, naming), phase=Phase.ENDED)
    naming.sealed = seal_particulars(work, naming, ended)
    work.session.add(naming)
