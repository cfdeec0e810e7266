"""What no policy may break, whatever an officer writes: each a name, a sentence and a check.

A check yields, in words, every answer of the policy that breaks it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from flagservice.domain.codes import CODES, NEUTRAL, Bearer
from flagservice.domain.elements import Element, Kind
from flagservice.domain.people import Knows, Phase, Role, Standing, State
from flagservice.policy import words
from flagservice.policy.case import Case
from flagservice.policy.readers import TOWARDS_PATIENT, Reader
from flagservice.policy.rows import ElementAction, ElementRule, PlacementAction
from flagservice.policy.ruling import Ruling
from flagservice.policy.sheet import Sheets, every_answer

ALLEGED: Final = (Standing.ALLEGED_PERPETRATOR, Standing.BOTH)
NOTIFICATIONS: Final = (Kind.PERPETRATOR, Kind.DOMESTIC_ABUSE_VICTIM, Kind.MARAC)
SOMEBODY_ELSES: Final = (
    Element.PLAN_CATEGORY,
    Element.START,
    Element.END,
    Element.REVIEW_DUE,
    Element.EXPECTED_DATE,
    Element.AGENCY,
)
_OF_THE_PLAN: Final = (Element.START, Element.END, Element.REVIEW_DUE)
SAYS_NOTHING: Final = (NEUTRAL.code, "contact-duty-desk")
_LONGEST: Final = 12
"""The months that an alleged perpetrator's own copy may stand."""


@dataclass(frozen=True)
class Invariant:
    """One promise of every policy."""

    name: str
    says: str
    breaches: Callable[[Sheets], Iterator[str]]


def _tells(ruling: Ruling, element: Element, *, reader: Reader = Reader.PRACTICE) -> str:
    rules = next(e.rules for e in ruling.elements if e.element is element)
    return (
        f"{' and '.join(rules)} tells {words.of_reader(reader)} {words.of_element(element)},"
        f" on the record of {words.of_record(ruling.case)}"
    )


def _places(ruling: Ruling, what: str) -> str:
    return f"{ruling.placement.id} {what} on the record of {words.of_record(ruling.case)}"


def _towards_patient(sheets: Sheets) -> Iterator[str]:
    yield from _told(sheets, TOWARDS_PATIENT)


def _others(sheets: Sheets) -> Iterator[str]:
    others = tuple(r for r in Reader if r not in (Reader.PRACTICE, *TOWARDS_PATIENT))
    yield from _told(sheets, others)


def _told(sheets: Sheets, forbidden: tuple[Reader, ...]) -> Iterator[str]:
    for readers, ruling in sheets.each():
        for reader in set(readers).intersection(forbidden) if ruling.disclosed else ():
            yield from (_tells(ruling, element, reader=reader) for element in ruling.disclosed)


def _is_own(case: Case) -> bool:
    """Is it the record of a child whose own plan or enquiry this is?"""
    if case.kind in NOTIFICATIONS:
        return False
    also_subject = case.kind in (Kind.SECTION_47, Kind.PRE_PROCEEDINGS)
    return case.role is Role.CHILD or (case.role is Role.SIBLING and also_subject)


def _somebody_elses(sheets: Sheets) -> Iterator[str]:
    for ruling in sheets.of_practice.values():
        if ruling.case.standing not in ALLEGED or _is_own(ruling.case):
            continue
        yield from (_tells(ruling, e) for e in ruling.disclosed if e in SOMEBODY_ELSES)
        if Element.DUTY_DESK in ruling.disclosed and ruling.placement.desk != "neutral":
            yield _places(ruling, "names the agency's desk")


def _neutral(sheets: Sheets) -> Iterator[str]:
    for ruling in sheets.of_practice.values():
        alleged = ruling.case.kind in NOTIFICATIONS and ruling.case.standing in ALLEGED
        if alleged and ruling.placement.code not in (None, *SAYS_NOTHING):
            yield _places(ruling, f"puts the code {ruling.placement.code}")


def _goes_away(sheets: Sheets) -> Iterator[str]:
    for ruling in sheets.of_practice.values():
        alleged = ruling.case.kind in NOTIFICATIONS and ruling.case.standing in ALLEGED
        if not alleged or ruling.placement.action is not PlacementAction.PLACE:
            continue
        row = ruling.placement
        months = int(row.expires.split()[0]) if row.expires else _LONGEST + 1
        if months > _LONGEST or row.after_end != "retract":
            yield _places(ruling, "places a copy that stays")


def _knows_most(sheets: Sheets) -> Iterator[str]:
    for case, ruling in sheets.of_practice.items():
        for knows, less in pairwise(Knows):
            if case.knows is less:
                better = sheets.of_practice[replace(case, knows=knows)]
                yield from _more_than(ruling, better)


def _more_than(ruling: Ruling, better: Ruling) -> Iterator[str]:
    """Where the holder who knows less would be told more, or more tellingly."""
    yield from (_tells(ruling, e) for e in ruling.disclosed if e not in better.disclosed)
    if not ruling.remains:
        return
    if not better.remains:
        yield _places(ruling, f"says {ruling.placement.action}")
        return
    mine, theirs = ruling.placement, better.placement
    if mine.code not in (theirs.code, *SAYS_NOTHING):
        yield _places(ruling, f"puts the code {mine.code}")
    if mine.desk == "agency" and theirs.desk == "neutral":
        yield _places(ruling, "names the agency's desk")


def _bearers(sheets: Sheets) -> Iterator[str]:
    for ruling in sheets.of_practice.values():
        row, case = ruling.placement, ruling.case
        for code in filter(None, (row.code, row.end_code)):
            if not _may_bear(CODES[code].bearer, case):
                yield _places(ruling, f"puts the code {code}, which is {CODES[code].bearer}'s,")


