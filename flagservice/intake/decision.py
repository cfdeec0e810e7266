"""Takes the decision on a hold, with its reason, from the side that the policy names.

A worklist shows what would be placed, and to a submitter its own words. An overdue hold goes to a
second person. No clock closes it.
"""

import json
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from pydantic import Field
from sqlmodel import col, select

from flagservice.audit.log import Deed, Work
from flagservice.domain.elements import Coding, Desk, Organisation, Value
from flagservice.domain.errors import Conflict, NotFound
from flagservice.domain.holds import ANSWERED_BY_A_VERSION, HoldOutcome, Owner, Question
from flagservice.domain.people import Role
from flagservice.domain.statements import Strict
from flagservice.intake.plans import reference_of
from flagservice.intake.rulebook import Rulebook
from flagservice.intake.ruling.assessment import Assessment, assess
from flagservice.intake.ruling.content import days_from, disclosure_by
from flagservice.intake.ruling.decisions import OpenQuestion
from flagservice.intake.ruling.person_files import person_files
from flagservice.intake.ruling.rerule import rerule
from flagservice.people import persons
from flagservice.policy.rows import PlacementAction
from flagservice.store import tables

NOTHING = "there is no such hold for this caller"


class Decision(Strict):
    """What the side decides. `decided_by` and `reason` are kept sealed, and never sent."""

    outcome: HoldOutcome
    decided_by: Annotated[str, Field(min_length=3, max_length=80)]
    reason: Annotated[str, Field(min_length=10, max_length=1000)]


@dataclass(frozen=True)
class WorklistItem:
    """One hold on a worklist: whose record, what is asked, what would be placed, when it is due.

    `reference`, `role` and `why` are the submitter's own words: only it is told them.
    """

    id: str
    nhs_number: str
    question: Question
    reference: str | None
    role: Role | None
    would: dict[str, str]
    why: str | None
    opened: date
    due: date
    overdue: bool
    decider: str


def worklist(work: Work, *, rulebook: Rulebook) -> list[WorklistItem]:
    """Returns the open holds of the caller's organisation, oldest first."""
    asked = (
        select(tables.HoldRow)
        .where(col(tables.HoldRow.owner_ods) == work.actor.ods, col(tables.HoldRow.open))
        .order_by(col(tables.HoldRow.opened), col(tables.HoldRow.id))
    )
    holds = work.session.exec(asked).all()
    work.record(Deed.WORKLIST_READ, holds=" ".join(hold.id for hold in holds))
    return [_item(work, hold, rulebook=rulebook) for hold in holds]


def decide(work: Work, hold_id: str, *, decision: Decision, rulebook: Rulebook) -> None:
    """Records the decision and rules again, in one commit. Raises NotFound or Conflict."""
    hold = work.session.get(tables.HoldRow, hold_id)
    if hold is None or hold.owner_ods != work.actor.ods:
        raise NotFound(NOTHING)
    person = persons.lock_known(work, [hold.person_id])
    work.session.refresh(hold, with_for_update=True)
    if not hold.open:
        raise Conflict("this hold is no longer open")
    _check_answerable(hold, decision)
    hold.open, hold.outcome, hold.decided_at = False, decision.outcome, work.now
    hold.data_key = work.vault.new_data_key()
    hold.sealed = work.vault.seal_row(hold, json.dumps(decision.model_dump()).encode())
    work.session.add(hold)
    work.session.flush()
    work.record(Deed.DECIDED, hold=hold.id, outcome=decision.outcome)
    rerule(work, person, rulebook=rulebook)


def _check_answerable(hold: tables.HoldRow, decision: Decision) -> None:
    """Raises Conflict where only a new version can answer."""
    no = decision.outcome is HoldOutcome.WITHHOLD
    if hold.question in ANSWERED_BY_A_VERSION and not (no and hold.question is Question.IDENTITY):
        raise Conflict(f"a new version answers this question: {hold.question}")


def _item(work: Work, hold: tables.HoldRow, *, rulebook: Rulebook) -> WorklistItem:
    person = work.session.get_one(tables.PersonRow, hold.person_id)
    number = persons.nhs_number_of(work, person)
    (file,) = person_files(work, [person])
    assessments = assess(work, file, rulebook=rulebook)
    asked = OpenQuestion(hold.owner, hold.question, hold.about)
    about = next(one for one in assessments if asked in one.questions())
    overdue = work.today > hold.due
    decider = hold.then if overdue else hold.owner
    submitter = hold.owner is Owner.SUBMITTER
    return WorklistItem(
        id=hold.id,
        nhs_number=number,
        question=hold.question,
        reference=reference_of(work, about.plan) if submitter else None,
        role=about.particulars.role if submitter else None,
        would=_would(work, about, asked, rulebook=rulebook),
        why=about.because(hold.question) if submitter else None,
        opened=hold.opened,
        due=hold.due,
        overdue=overdue,
        decider=decider,
    )


def _would(
    work: Work, assessment: Assessment, asked: OpenQuestion, *, rulebook: Rulebook
) -> dict[str, str]:
    if asked.question in ANSWERED_BY_A_VERSION:
        return {}
    ruling = assessment.if_placed_by(asked.owner)
    if ruling.placement.action is PlacementAction.HOLD:
        return {"held next for": str(ruling.placement.owner)}
    if not ruling.remains:
        return {}
    days = days_from(work.today, ruling)
    disclosure = disclosure_by(ruling, assessment, days=days, rulebook=rulebook)
    return {str(element): _text(value) for element, value in disclosure.says.items()}


def _text(value: Value) -> str:
    match value:
        case date():
            return value.isoformat()
        case Desk(name, phone):
            return f"{name}, {phone}"
        case Organisation(_, name):
            return name
        case Coding(_, code, display):
            return f"{display} ({code})"
        case tuple():  # pragma: no branch, `Value` is a closed union
            return ", ".join(value)
