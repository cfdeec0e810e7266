"""Keeps what a side is asked, as holds: each has an owner, a day, and somebody after them."""

from collections.abc import Sequence
from typing import Final

from flagservice.audit.log import Deed, Work
from flagservice.domain.days.intervals import day_after
from flagservice.domain.holds import Escalation, Owner
from flagservice.intake.ruling.assessment import Assessment
from flagservice.intake.ruling.decisions import OpenQuestion
from flagservice.intake.ruling.person_files import PersonFile
from flagservice.store import tables

_DUE: Final = "2 working days"
"""For questions that no row of a policy asks: see `Question`."""


def keep_holds(work: Work, file: PersonFile, assessments: Sequence[Assessment]) -> None:
    """Opens a hold for each question, and closes all others."""
    asked = {
        (assessment.plan.id, owner_ods, question): assessment
        for assessment in assessments
        for question in assessment.questions()
        if (owner_ods := _asked_of(assessment, question.owner, practice=file.practice))
    }
    for hold in file.holds:
        if hold.open and asked.pop((hold.plan_id, hold.owner_ods, _what(hold)), None) is None:
            hold.open = False
            work.session.add(hold)
    for (_, owner_ods, question), assessment in asked.items():
        _hold(work, assessment, question, owner_ods=owner_ods)


def _what(hold: tables.HoldRow) -> OpenQuestion:
    return OpenQuestion(hold.owner, hold.question, hold.about)


def _asked_of(assessment: Assessment, owner: Owner, *, practice: str | None) -> str | None:
    """Returns the organisation that is asked; a practice is the person's present one.

    Without a practice there is no hold yet: an open look-up stands for it.
    """
    return assessment.plan.ods if owner is Owner.SUBMITTER else practice


def _hold(work: Work, assessment: Assessment, asked: OpenQuestion, *, owner_ods: str) -> None:
    row = assessment.ruling.placement
    by_policy = row.owner is asked.owner
    due = day_after(work.today, row.due if by_policy else _DUE)
    hold = tables.HoldRow(
        id=work.new_id(),
        plan_id=assessment.plan.id,
        person_id=str(assessment.naming.person_id),
        question=asked.question,
        owner=asked.owner,
        owner_ods=owner_ods,
        then=Escalation(str(row.then)) if by_policy else Escalation.SUBMITTER,
        opened=work.today,
        due=due or work.today,
        about=asked.about,
        version=assessment.naming.version,
    )
    work.session.add(hold)
    work.record(Deed.HELD, hold=hold.id, owner=asked.owner, row=row.id)
