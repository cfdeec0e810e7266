"""Says what a copy tells: the disclosure for all its grounds, and the copy's own days."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from flagservice.audit.log import Work
from flagservice.domain.days.intervals import day_after
from flagservice.domain.elements import Desk, Element, Elements, Value
from flagservice.intake.rulebook import Rulebook
from flagservice.intake.ruling.assessment import Assessment
from flagservice.policy.disclosure import Disclosure, disclose, disclose_together
from flagservice.policy.rows import DeskChoice
from flagservice.policy.ruling import Ruling


@dataclass(frozen=True)
class Days:
    """A copy's days, counted from the day it was placed."""

    placed: date
    review: date | None
    expires: date | None


def days_from(placed: date, ruling: Ruling) -> Days:
    """Returns the days of a copy placed on this day, by the policy's intervals."""
    row = ruling.placement
    return Days(placed, day_after(placed, row.review), day_after(placed, row.expires))


def expiry(grounds: Iterable[Assessment], day: date) -> date | None:
    """Returns when the last ground expires; None where one never does."""
    days = [day_after(day, ground.told.placement.expires) for ground in grounds]
    known = [one for one in days if one is not None]
    return max(known) if len(known) == len(days) else None


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


def disclosure_together(
    grounds: Sequence[Assessment],
    *,
    days: Days,
    rulebook: Rulebook,
    within: Collection[Element] = tuple(Element),
    clears: bool = True,
) -> Disclosure:
    """Returns all that this record may be told of a concern, by all its grounds.

    `clears` is whether what has ended may carry the code that says so.
    """
    rulings = [ground.told for ground in grounds]
    said: dict[Element, Value] = {
        **_folded([ground.particulars.elements for ground in grounds]),
        **_own(days),
        Element.DUTY_DESK: _desk(grounds, rulebook=rulebook),
    }
    agencies = {ground.plan.ods for ground in grounds}
    if len(agencies) == 1:
        said[Element.AGENCY] = rulebook.desks.organisation(*agencies)
    return disclose_together(rulings, said, within=within, clears=clears)


@dataclass(frozen=True)
class OwnChange:
    """Whether the submitter's own words are told otherwise than before, and by its amendment.

    A new policy may change what is told without one. That awaits a delivery, and puts off no
    review.
    """

    told: bool
    amended: bool


def own_change(work: Work, assessment: Assessment, *, rulebook: Rulebook) -> OwnChange:
    """Returns what changed since the last ruling, and keeps what there is now."""
    naming, policy = assessment.naming, assessment.own_ruling.policy.digest[:16]
    ruled_by, _, before = naming.own_digest.rpartition("|")
    now = _own_digest(work, assessment, rulebook=rulebook)
    naming.own_digest = f"{policy}|{now}"
    work.session.add(naming)
    if before == now:
        return OwnChange(told=False, amended=False)
    naming.delivered = False
    return OwnChange(told=True, amended=ruled_by in ("", policy))


def _own_digest(work: Work, assessment: Assessment, *, rulebook: Rulebook) -> str:
    """Returns a digest of what is told by the submitter's own words alone."""
    if not assessment.own_told.remains:
        return ""
    days = Days(date.min, date.min, date.min)
    says = disclosure_by(assessment.own_told, assessment, days=days, rulebook=rulebook)
    return disclosure_digest(work, says, data_key=assessment.naming.data_key)


def disclosure_digest(work: Work, disclosure: Disclosure, *, data_key: bytes) -> str:
    """Returns a keyed digest of everything that a disclosure says."""
    says = sorted((name, _text(value)) for name, value in disclosure.says.items())
    labels = tuple(map(str, disclosure.labels))
    whole = repr((str(disclosure.form), str(disclosure.status), labels, says))
    return work.vault.digest(data_key, whole.encode(), purpose="copy")


def _text(value: Value) -> str:
    return value.isoformat() if isinstance(value, date) else repr(value)


def _said(assessment: Assessment, ruling: Ruling, *, days: Days, rulebook: Rulebook) -> Elements:
    ods = assessment.plan.ods
    return {
        **assessment.particulars.elements,
        **_own(days),
        Element.DUTY_DESK: rulebook.desks.of(ods, ruling.placement.desk),
        Element.AGENCY: rulebook.desks.organisation(ods),
    }


def _own(days: Days) -> Elements:
    own = {
        Element.PLACED: days.placed,
        Element.REVIEW_BY: days.review,
        Element.EXPIRES: days.expires,
    }
    return {element: day for element, day in own.items() if day is not None}


def _folded(said: Sequence[Elements]) -> Elements:
    """Returns one value of each element that any ground says, by `_FOLDS`."""
    return {
        element: fold([one[element] for one in said if element in one])
        for element, fold in _FOLDS.items()
        if any(element in one for one in said)
    }


def _union(values: Sequence[Any]) -> Value:
    return tuple(sorted({category for value in values for category in value}))


_FOLDS: Final[Mapping[Element, Callable[[Sequence[Any]], Value]]] = {
    Element.START: min,
    Element.END: max,
    Element.REVIEW_DUE: min,
    Element.EXPECTED_DATE: min,
    Element.PLAN_CATEGORY: _union,
}
"""The earliest start, the latest end, the soonest review and birth, and every category."""


def _desk(grounds: Sequence[Assessment], *, rulebook: Rulebook) -> Desk:
    """Returns the desk of the ground that began first, or a neutral one if any asks for it.

    It does not depend on which id a plan was given.
    """
    choices = [ground.told.placement.desk for ground in grounds]
    if DeskChoice.NEUTRAL in choices:
        return rulebook.desks.of("", DeskChoice.NEUTRAL)
    first = min(grounds, key=lambda one: (one.particulars.started or date.min, one.plan.ods))
    return rulebook.desks.of(first.plan.ods, DeskChoice.AGENCY)
