"""A plan's receipt: opens what its submitter said, and lets `delivery` word the rest."""

from typing import Final

from sqlalchemy import bindparam
from sqlmodel import col, select

from flagservice.audit.log import Work
from flagservice.delivery.receipts import NamedPerson, ReceiptLine, receipt
from flagservice.domain.elements import NOTIFICATIONS
from flagservice.intake.ruling.particulars import open_particulars
from flagservice.store import tables

_CURRENT: Final = (
    select(tables.NamingRow)
    .where(col(tables.NamingRow.plan_id) == bindparam("plan"))
    .where(col(tables.NamingRow.current))
    .order_by(col(tables.NamingRow.place))
)


def receipt_of(work: Work, plan: tables.PlanRow) -> list[ReceiptLine]:
    """One line for each person whom the newest version names."""
    said = []
    for naming in work.session.exec(_CURRENT, params={"plan": plan.id}):
        particulars = open_particulars(work, naming)
        said.append(NamedPerson(naming, particulars.role, particulars.knows))
    return receipt(work, plan, said, received_only=plan.kind in NOTIFICATIONS)
