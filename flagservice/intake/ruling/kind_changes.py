"""Lets a copy go on when its plan changes its kind, as at a birth, where it says the same.

To take it back and begin another would tell its practice the day on which the birth was reported.
"""

from collections.abc import Sequence
from dataclasses import replace

from flagservice.audit.log import Work
from flagservice.intake.rulebook import Rulebook
from flagservice.intake.ruling.assessment import Assessment
from flagservice.intake.ruling.person_files import PersonFile
from flagservice.policy.disclosure import form_of
from flagservice.policy.ruling import rule_on
from flagservice.store import tables


def carry_on(
    work: Work, file: PersonFile, assessments: Sequence[Assessment], *, rulebook: Rulebook
) -> None:
    """Gives each copy of a kind that was left behind the kind that its plan has now.

    Only a copy of the same form and code goes on. Any other ends with its kind.
    """
    now = {assessment.plan.id: assessment for assessment in assessments}
    standing = file.standing_copies()
    taken = {(copy.plan_id, copy.kind) for copy in standing}
    for copy in standing:
        assessment = now[copy.plan_id]
        about = (copy.plan_id, assessment.particulars.kind)
        if about not in taken and _says_the_same(copy, assessment, rulebook=rulebook):
            taken.add(about)
            copy.kind = assessment.particulars.kind
            work.session.add(copy)


def _says_the_same(copy: tables.CopyRow, assessment: Assessment, *, rulebook: Rulebook) -> bool:
    ruling = assessment.ruling
    if not assessment.tells or form_of(ruling) != copy.form:
        return False
    before = rule_on(rulebook.policies[copy.kind], replace(ruling.case, kind=copy.kind))
    return before.placement.code == ruling.placement.code
