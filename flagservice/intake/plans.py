"""Finds or starts a plan by its submitter's own reference, which is sealed."""

import json
from typing import Final

from sqlalchemy import bindparam
from sqlmodel import col, select

from flagservice.audit.log import Work
from flagservice.domain.errors import Fault, Invalid
from flagservice.domain.submissions import Submission
from flagservice.store import tables
from flagservice.store.lists import one_of

_FOUND: Final = (
    select(tables.PlanRow)
    .where(col(tables.PlanRow.ods) == bindparam("ods"))
    .where(one_of(col(tables.PlanRow.reference), "keys"))
    .with_for_update(key_share=True)
)


def find_plan(work: Work, ods: str, reference: str) -> tables.PlanRow | None:
    """Returns the plan with this organisation's own reference, locked."""
    keys = work.vault.pseudonyms(_natural_key(ods, reference), purpose="reference")
    return work.session.exec(_FOUND, params={"ods": ods, "keys": keys}).first()


def find_or_start_plan(work: Work, submission: Submission) -> tables.PlanRow:
    """Returns a submission's plan, locked. Raises Invalid where it is of another kind.

    Two that start one plan at once meet in its unique key. The loser does its work again.
    """
    plan = find_plan(work, work.actor.ods, submission.reference)
    if plan is None:
        natural_key = _natural_key(work.actor.ods, submission.reference)
        plan = tables.PlanRow(
            id=work.new_id(),
            ods=work.actor.ods,
            reference=work.vault.pseudonym(natural_key, purpose="reference"),
            kind=submission.rules_as,
            version=0,
            data_key=work.vault.new_data_key(),
        )
        work.session.add(plan)
    if plan.kind.removeprefix("unborn-") != submission.rules_as.removeprefix("unborn-"):
        raise Invalid(Fault("kind", "this reference belongs to another kind"))
    return plan


def reference_of(work: Work, plan: tables.PlanRow) -> str:
    """Returns the submitter's own reference, which all versions of a plan share."""
    asked = select(tables.SubmissionRow).where(col(tables.SubmissionRow.plan_id) == plan.id)
    kept = work.session.exec(asked.limit(1)).one()
    opened = work.vault.open_row_under(plan.data_key, kept)
    return str(json.loads(opened)["reference"])


def natural_key_of(work: Work, plan: tables.PlanRow) -> str:
    """Returns what a plan's pseudonym stands for."""
    return _natural_key(plan.ods, reference_of(work, plan))


def _natural_key(ods: str, reference: str) -> str:
    return f"{ods}|{reference}"
