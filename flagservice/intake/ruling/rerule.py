"""Rules again on people, whatever the occasion, and issues what follows, in the caller's commit.

A submission, a decision, a registration that became known: each comes here with the people that
it names, locked. What each record then holds depends on the facts alone, not on their order.
"""

import json
from collections.abc import Iterable

from flagservice.audit.log import Deed, Work
from flagservice.domain.people import Phase
from flagservice.intake.policies.rulebook import Rulebook
from flagservice.intake.ruling.assessment import Assessment, assess, formers
from flagservice.intake.ruling.holds import keep_holds
from flagservice.intake.ruling.issue import Issue, issue_all
from flagservice.intake.ruling.lifecycle import changes
from flagservice.intake.ruling.person_files import Dossier, dossiers
from flagservice.intake.unreached import NO_PRACTICE, NOT_THEIR_PATIENT, Gap, keep_unplaced
from flagservice.policy.rows import PlacementAction
from flagservice.policy.ruling import Ruling
from flagservice.store import tables


def rerule(work: Work, people: Iterable[tables.PersonRow], *, rulebook: Rulebook) -> None:
    """Every open flag of these people, ruled on anew; the people are locked already."""
    work.write()
    with work.session.no_autoflush:
        issues: list[Issue] = []
        for dossier in dossiers(work, people):
            issues += _rule(work, dossier, rulebook=rulebook)
        issue_all(work, issues, rulebook=rulebook)
    work.write()


def _rule(work: Work, dossier: Dossier, *, rulebook: Rulebook) -> list[Issue]:
    """What follows for one person, and what is kept of how it was ruled on."""
    assessments = assess(work, dossier, rulebook=rulebook)
    told = [*assessments, *formers(dossier, assessments, rulebook=rulebook)]
    issues = list(changes(work, dossier, told, rulebook=rulebook))
    keep_holds(work, dossier, assessments)
    for assessment in assessments:
        _keep_gap(work, dossier, assessment)
        assessment.naming.word = _word(assessment.own, reached=dossier.practice is not None)
        work.session.add(assessment.naming)
    for assessment in told:
        _keep_ruling(work, dossier, assessment, issues=issues)
    return issues


def _keep_gap(work: Work, dossier: Dossier, assessment: Assessment) -> None:
    reached = dossier.practice is not None
    held = assessment.ruling.placement.action is PlacementAction.HOLD
    waits = held and assessment.ruling.case.phase is Phase.OPEN
    needs = assessment.tells or waits
    refused = dossier.registration is not None and dossier.registration.refused is not None
    reason = NOT_THEIR_PATIENT if refused else NO_PRACTICE
    gap = Gap(assessment.plan.id, assessment.facts.role, reason, assessment.naming.person_id)
    keep_unplaced(work, gap, there=dossier.gaps, reached=reached or not needs)


def _word(own: Ruling, *, reached: bool) -> str:
    """What the receipt says: from the submitter's own words, the register and its own decisions."""
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
    work: Work, dossier: Dossier, assessment: Assessment, *, issues: list[Issue]
) -> None:
    ruling, person = assessment.ruling, dossier.person
    issued = [issue.copy.id for issue in issues if _about(issue, assessment)]
    # Where a copy was taken back and another begun, the ruling is about the one that was begun.
    copy_id = issued[-1] if issued else _standing_copy(dossier, assessment)
    row_id = work.new_id()
    case = json.dumps([str(part) for part in vars(ruling.case).values()]).encode()
    work.keep(
        tables.RulingRow,
        id=row_id,
        plan_id=assessment.plan.id,
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


def _standing_copy(dossier: Dossier, assessment: Assessment) -> str | None:
    about = (assessment.plan.id, assessment.facts.kind)
    standing = (c.id for c in dossier.standing_copies() if (c.plan_id, c.kind) == about)
    return next(standing, None)
