"""What the submitter is told of each record: from its own posts and their delivery, nothing else.

No other agency's words change it, and it never carries a practice. Police read "received"; where
the record's holder must not know, it says "handled" once it is, and not what was done.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlmodel import col, select

from flagservice.audit.log import Deed, Work
from flagservice.domain.copies import ReceiptWord
from flagservice.domain.holds import Owner
from flagservice.domain.people import Knows, Role
from flagservice.store import tables


@dataclass(frozen=True)
class ReceiptLine:
    """One record of a receipt; `due` is there where the submitter itself has to decide."""

    place: int
    role: Role
    status: ReceiptWord
    due: date | None = None


@dataclass(frozen=True)
class NamedPerson:
    """A naming, and what is needed of its sealed facts: the role, and may the holder know?"""

    naming: tables.NamingRow
    role: Role
    knows: Knows


def receipt(
    work: Work, plan: tables.PlanRow, said: Sequence[NamedPerson], *, received_only: bool
) -> list[ReceiptLine]:
    """The lines for those whom a plan's newest version names, in the order that it has them."""
    work.record(Deed.RECEIPT_READ, plan=plan.id, version=plan.version)
    return [
        ReceiptLine(one.naming.place, one.role, ReceiptWord.RECEIVED)
        if received_only
        else _line(work, one.naming, one)
        for one in said
    ]


def _line(work: Work, naming: tables.NamingRow, said: NamedPerson) -> ReceiptLine:
    if naming.word is ReceiptWord.HELD:
        return ReceiptLine(naming.place, said.role, ReceiptWord.HELD, due=_due(work, naming))
    if said.knows is Knows.MUST_NOT_KNOW and naming.word is not ReceiptWord.NOT_REACHED:
        done = naming.delivered or naming.word in (ReceiptWord.ACCEPTED, ReceiptWord.ENDED)
        return ReceiptLine(
            naming.place, said.role, ReceiptWord.HANDLED if done else ReceiptWord.ACCEPTED
        )
    if naming.word in (ReceiptWord.PLACED, ReceiptWord.REQUESTED) and naming.delivered:
        return ReceiptLine(naming.place, said.role, ReceiptWord.DELIVERED)
    return ReceiptLine(naming.place, said.role, naming.word)


def _due(work: Work, naming: tables.NamingRow) -> date | None:
    asked = (
        select(col(tables.HoldRow.due))
        .where(col(tables.HoldRow.plan_id) == naming.plan_id)
        .where(col(tables.HoldRow.person_id) == naming.person_id)
        .where(col(tables.HoldRow.owner) == Owner.SUBMITTER, col(tables.HoldRow.open))
    )
    return work.session.exec(asked).first()
