"""Brings what each practice holds for one person to what the policy now says.

    issue      nothing was there, and something is to be told
    amend      what is told has changed
    end        the plan has ended: inactive, stays as history
    move       the person's practice has changed: the old copy is taken back, a new one starts
    retract    nothing may be told any more: removed, no history
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from sqlmodel import col, select

from flagservice.audit.log import Work
from flagservice.directory.registrations import Registration
from flagservice.domain.elements import Kind
from flagservice.domain.people import Phase
from flagservice.intake.assess import Assessment
from flagservice.intake.content import Days, days_from, digest, own_digest, told
from flagservice.intake.issue import Issue
from flagservice.intake.rulebook import Rulebook
from flagservice.policy.disclosure import disclose, form_of, removal
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
            yield from _bring(
                work, person, assessment, copy=kept, practice=practice, own_news=own_news,
                rulebook=rulebook,
            )


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


def _bring(
    work: Work,
    person: tables.Person,
    assessment: Assessment,
    *,
    copy: tables.Copy | None,
    practice: str,
    own_news: bool,
    rulebook: Rulebook,
) -> Iterator[Issue]:
    ruling = assessment.ruling
    days = days_from(copy.placed if copy else work.today, ruling)
    disclosure = told(assessment, days=days, rulebook=rulebook)
    if copy is None:
        copy = _new_copy(work, person, assessment, practice=practice, days=days)
        yield Issue(copy, person, disclosure, disclosure.status)
        return
    if digest(work, disclosure) != copy.digest or own_news:
        less = not set(copy.says.split()) <= set(disclosure.says)
        narrowed = less and disclosure.status == copy.status
        yield Issue(copy, person, disclosure, disclosure.status, withdraws=narrowed)


def _new_copy(
    work: Work, person: tables.Person, assessment: Assessment, *, practice: str, days: Days
) -> tables.Copy:
    copy = tables.Copy(
        id=work.new_id(), person_id=person.id, plan_id=assessment.plan.id,
        kind=assessment.facts.kind, form=form_of(assessment.ruling), practice=practice, number=0,
        status="", labels="", says="", digest="", placed=days.placed, review=days.review,
        expires=days.expires,
    )
    work.session.add(copy)
    work.session.flush()
    return copy
