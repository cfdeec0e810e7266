"""Rules again on people, whatever the occasion, and issues what follows, in the caller's commit.

A submission, a decision, a registration that became known: each comes here with the people that
it names, locked. What each record then holds depends on the facts alone, not on their order.
"""

import json
from collections.abc import Iterable

from sqlmodel import col, select

from flagservice.audit.log import Deed, Work
from flagservice.directory.registrations import Registration, known
from flagservice.domain.people import Phase
from flagservice.intake.assess import Assessment, assess, formers
from flagservice.intake.gaps import NO_PRACTICE, Gap, keep_unplaced
from flagservice.intake.holds import keep_holds
from flagservice.intake.issue import Issue, issue_all
from flagservice.intake.lifecycle import changes
from flagservice.intake.persons import nhs_number_of
from flagservice.intake.rulebook import Rulebook
from flagservice.policy.rows import PlacementAction
from flagservice.policy.ruling import Ruling
from flagservice.store import tables


def rerule(work: Work, people: Iterable[tables.Person], *, rulebook: Rulebook) -> None:
    """Every open flag of these people, ruled on anew; the people are locked already."""
    issues: list[Issue] = []
    for person in people:
        registration = known(work, nhs_number_of(work, person))
        assessments = assess(work, person, registration=registration, rulebook=rulebook)
        told = [*assessments, *formers(work, person, assessments, rulebook=rulebook)]
        issues += changes(work, person, told, registration=registration, rulebook=rulebook)
        practice = registration.practice if registration else None
        keep_holds(work, assessments, practice=practice)
        for assessment in assessments:
            _keep_gap(work, assessment, registration)
            _keep_word(work, assessment, registration)
        for assessment in told:
            _keep_ruling(work, person, assessment, issues=issues)
    issue_all(work, issues, rulebook=rulebook)


def _keep_gap(work: Work, assessment: Assessment, registration: Registration | None) -> None:
    reached = registration is not None and registration.practice is not None
    held = assessment.ruling.placement.action is PlacementAction.HOLD
    waits = held and assessment.ruling.case.phase is Phase.OPEN
    needs = assessment.tells or waits
    gap = Gap(assessment.plan.id, assessment.facts.role, NO_PRACTICE, assessment.naming.person_id)
    keep_unplaced(work, gap, reached=reached or not needs)


def _keep_word(work: Work, assessment: Assessment, registration: Registration | None) -> None:
    """What the receipt says: from the submitter's own words, the register and its own decisions."""
    reached = registration is not None and registration.practice is not None
    assessment.naming.word = _word(assessment.own, reached=reached)
    work.session.add(assessment.naming)


def _word(own: Ruling, *, reached: bool) -> str:
    if own.case.phase is Phase.ENDED:
        return "ended"
    match own.placement.action:
        case PlacementAction.WITHHOLD:
            return "accepted"
        case PlacementAction.HOLD:
            return "held"
        case PlacementAction.PLACE | PlacementAction.REQUEST if not reached:
            return "not reached"
        case PlacementAction.PLACE:
            return "placed"
        case PlacementAction.REQUEST:  # pragma: no branch, a closed set
            return "requested"


def _keep_ruling(
    work: Work, person: tables.Person, assessment: Assessment, *, issues: list[Issue]
) -> None:
    ruling, naming = assessment.ruling, assessment.naming
    issued = [issue.copy.id for issue in issues if _about(issue, assessment)]
    # Where a copy was taken back and another begun, the ruling is about the one that was begun.
    copy_id = issued[-1] if issued else _standing_copy(work, assessment)
    row_id = work.new_id()
    case = json.dumps([str(part) for part in vars(ruling.case).values()]).encode()
    work.session.add(
        tables.Ruling(
            id=row_id,
            plan_id=naming.plan_id,
            person_id=person.id,
            copy_id=copy_id,
            kind=ruling.case.kind,
            day=work.today,
            at=work.now,
            policy_version=ruling.policy.version,
            policy_digest=ruling.policy.digest,
            placement=ruling.placement.id,
            action=ruling.placement.action,
            elements=json.dumps([[e.element, e.action, e.rules] for e in ruling.elements]),
            sealed=work.vault.seal(person.data_key, case, table="ruling", row=row_id, version=1),
        )
    )
    work.record(
        Deed.RULED,
        ruling=row_id,
        kind=ruling.case.kind,
        row=ruling.placement.id,
        policy=ruling.policy.digest,
    )


def _about(issue: Issue, assessment: Assessment) -> bool:
    copy, naming = issue.copy, assessment.naming
    about = (naming.plan_id, naming.person_id, assessment.facts.kind)
    return (copy.plan_id, copy.person_id, copy.kind) == about


def _standing_copy(work: Work, assessment: Assessment) -> str | None:
    asked = (
        select(col(tables.Copy.id))
        .where(col(tables.Copy.plan_id) == assessment.plan.id)
        .where(col(tables.Copy.person_id) == assessment.naming.person_id)
        .where(col(tables.Copy.kind) == assessment.facts.kind)
        .where(col(tables.Copy.status) != "removed")
    )
    return work.session.exec(asked).first()
