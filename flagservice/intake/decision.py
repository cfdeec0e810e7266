"""Takes the decision on a held placement from the side that the policy names, with its reason.

A worklist shows what would be placed, and nothing else. A hold that is overdue goes to a second
person. No clock closes it.
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
from flagservice.domain.holds import HoldOutcome, Owner
from flagservice.domain.statements import Strict
from flagservice.intake.rulebook import Rulebook
from flagservice.intake.ruling.assessment import Assessment, assess
from flagservice.intake.ruling.content import days_from, disclosure_by
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
    """One hold on a worklist: whose record, what would be placed, and when it is due.

    Only a submitter is told `why` it is held: the reason is its own words.
    """

    id: str
    nhs_number: str
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
    hold.open, hold.outcome, hold.decided_at = False, decision.outcome, work.now
    hold.data_key = work.vault.new_data_key()
    hold.sealed = work.vault.seal_row(hold, json.dumps(decision.model_dump()).encode())
    work.session.add(hold)
    work.session.flush()
    work.record(Deed.DECIDED, hold=hold.id, outcome=decision.outcome)
    rerule(work, person, rulebook=rulebook)


def _item(work: Work, hold: tables.HoldRow, *, rulebook: Rulebook) -> WorklistItem:
    person = work.session.get_one(tables.PersonRow, hold.person_id)
    number = persons.nhs_number_of(work, person)
    (file,) = person_files(work, [person])
    assessments = assess(work, file, rulebook=rulebook)
    about = next(one for one in assessments if one.plan.id == hold.plan_id)
    overdue = work.today > hold.due
    decider = hold.then if overdue else hold.owner
    would = _would(work, about, hold.owner, rulebook=rulebook)
    why = about.held_because if hold.owner is Owner.SUBMITTER else None
    return WorklistItem(
        id=hold.id,
        nhs_number=number,
        would=would,
        why=why,
        opened=hold.opened,
        due=hold.due,
        overdue=overdue,
        decider=decider,
    )


def _would(
    work: Work, assessment: Assessment, owner: Owner, *, rulebook: Rulebook
) -> dict[str, str]:
    ruling = assessment.ruling_if_placed(owner)
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
