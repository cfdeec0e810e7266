"""Keeps whom a plan names, and what the newest version that names each of them says.

A person whom a version leaves out stays, and the submitter is asked. What is taken back is said:
`ended` or `withdrawn`. An older version that comes late says only what no newer one has said, so
the order of arrival does not matter.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import Final

from sqlalchemy import bindparam
from sqlmodel import col, select

from flagservice.audit.log import Work
from flagservice.domain.copies import ReceiptWord
from flagservice.domain.elements import NOTIFICATIONS, Element
from flagservice.domain.errors import Fault, Invalid
from flagservice.domain.people import Phase, Role, Standing
from flagservice.domain.plausibility.ages import Doubt
from flagservice.domain.statements import Person, Statement, Withdrawal
from flagservice.domain.submissions import Submission
from flagservice.intake.ruling.particulars import (
    Earlier,
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
    """Keeps what a version says of its people. Returns, locked, all who were or are named.

    `people` are those whom it names, by NHS number. `first` says that the plan is new. Raises
    Invalid where the newest version names another child.
    """
    rows = [] if first else work.session.exec(_NAMINGS, params={"plan": plan.id}).all()
    before: dict[tuple[str | None, bool], tables.NamingRow] = {
        (row.person_id, row.accused): row for row in rows if row.person_id is not None
    }
    named = {person.id for person in people.values()}
    if submission.version == plan.version:
        others = [row for row in before.values() if row.person_id not in named]
        _check_child(work, submission, others)
        for row in rows:
            if row.person_id is None:
                work.session.delete(row)
    said = set()
    for statement in submission.statements():
        number = statement.person.nhs_number
        key = people[number].id if number is not None else None, _accuses(statement)
        naming = before.get(key) or _new_naming(work, plan, key)
        other = before.get((key[0], not key[1]))
        _name(work, plan, naming, submission, statement)
        if other is not None and other.version > submission.version:
            _say_no_more(work, naming, submission, of=statement.person)
        said.add(key)
    for key, row in before.items():
        if key not in said and row.version < submission.version:
            _say_no_more(work, row, submission, of=_said_of(key[0], submission, people))
    gone = persons.lock_known(work, {str(person_id) for person_id, _ in before} - named)
    return sorted([*people.values(), *gone], key=lambda person: person.pseudonym)


def _said_of(
    person_id: str | None, submission: Submission, people: Mapping[str, tables.PersonRow]
) -> Person | None:
    named = (one for one in submission.people if one.nhs_number is not None)
    return next((one for one in named if people[str(one.nhs_number)].id == person_id), None)


def _accuses(statement: Statement) -> bool:
    return statement.person.standing is Standing.ALLEGED_PERPETRATOR


def _check_child(work: Work, submission: Submission, rows: Iterable[tables.NamingRow]) -> None:
    """Raises Invalid where a child takes another's place: one plan would join the two.

    `rows` are the people whom this version does not name.
    """
    said = [p for p in submission.people if p.withdrawn is None]
    unborn = any(one.role is Role.UNBORN for one in said)
    identified = any(one.role is Role.CHILD and one.nhs_number is not None for one in said)
    if submission.rules_as in NOTIFICATIONS or not (unborn or identified):
        return
    standing = [row for row in rows if row.withdrawn is None]
    if any(open_particulars(work, row).role is Role.CHILD for row in standing):
        rule = "another child than before: name the former, too, as withdrawn, wrong-person"
        raise Invalid(Fault("people", rule))


def _new_naming(work: Work, plan: tables.PlanRow, key: tuple[str | None, bool]) -> tables.NamingRow:
    person_id, accused = key
    return tables.NamingRow(
        id=work.new_id(),
        plan_id=plan.id,
        person_id=person_id,
        place=0,
        version=0,
        accused=accused,
        data_key=work.vault.new_data_key(),
        sealed=b"",
    )


def _name(
    work: Work,
    plan: tables.PlanRow,
    naming: tables.NamingRow,
    submission: Submission,
    statement: Statement,
) -> None:
    """Keeps what a version says of one person, unless a newer one has said something."""
    newest, unknown = submission.version == plan.version, naming.person_id is None
    if naming.version > submission.version:
        _keep_earlier(work, naming, submission, statement)
    if naming.version > submission.version or (unknown and not newest):
        return
    said = _particulars(work, naming, submission, statement)
    if naming.version:
        said = replace(said, earlier=_earlier(open_particulars(work, naming), naming.version))
    if submission.version < plan.ended_by:
        said = replace(said, phase=Phase.ENDED)
    naming.place, naming.version = statement.place, submission.version
    naming.current, naming.withdrawn = newest, submission.withdrawal_of(statement.person)
    if naming.withdrawn is None and submission.version < plan.withdrawn_by:
        naming.withdrawn = plan.withdrawn
    naming.word = ReceiptWord.NOT_REACHED if unknown else ReceiptWord.ACCEPTED
    naming.sealed = seal_particulars(work, naming, said)
    work.session.add(naming)


def _particulars(
    work: Work, naming: tables.NamingRow, submission: Submission, statement: Statement
) -> Particulars:
    """Returns what is said, without a doubt of a child who came of age since they were named."""
    now = particulars_of(submission, statement, today=work.today)
    if now.doubt is Doubt.ADULT_CHILD and naming.current and naming.version:
        before = open_particulars(work, naming)
        if (before.role, before.born, before.doubt) == (now.role, now.born, None):
            return replace(now, doubt=None)
    return now


def _earlier(before: Particulars, version: int) -> tuple[Earlier, ...]:
    """Returns the times that had ended by these particulars, and by those before them."""
    end = before.elements.get(Element.END)
    if before.started is None or not isinstance(end, date):
        return before.earlier
    return (*before.earlier, Earlier(version, before.kind, before.started, end))


def _keep_earlier(
    work: Work, naming: tables.NamingRow, submission: Submission, statement: Statement
) -> None:
    """Keeps the time that a late version says had ended."""
    late = particulars_of(submission, statement, today=work.today)
    said = open_particulars(work, naming)
    earlier = (*said.earlier, *_earlier(late, submission.version))
    naming.sealed = seal_particulars(work, naming, replace(said, earlier=earlier))
    work.session.add(naming)


def _say_no_more(
    work: Work, naming: tables.NamingRow, submission: Submission, *, of: Person | None
) -> None:
    """Keeps that a version leaves a person out, or names them and no longer says this."""
    naming.current = False
    if naming.withdrawn is None:
        other = None if of is None else submission.withdrawal_of(of) or Withdrawal.NOT_UPHELD
        naming.withdrawn = other or submission.withdrawn
    if submission.end is not None:
        ended = replace(open_particulars(work, naming), phase=Phase.ENDED)
        naming.sealed = seal_particulars(work, naming, ended)
    work.session.add(naming)
