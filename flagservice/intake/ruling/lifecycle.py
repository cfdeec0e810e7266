"""Brings what each practice holds for one person to what the policy now says.

issue      nothing was there, and something is to be told
amend      what is told has changed
end        the plan has ended: the copy is inactive, and stays as history
move       the person's practice has changed: the old copy is taken back, a new one starts
retract    nothing may be told any more: the copy is removed, without history
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from flagservice.audit.log import Work
from flagservice.domain.copies import CopyStatus
from flagservice.domain.elements import Element
from flagservice.intake.rulebook import Rulebook
from flagservice.intake.ruling.assessment import Assessment
from flagservice.intake.ruling.content import (
    Days,
    days_from,
    disclosure_by,
    disclosure_digest,
    own_digest,
)
from flagservice.intake.ruling.issue import NewVersion
from flagservice.intake.ruling.person_files import PersonFile
from flagservice.policy.disclosure import Disclosure, form_of, removal
from flagservice.store import tables


def changes(
    work: Work, file: PersonFile, assessments: Sequence[Assessment], *, rulebook: Rulebook
) -> Iterator[NewVersion]:
    """Yields every version that has to be issued so that the records of one person are right."""
    copies, person, practice = file.standing_copies(), file.person, file.practice
    refused = file.registration.refused if file.registration else None
    for assessment in assessments:
        own_change = _own_change(work, assessment, rulebook=rulebook)
        mine = [copy for copy in copies if _is_of(copy, assessment)]
        welcome = [copy for copy in mine if copy.practice != refused]
        kept = _kept(welcome, assessment, practice=practice)
        for copy in mine:
            if copy is not kept:
                yield _removal(copy, person, in_error=assessment.in_error)
        where = practice or (kept.practice if kept else None)
        stood = kept or _stood(mine, assessment)
        if assessment.tells and where is not None and (stood or not assessment.asked):
            content = _content(
                work, assessment, stood, renewed=own_change.amended, rulebook=rulebook
            )
            told = content.disclosure
            if kept is None:
                new = _new_copy(work, person, content, practice=where)
                yield NewVersion(new, person, told, told.status)
            elif own_change.told or _is_other(work, kept, told, person=person):
                kept.review, kept.expires = content.days.review, content.days.expires
                yield NewVersion(kept, person, told, told.status, withdraws=_narrows(kept, told))


def _is_other(
    work: Work, kept: tables.CopyRow, told: Disclosure, *, person: tables.PersonRow
) -> bool:
    return disclosure_digest(work, told, data_key=person.data_key) != kept.digest


def _is_of(copy: tables.CopyRow, assessment: Assessment) -> bool:
    return (copy.plan_id, copy.kind) == (assessment.plan.id, assessment.particulars.kind)


@dataclass(frozen=True)
class OwnChange:
    """Whether the submitter's own words are told otherwise than before, and by its amendment.

    A new policy may tell them otherwise though they were not amended: that awaits a delivery, and
    puts off no review.
    """

    told: bool
    amended: bool


def _own_change(work: Work, assessment: Assessment, *, rulebook: Rulebook) -> OwnChange:
    if assessment.former:
        return OwnChange(told=False, amended=False)
    naming, policy = assessment.naming, assessment.own_ruling.policy.digest[:16]
    ruled_by, _, before = naming.own_digest.rpartition("|")
    now = own_digest(work, assessment, rulebook=rulebook)
    naming.own_digest = f"{policy}|{now}"
    work.session.add(naming)
    if before == now:
        return OwnChange(told=False, amended=False)
    naming.delivered = False
    return OwnChange(told=True, amended=ruled_by in ("", policy))


def _kept(
    mine: Sequence[tables.CopyRow], assessment: Assessment, *, practice: str | None
) -> tables.CopyRow | None:
    """Returns the copy that goes on: same form, same practice.

    While the person's practice is not known the copy stays where it is: the record is there yet.
    """
    if not assessment.tells:
        return None
    form = form_of(assessment.told)
    fitting = [copy for copy in mine if copy.form == form and practice in (None, copy.practice)]
    return fitting[0] if fitting else None


def _stood(mine: Sequence[tables.CopyRow], assessment: Assessment) -> tables.CopyRow | None:
    """Returns the copy that stood elsewhere while a side is asked: the record takes it along."""
    return next((copy for copy in mine if assessment.asked and copy.says), None)


def _removal(copy: tables.CopyRow, person: tables.PersonRow, *, in_error: bool) -> NewVersion:
    disclosure = removal(copy.form, copy.labels, in_error=in_error)
    return NewVersion(copy, person, disclosure, CopyStatus.REMOVED, withdraws=True)


@dataclass(frozen=True)
class CopyContent:
    """What a copy should say now, and its days."""

    assessment: Assessment
    days: Days
    disclosure: Disclosure


def _content(
    work: Work,
    assessment: Assessment,
    copy: tables.CopyRow | None,
    *,
    renewed: bool,
    rulebook: Rulebook,
) -> CopyContent:
    """Returns what a copy should say.

    A copy that goes on keeps the days that the row which now places it has, and is reviewed no
    later than that row says. What its submitter amends is reviewed from today on.
    """
    days = days_from(work.today, assessment.told)
    if copy is not None:
        review = days.review
        if review is not None and copy.review is not None and not renewed:
            review = min(review, copy.review)
        days = Days(copy.placed, review, _expires(copy, assessment, days=days))
    within = copy.says if assessment.asked and copy is not None else tuple(Element)
    told = disclosure_by(assessment.told, assessment, days=days, rulebook=rulebook, within=within)
    return CopyContent(assessment, days, told)


def _expires(copy: tables.CopyRow, assessment: Assessment, *, days: Days) -> date | None:
    """Returns the day on which a copy expires, counted from its placing: no later than before."""
    if days.expires is None or copy.expires is None:
        return days.expires
    counted = days_from(copy.placed, assessment.told).expires or days.expires
    return min(copy.expires, counted)


def _narrows(copy: tables.CopyRow, disclosure: Disclosure) -> bool:
    """Returns whether less is told than before. Then the earlier words go, too."""
    return not set(copy.says) <= set(disclosure.says)


def _new_copy(
    work: Work, person: tables.PersonRow, content: CopyContent, *, practice: str
) -> tables.CopyRow:
    """Starts a copy, which has yet to be delivered though one elsewhere may have been."""
    content.assessment.naming.delivered = False
    copy = tables.CopyRow(
        id=work.new_id(),
        person_id=person.id,
        plan_id=content.assessment.plan.id,
        kind=content.assessment.particulars.kind,
        form=form_of(content.assessment.told),
        practice=practice,
        number=0,
        status=content.disclosure.status,
        labels=(),
        says=(),
        digest="",
        placed=content.days.placed,
        review=content.days.review,
        expires=content.days.expires,
    )
    work.session.add(copy)
    return copy
