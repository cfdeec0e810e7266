"""Brings what each practice holds for one person to what the policy now says.

issue      nothing was there, and something is to be told
amend      what is told has changed
end        the plan has ended: inactive, stays as history
move       the person's practice has changed: the old copy is taken back, a new one starts
retract    nothing may be told any more: removed, no history
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from sqlmodel import col, select

from flagservice.audit.log import Work
from flagservice.directory.registrations import Registration
from flagservice.domain.elements import Kind
from flagservice.domain.people import Phase
from flagservice.intake.assess import Assessment
from flagservice.intake.content import Days, days_from, digest, own_digest, told
from flagservice.intake.issue import Issue
from flagservice.intake.rulebook import Rulebook
from flagservice.policy.disclosure import Disclosure, disclose, form_of, removal
from flagservice.policy.ruling import rule_on
from flagservice.store import tables

REMOVED = "removed"


def changes(
    work: Work,
    person: tables.Person,
    assessments: Sequence[Assessment],
    *,
    registration: Registration | None,
    rulebook: Rulebook,
) -> Iterator[Issue]:
    """Every version that has to be issued so that the records of one person are right."""
    copies = _copies(work, person)
    practice = registration.practice if registration else None
    for assessment in assessments:
        own_news = _own_news(work, assessment, rulebook=rulebook)
        mine = [copy for copy in copies if copy.plan_id == assessment.plan.id]
        kept = _kept(mine, assessment, practice)
        for copy in mine:
            if copy is not kept:
                yield from _close(copy, person, assessment, rulebook=rulebook)
        if assessment.ruling.remains and practice is not None:
            due = _due(work, assessment, kept, rulebook=rulebook)
            if kept is None:
                yield Issue(_new_copy(work, person, due, practice=practice), person, *due.said)
            elif own_news or digest(work, due.disclosure) != kept.digest:
                yield Issue(kept, person, *due.said, withdraws=_narrows(kept, due.disclosure))


def _copies(work: Work, person: tables.Person) -> list[tables.Copy]:
    asked = (
        select(tables.Copy)
        .where(col(tables.Copy.person_id) == person.id)
        .where(col(tables.Copy.status) != REMOVED)
        .order_by(col(tables.Copy.id))
    )
    return list(work.session.exec(asked).all())


def _own_news(work: Work, assessment: Assessment, *, rulebook: Rulebook) -> bool:
    """Did the submitter's own words change what it would be told? Then it awaits a delivery."""
    naming = assessment.naming
    now = own_digest(work, assessment, rulebook=rulebook)
    if naming.own_digest == now:
        return False
    naming.own_digest, naming.delivered = now, False
    work.session.add(naming)
    return True


def _kept(
    mine: Sequence[tables.Copy], assessment: Assessment, practice: str | None
) -> tables.Copy | None:
    """The copy that goes on: same kind, same form, same practice."""
    if not assessment.ruling.remains:
        return None
    wanted = (assessment.facts.kind, form_of(assessment.ruling), practice)
    return next((copy for copy in mine if (copy.kind, copy.form, copy.practice) == wanted), None)


def _close(
    copy: tables.Copy, person: tables.Person, assessment: Assessment, *, rulebook: Rulebook
) -> Iterator[Issue]:
    """What no longer belongs where it is: history where its own policy says so, else removed."""
    if copy.kind == assessment.facts.kind:
        yield _removal(copy, person)
    elif copy.status != "inactive":
        # An unborn child's plan went on as the child's own: the old kind ends as its policy says.
        case = replace(assessment.ruling.case, kind=Kind(copy.kind), phase=Phase.ENDED)
        ended = rule_on(rulebook.policies[case.kind], case)
        if ended.remains:
            yield Issue(copy, person, disclose(ended, {}), "inactive")
        else:
            yield _removal(copy, person)


def _removal(copy: tables.Copy, person: tables.Person) -> Issue:
    disclosure = removal("request" if copy.form == "request" else "flag", _labels(copy))
    return Issue(copy, person, disclosure, REMOVED, withdraws=True)


def _labels(copy: tables.Copy) -> tuple[str, ...]:
    return tuple(copy.labels.split())


@dataclass(frozen=True)
class Due:
    """What a copy should say now, and the days that it counts from."""

    assessment: Assessment
    days: Days
    disclosure: Disclosure

    @property
    def said(self) -> tuple[Disclosure, str]:
        """The disclosure, and the copy's status that goes with it."""
        return self.disclosure, self.disclosure.status


def _due(
    work: Work, assessment: Assessment, copy: tables.Copy | None, *, rulebook: Rulebook
) -> Due:
    days = days_from(copy.placed if copy else work.today, assessment.ruling)
    return Due(assessment, days, told(assessment, days=days, rulebook=rulebook))


def _narrows(copy: tables.Copy, disclosure: Disclosure) -> bool:
    """Is less told than before, for another cause than the end? Then the earlier words go, too."""
    less = not set(copy.says.split()) <= set(disclosure.says)
    return less and disclosure.status == copy.status


def _new_copy(work: Work, person: tables.Person, due: Due, *, practice: str) -> tables.Copy:
    copy = tables.Copy(
        id=work.new_id(),
        person_id=person.id,
        plan_id=due.assessment.plan.id,
        kind=due.assessment.facts.kind,
        form=form_of(due.assessment.ruling),
        practice=practice,
        number=0,
        status="",
        labels="",
        says="",
        digest="",
        placed=due.days.placed,
        review=due.days.review,
        expires=due.days.expires,
    )
    work.session.add(copy)
    work.session.flush()
    return copy
