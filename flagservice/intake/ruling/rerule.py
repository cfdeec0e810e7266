"""Rules again on people, and issues what follows, in the caller's commit.

Submissions, decisions and registrations come here with the people that they name, locked. What a
record then holds depends on the facts alone, not on their order.
"""

import json
from collections.abc import Iterable

from flagservice.audit.log import Deed, Work
from flagservice.domain.copies import NotReached, ReceiptWord
from flagservice.domain.holds import Question
from flagservice.domain.people import Phase
from flagservice.intake.rulebook import Rulebook
from flagservice.intake.ruling.assessment import Assessment, assess
from flagservice.intake.ruling.concerns import carry_on, former
from flagservice.intake.ruling.holds import keep_holds
from flagservice.intake.ruling.issue import NewVersion, issue_all
from flagservice.intake.ruling.lifecycle import changes
from flagservice.intake.ruling.person_files import PersonFile, person_files
from flagservice.intake.unreached import keep_unplaced
from flagservice.policy.rows import PlacementAction
from flagservice.store import tables


def rerule(work: Work, people: Iterable[tables.PersonRow], *, rulebook: Rulebook) -> None:
    """Rules again on these people, who must be locked, and issues what follows."""
    work.write()
    with work.session.no_autoflush:
        versions: list[NewVersion] = []
        for file in person_files(work, people):
            versions += _rule(work, file, rulebook=rulebook)
        issue_all(work, versions, rulebook=rulebook)
    work.write()


def _rule(work: Work, file: PersonFile, *, rulebook: Rulebook) -> list[NewVersion]:
    """Keeps how one person was ruled on. Returns the versions that follow."""
    assessments = assess(work, file, rulebook=rulebook)
    work.session.add_all(carry_on(file, assessments, rulebook=rulebook))
    told = [*assessments, *former(file, assessments, rulebook=rulebook)]
    found = changes(work, file, told, rulebook=rulebook)
    keep_holds(work, file, assessments)
    for assessment in assessments:
        _keep_lookup(work, file, assessment)
        assessment.naming.word = _word(assessment, reached=file.practice is not None)
        work.session.add(assessment.naming)
    for assessment in told:
        _keep_ruling(work, file, assessment, copy_id=found.copy_of(assessment))
    return found.versions


def _keep_lookup(work: Work, file: PersonFile, assessment: Assessment) -> None:
    naming, role = assessment.naming, assessment.particulars.role
    keep_unplaced(work, naming, role, why=_not_reached(file, assessment), open_=file.lookups)


def _not_reached(file: PersonFile, assessment: Assessment) -> NotReached | None:
    """Returns why a record is not reached, if it is told something or awaits a decision."""
    waits = assessment.asked and assessment.particulars.phase is Phase.OPEN
    if file.practice is not None or not (waits or (assessment.tells and not assessment.asked)):
        return None
    refused = file.registration is not None and file.registration.refused is not None
    return NotReached.NOT_THEIR_PATIENT if refused else NotReached.NO_PRACTICE


def _word(assessment: Assessment, *, reached: bool) -> ReceiptWord:
    """Returns the receipt's word, by the submitter's words and decisions, and the register."""
    asked = assessment.own_decided.asked
    if assessment.withdrawn:
        return ReceiptWord.TAKEN_BACK
    if assessment.particulars.phase is Phase.ENDED:
        return ReceiptWord.ENDED
    if asked is not None and asked.question is Question.IDENTITY:
        return ReceiptWord.NOT_REACHED
    match assessment.own_ruling.placement.action:
        case PlacementAction.WITHHOLD:
            return ReceiptWord.ACCEPTED
        case PlacementAction.HOLD:
            return ReceiptWord.HELD
        case PlacementAction.PLACE | PlacementAction.REQUEST if not reached:
            return ReceiptWord.NOT_REACHED
        case PlacementAction.PLACE:
            return ReceiptWord.PLACED
        case PlacementAction.REQUEST:  # pragma: no branch, a closed set
            return ReceiptWord.REQUESTED


def _keep_ruling(
    work: Work, file: PersonFile, assessment: Assessment, *, copy_id: str | None
) -> None:
    ruling, person = assessment.ruling, file.person
    row, action, elements = _answer(assessment)
    row_id = work.new_id()
    case = json.dumps([str(part) for part in vars(ruling.case).values()]).encode()
    work.keep_sealed(
        tables.RulingRow,
        case,
        data_key=person.data_key,
        id=row_id,
        plan_id=assessment.plan.id,
        person_id=person.id,
        copy_id=copy_id,
        kind=ruling.case.kind,
        day=work.today,
        at=work.now,
        policy_version=ruling.policy.version,
        policy_digest=ruling.policy.digest,
        placement=row,
        action=action,
        elements=json.dumps(elements),
    )
    work.record(
        Deed.RULED, ruling=row_id, kind=ruling.case.kind, row=row, policy=ruling.policy.digest
    )


def _answer(assessment: Assessment) -> tuple[str, PlacementAction, list[list[object]]]:
    """Returns row, action and elements. No row rules on what was taken back."""
    if assessment.naming.withdrawn is not None:
        return f"withdrawn: {assessment.naming.withdrawn}", PlacementAction.WITHHOLD, []
    ruling = assessment.ruling
    elements: list[list[object]] = [[e.element, e.action, e.rules] for e in ruling.elements]
    return ruling.placement.id, ruling.placement.action, elements
