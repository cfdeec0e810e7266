"""Says what a copy tells: the disclosure for an assessment, with the days that the copy adds."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from flagservice.audit.log import Work
from flagservice.domain.days.intervals import day_after
from flagservice.domain.elements import Element, Elements, Value
from flagservice.intake.rulebook import Rulebook
from flagservice.intake.ruling.assessment import Assessment
from flagservice.policy.disclosure import Disclosure, disclose
from flagservice.policy.ruling import Ruling


@dataclass(frozen=True)
class Days:
    """The days that belong to a copy, counted from the day it was placed."""

    placed: date
    review: date | None
    expires: date | None


def days_from(placed: date, ruling: Ruling) -> Days:
    """Returns the days of a copy that is placed on a day, by the policy's intervals."""
    row = ruling.placement
    return Days(placed, day_after(placed, row.review), day_after(placed, row.expires))


def disclosure_by(
    ruling: Ruling,
    assessment: Assessment,
    *,
    days: Days,
    rulebook: Rulebook,
    within: Collection[Element] = tuple(Element),
) -> Disclosure:
    """Returns all that a ruling lets this record be told of this plan, `within` these elements."""
    said = _said(assessment, ruling, days=days, rulebook=rulebook)
    return disclose(ruling, said, within=within)


def own_digest(work: Work, assessment: Assessment, *, rulebook: Rulebook) -> str:
    """Returns a digest that changes only when the submitter's own words change what is told."""
    if not assessment.own_told.remains:
        return ""
    days = Days(date.min, date.min, date.min)
    says = disclosure_by(assessment.own_told, assessment, days=days, rulebook=rulebook)
    return disclosure_digest(work, says, data_key=assessment.naming.data_key)


def disclosure_digest(work: Work, disclosure: Disclosure, *, data_key: bytes) -> str:
    """Returns a digest of everything that a disclosure says, keyed by the person's data key."""
    says = sorted((name, _text(value)) for name, value in disclosure.says.items())
    labels = tuple(map(str, disclosure.labels))
    whole = repr((str(disclosure.form), str(disclosure.status), labels, says))
    return work.vault.digest(data_key, whole.encode(), purpose="copy")


def _text(value: Value) -> str:
    return value.isoformat() if isinstance(value, date) else repr(value)


def _said(assessment: Assessment, ruling: Ruling, *, days: Days, rulebook: Rulebook) -> Elements:
    ods = assessment.plan.ods
    said: dict[Element, Value] = {
        **assessment.particulars.elements,
        Element.PLACED: days.placed,
        Element.DUTY_DESK: rulebook.desks.of(ods, ruling.placement.desk),
        Element.AGENCY: rulebook.desks.organisation(ods),
    }
    if days.review is not None:
        said[Element.REVIEW_BY] = days.review
    if days.expires is not None:
        said[Element.EXPIRES] = days.expires
    return said