def _may_bear(bearer: Bearer, case: Case) -> bool:
    match bearer:
        case Bearer.CHILD:
            return case.role in (Role.CHILD, Role.SIBLING)
        case Bearer.MOTHER:
            return case.role is Role.MOTHER
        case Bearer.VICTIM:
            return case.standing is Standing.VICTIM
        case Bearer.ANYBODY:  # pragma: no branch, a closed set
            return True


def _ruled_on(sheets: Sheets) -> Iterator[str]:
    for readers, ruling in sheets.each():
        for element in ruling.elements:
            if not element.rules:
                yield (
                    f"no rule says whether {words.of_reader(readers[0])} is told"
                    f" {words.of_element(element.element)}, on the record of"
                    f" {words.of_record(ruling.case)}"
                )


_TELL_ALL: Final = ElementRule(
    id="ZZ-D99",
    roles="any",  # type: ignore[arg-type]  # the words of a file
    standings="any",  # type: ignore[arg-type]
    knows="any",  # type: ignore[arg-type]
    states="any",  # type: ignore[arg-type]
    elements="any",  # type: ignore[arg-type]
    phases="any",  # type: ignore[arg-type]
    readers="any",  # type: ignore[arg-type]
    action=ElementAction.DISCLOSE,
    because="The widest rule that anybody could add.",
    source=["S01 J"],
)


def _adding(sheets: Sheets) -> Iterator[str]:
    """By trial: the widest rule there is, added to the file. Every narrower one tells less."""
    policy = sheets.policy
    widened = every_answer(replace(policy, disclosures=(*policy.disclosures, _TELL_ALL)))
    for (readers, before), (_, after) in zip(sheets.each(), widened.each(), strict=True):
        more = [element for element in after.disclosed if element not in before.disclosed]
        yield from (f"one more rule, and {_tells(after, e, reader=readers[0])}" for e in more)


def _waiting(sheets: Sheets) -> Iterator[str]:
    for ruling in sheets.of_practice.values():
        open_question = ruling.case.state in (State.UNCONFIRMED, State.DECLINED)
        if open_question and ruling.remains:
            yield _places(ruling, f"says {ruling.placement.action}")


def _requests(sheets: Sheets) -> Iterator[str]:
    for ruling in sheets.of_practice.values():
        if ruling.placement.action is PlacementAction.REQUEST:
            beyond = set(ruling.disclosed) - {Element.DUTY_DESK, Element.AGENCY}
            yield from (_tells(ruling, element) for element in sorted(beyond))


def _plans_days(sheets: Sheets) -> Iterator[str]:
    for ruling in sheets.of_practice.values():
        if ruling.case.role is not Role.CHILD:
            yield from (_tells(ruling, e) for e in ruling.disclosed if e in _OF_THE_PLAN)


def _ended(sheets: Sheets) -> Iterator[str]:
    for case, ruling in sheets.of_practice.items():
        if case.phase is Phase.ENDED:
            while_open = sheets.of_practice[replace(case, phase=Phase.OPEN)].disclosed
            more = [e for e in ruling.disclosed if e not in (*while_open, Element.END)]
            yield from (_tells(ruling, element) for element in more)


def _confidentiality(sheets: Sheets) -> Iterator[str]:
    told = {row.id: "V" in row.labels for row in sheets.policy.placements if row.labels}
    if len(set(told.values())) > 1:
        yield f"R and V both stand in this file: {', '.join(id_ for id_, v in told.items() if v)}"


INVARIANTS: Final = (
    Invariant(
        "nothing towards a patient",
        "The patient's own view, a proxy, a printout, an insurer or a notification is told nothing,"
        " ever.",
        _towards_patient,
    ),
    Invariant(
        "only the practice reads", "Nobody but the practice's own clinicians is told.", _others
    ),
    Invariant(
        "nothing of somebody else's",
        "On an alleged perpetrator's record nothing stands that comes from somebody else: no date,"
        " category, name, place, count or contact but the policy's neutral desk.",
        _somebody_elses,
    ),
    Invariant(
        "a neutral code",
        "A notification puts no code on an alleged perpetrator's record but a neutral one.",
        _neutral,
    ),
    Invariant(
        "a copy that goes away",
        "A notification's copy on an alleged perpetrator's record expires within 12 months and"
        " leaves nothing.",
        _goes_away,
    ),
    Invariant(
        "unknown is never more than knows",
        "Whoever is less sure to have been told is never told more on their record.",
        _knows_most,
    ),
    Invariant(
        "a code on the record it speaks of",
        "An unborn child's code stands on the mother's record alone, a child's on a child's, a"
        " victim's on a victim's.",
        _bearers,
    ),
    Invariant(
        "every element and every case is ruled on",
        "For each case, element and reader some rule says what happens, with its reason.",
        _ruled_on,
    ),
    Invariant(
        "adding a rule never discloses more",
        "Whatever is not told is redacted by a rule, so that no rule added later can tell it.",
        _adding,
    ),
    Invariant(
        "nothing before the decision",
        "Where the person may be somebody else, or it was decided against, nothing is told.",
        _waiting,
    ),
    Invariant(
        "a request asks to ring", "A request says whom to ring, and nothing else.", _requests
    ),
    Invariant(
        "the plan's days stay with the child",
        "A plan's own start, end and review day stand on the child's record alone.",
        _plans_days,
    ),
    Invariant(
        "the end tells no more",
        "Once it has ended nothing is told that was not told before, but the day it ended.",
        _ended,
    ),
    Invariant(
        "confidentiality follows the kind",
        "Every copy of one kind has the same confidentiality: a difference would tell who knows.",
        _confidentiality,
    ),
)
