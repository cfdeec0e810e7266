"""A plan's receipt: opens what its submitter said, and lets `delivery` word the rest."""

from sqlmodel import col, select

from flagservice.audit.log import Work
from flagservice.delivery.receipts import Line, Said, receipt
from flagservice.domain.elements import NOTIFICATIONS, Kind
from flagservice.intake.facts import unseal
from flagservice.store import tables


def receipt_of(work: Work, plan: tables.Plan) -> list[Line]:
    """One line for each person whom the newest version names."""
    asked = select(tables.Naming).where(
        col(tables.Naming.plan_id) == plan.id, col(tables.Naming.current)
    )
    said = {}
    for naming in work.session.exec(asked):
        facts = unseal(work, naming)
        said[naming.id] = Said(facts.role, facts.knows)
    return receipt(work, plan, said, received_only=Kind(plan.kind) in NOTIFICATIONS)
