"""Takes in one version of a plan, enquiry or notification, in one transaction.

1. Find the plan by its natural key (organisation, reference), or start it; lock it.
2. A version that is there already is a repeat, or a conflict if its body differs.
3. A late version counts only for those of whom no newer one says anything. The newest is refused
   where time has overtaken it.
4. Find and lock every person that this version or an earlier one names.
5. Keep the submission, and what it says of each person, sealed.
6. Rule on each person, and issue what follows.
"""

from dataclasses import dataclass
from enum import StrEnum

from sqlmodel import col, select

from flagservice.audit.log import Deed, Work
from flagservice.domain.errors import Conflict, Forbidden, Invalid
from flagservice.domain.submissions import Submission
from flagservice.intake import unreached
from flagservice.intake.namings import keep_namings
from flagservice.intake.plans import find_or_start_plan
from flagservice.intake.rulebook import Rulebook
from flagservice.intake.ruling.rerule import rerule
from flagservice.people import persons
from flagservice.store import tables


class SubmissionEffect(StrEnum):
    """What came of a submission."""

    ACCEPTED = "accepted"
    REPEATED = "accepted before"
    SUPERSEDED = "superseded"


@dataclass(frozen=True)
class Submitted:
    """The plan that a submission belongs to, and what came of it."""

    plan: tables.PlanRow
    effect: SubmissionEffect


def submit(work: Work, submission: Submission, *, rulebook: Rulebook) -> Submitted:
    """Does the whole of intake, for the caller's organisation.

    Raises Conflict, Forbidden or Invalid.
    """
    if not rulebook.desks.has(work.actor.ods):
        raise Forbidden("the policy lists no duty desk for this organisation")
    # (1) the plan
    plan = find_or_start_plan(work, submission)
    # (2) a repeat?
    body = submission.model_dump_json().encode()
    digest = work.vault.digest(plan.data_key, body, purpose="submission")
    before = _version(work, plan, submission.version) if plan.version else None
    if before is not None:
        return _repeat(work, plan, before, digest=digest)
    # (3) too late?
    late, first = submission.version < plan.version, plan.version == 0
    kept = _keep(work, plan, body, version=submission.version, digest=digest)
    if not late and (faults := submission.outgrown(work.today)):
        raise Invalid(*faults)
    _take(plan, submission, late=late)
    work.session.add(plan)
    # (4) the people
    numbers = [p.nhs_number for p in submission.people if p.nhs_number is not None]
    named = persons.lock(work, numbers, and_of=plan.id)
    # (5) what is said of them
    affected = keep_namings(work, plan, submission, people=named, first=first)
    unidentified = [s.person.role for s in submission.statements() if s.person.nhs_number is None]
    if not late and (unidentified or not first):
        unreached.keep_unidentified(work, plan.id, () if plan.ended else unidentified)
    work.record(Deed.SUPERSEDED if late else Deed.SUBMITTED, submission=kept, plan=plan.id)
    # (6) rule and issue
    rerule(work, affected, rulebook=rulebook)
    return Submitted(plan, SubmissionEffect.SUPERSEDED if late else SubmissionEffect.ACCEPTED)


def _take(plan: tables.PlanRow, submission: Submission, *, late: bool) -> None:
    """Notes on a plan its newest version, and the newest that ended it or took it back."""
    if submission.end is not None:
        plan.ended_by = max(plan.ended_by, submission.version)
    if submission.withdrawn is not None and submission.version > plan.withdrawn_by:
        plan.withdrawn_by, plan.withdrawn = submission.version, submission.withdrawn
    if not late:
        plan.version, plan.kind = submission.version, submission.rules_as
        plan.ended = submission.end is not None


def _version(work: Work, plan: tables.PlanRow, version: int) -> tables.SubmissionRow | None:
    asked = select(tables.SubmissionRow).where(
        col(tables.SubmissionRow.plan_id) == plan.id, col(tables.SubmissionRow.version) == version
    )
    return work.session.exec(asked).first()


def _repeat(
    work: Work, plan: tables.PlanRow, before: tables.SubmissionRow, *, digest: str
) -> Submitted:
    if before.digest != digest:
        raise Conflict("version: this reference and version were sent before with another body")
    work.record(Deed.REPEATED, plan=plan.id, version=before.version)
    return Submitted(plan, SubmissionEffect.REPEATED)


def _keep(work: Work, plan: tables.PlanRow, body: bytes, *, version: int, digest: str) -> str:
    """Keeps a version's body, sealed. Returns its row's id."""
    row_id = work.new_id()
    work.keep_sealed(
        tables.SubmissionRow,
        body,
        data_key=plan.data_key,
        id=row_id,
        plan_id=plan.id,
        version=version,
        client_id=work.actor.name,
        digest=digest,
        received=work.now,
    )
    return row_id
