"""Tells a submitter what became of each record, by its own posts and their delivery alone.

No other agency's words change a receipt, and it names no practice. A notification's says
"received". Where the record's holder must not know, it says "handled" in place of what was done.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import bindparam
from sqlmodel import col, select

from flagservice.audit.log import Deed, Work
from flagservice.domain.copies import ReceiptWord
from flagservice.domain.elements import NOTIFICATIONS, Kind
from flagservice.domain.holds import Owner
from flagservice.domain.people import Knows, Role
from flagservice.intake.ruling.particulars import open_particulars
from flagservice.store import tables

_CURRENT: Final = (
    select(tables.NamingRow)
    .where(col(tables.NamingRow.plan_id) == bindparam("plan"))
    .where(col(tables.NamingRow.current))
    .order_by(col(tables.NamingRow.place))
)


_DONE: Final = (ReceiptWord.ACCEPTED, ReceiptWord.ENDED, ReceiptWord.TAKEN_BACK)
"""What the receipt calls handled, where the record's holder must not know."""


@dataclass(frozen=True)
class ReceiptLine:
    """One record of a receipt; `due` is the day by which the submitter has to decide."""

    place: int
    role: Role
    status: ReceiptWord
    due: date | None = None


def receipt_of(work: Work, plan: tables.PlanRow) -> list[ReceiptLine]:
    """Returns a line for each person whom the newest version names, in its order."""
    namings = work.session.exec(_CURRENT, params={"plan": plan.id}).all()
    # Who is both has two namings, and one line: a notification's says "received" in any case.
    lines = [_line(work, plan, naming) for naming in {n.place: n for n in namings}.values()]
    work.record(Deed.RECEIPT_READ, plan=plan.id, version=plan.version)
    return lines


def _line(work: Work, plan: tables.PlanRow, naming: tables.NamingRow) -> ReceiptLine:
    particulars = open_particulars(work, naming)
    status = _status(plan, naming, particulars.knows)
    asked = status in (ReceiptWord.HELD, ReceiptWord.NOT_REACHED)
    due = _due(work, naming) if asked and naming.person_id is not None else None
    return ReceiptLine(naming.place, particulars.role, status, due)


def _status(plan: tables.PlanRow, naming: tables.NamingRow, knows: Knows) -> ReceiptWord:
    if Kind(plan.kind) in NOTIFICATIONS:
        return ReceiptWord.RECEIVED
    match naming.word:
        case ReceiptWord.HELD | ReceiptWord.NOT_REACHED:
            return naming.word
        case word if knows is Knows.MUST_NOT_KNOW:
            done = naming.delivered or word in _DONE
            return ReceiptWord.HANDLED if done else ReceiptWord.ACCEPTED
        case ReceiptWord.PLACED | ReceiptWord.REQUESTED if naming.delivered:
            return ReceiptWord.DELIVERED
        case word:
            return word


def _due(work: Work, naming: tables.NamingRow) -> date | None:
    asked = (
        select(col(tables.HoldRow.due))
        .where(col(tables.HoldRow.plan_id) == naming.plan_id)
        .where(col(tables.HoldRow.person_id) == naming.person_id)
        .where(col(tables.HoldRow.owner) == Owner.SUBMITTER, col(tables.HoldRow.open))
    )
    return work.session.exec(asked).first()
