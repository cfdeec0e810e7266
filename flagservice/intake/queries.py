"""Tells a submitter what practices ask about its flags, where its receipt says that there is one.

A question tells that there is a flag, and never which practice asks. All questions are on
governance's manual list, so that none is lost.
"""

from dataclasses import dataclass
from datetime import date

from flagservice.audit.log import Deed, Work
from flagservice.delivery.acknowledgements import open_queries
from flagservice.domain.acknowledgements import QueryReason
from flagservice.domain.copies import ReceiptWord
from flagservice.domain.days.london import day_of
from flagservice.intake.plans import reference_of
from flagservice.intake.receipt import ReceiptLine, receipt_of
from flagservice.store import tables

_SAID = (ReceiptWord.PLACED, ReceiptWord.REQUESTED, ReceiptWord.DELIVERED)


@dataclass(frozen=True)
class Query:
    """One question: about which of the caller's references, whom in it, and why."""

    id: str
    reference: str
    line: ReceiptLine
    reason: QueryReason
    asked: date


def queries(work: Work) -> list[Query]:
    """Returns the caller's open questions, oldest first."""
    found = []
    for row in open_queries(work, ods=work.actor.ods):
        naming = work.session.get_one(tables.NamingRow, row.naming_id)
        plan = work.session.get_one(tables.PlanRow, naming.plan_id)
        for line in receipt_of(work, plan):
            if naming.current and line.place == naming.place and line.status in _SAID:
                asked = day_of(row.at)
                reference = reference_of(work, plan)
                found.append(Query(row.id, reference, line, QueryReason(row.reason), asked))
    work.record(Deed.QUERIES_READ, found=len(found))
    return found
