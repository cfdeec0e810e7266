"""Keeps the placements that wait for a named side. A hold is work: it has an owner and a day."""

from collections.abc import Sequence

from flagservice.audit.log import Deed, Work
from flagservice.domain.days.intervals import day_after
from flagservice.domain.holds import Escalation, Owner
from flagservice.domain.people import Phase
from flagservice.intake.ruling.assessment import Assessment
from flagservice.intake.ruling.person_files import PersonFile
from flagservice.policy.rows import PlacementAction
from flagservice.policy.ruling import Ruling
from flagservice.store import tables


def keep_holds(work: Work, file: PersonFile, assessments: Sequence[Assessment]) -> None:
    """Opens the holds that the rulings ask for, and closes all others."""
    for assessment in assessments:
        owner = _asked_for(assessment)
        owner_ods = assessment.plan.ods if owner is Owner.SUBMITTER else file.practice
        wanted = (owner, owner_ods, assessment.question_for(owner)) if owner else None
        open_ = [one for one in file.holds if one.open and one.plan_id == assessment.plan.id]
        standing = [hold for hold in open_ if _what(hold) == wanted]
        for hold in open_:
            if hold not in standing:
                hold.open = False
                work.session.add(hold)
        if owner and owner_ods and not standing:
            _hold(work, assessment, owner, owner_ods=owner_ods)


def _what(hold: tables.HoldRow) -> tuple[str, str, str]:
    """Returns who decides, and about what. When the practice changes, the new one is asked."""
    return hold.owner, hold.owner_ods, hold.about


def _asked_for(assessment: Assessment) -> Owner | None:
    """Returns who is asked. A submitter is asked by its own words alone: a question tells, too."""
    owner = _owner(assessment.ruling)
    if owner is Owner.SUBMITTER and _owner(assessment.own_ruling) is not owner:
        return None
    return owner


def _owner(ruling: Ruling) -> Owner | None:
    held = ruling.placement.action is PlacementAction.HOLD and ruling.case.phase is Phase.OPEN
    return ruling.placement.owner if held else None


def _hold(work: Work, assessment: Assessment, owner: Owner, *, owner_ods: str) -> None:
    """Opens a hold. Without a practice to ask there is none yet: an open look-up stands for it."""
    row = assessment.ruling.placement
    due = day_after(work.today, row.due)
    hold = tables.HoldRow(
        id=work.new_id(),
        plan_id=assessment.plan.id,
        person_id=str(assessment.naming.person_id),
        owner=owner,
        owner_ods=owner_ods,
        then=Escalation(str(row.then)),
        opened=work.today,
        due=due or work.today,
        about=assessment.question_for(owner),
        version=assessment.naming.version,
    )
    work.session.add(hold)
    work.record(Deed.HELD, hold=hold.id, owner=owner, row=row.id)
