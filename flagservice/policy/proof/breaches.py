"""What would break a promise of every policy. Each check yields, in words, every answer that does.

The promises are listed, with their names, in `invariants`.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Final

from flagservice.domain.codes import CODES, NEUTRAL, Bearer
from flagservice.domain.copies import Label
from flagservice.domain.elements import NOTIFICATIONS, Element, Kind
from flagservice.domain.holds import Owner
from flagservice.domain.people import Knows, Phase, Role, Standing, State
from flagservice.policy.case import Case
from flagservice.policy.printed import words
from flagservice.policy.proof.sheet import AnswerSheets, every_answer
from flagservice.policy.readers import TOWARDS_PATIENT, Reader
from flagservice.policy.rows import (
    AfterEnd,
    DeskChoice,
    ElementAction,
    ElementRule,
    PlacementAction,
)
from flagservice.policy.ruling import Ruling

ALLEGED: Final = (Standing.ALLEGED_PERPETRATOR, Standing.BOTH)
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
_ALSO_SUBJECTS: Final = (
    Kind.SECTION_47,
    Kind.PRE_PROCEEDINGS,
    Kind.UNBORN_SECTION_47,
    Kind.UNBORN_PRE_PROCEEDINGS,
)
"""The kinds of enquiry of which a sibling may be a subject, too."""
_LONGEST: Final = 12
"""The months that an alleged perpetrator's own copy may stand."""


def _tells(ruling: Ruling, element: Element, *, reader: Reader = Reader.PRACTICE) -> str:
    rules = next(e.rules for e in ruling.elements if e.element is element)
    return (
        f"{' and '.join(rules)} tells {words.of_reader(reader)} {words.of_element(element)},"
        f" on the record of {words.of_record(ruling.case)}"
    )


def _places(ruling: Ruling, what: str) -> str:
    return f"{ruling.placement.id} {what} on the record of {words.of_record(ruling.case)}"


def towards_patient(sheets: AnswerSheets) -> Iterator[str]:
    """Yields what a patient-facing reader is told."""
    yield from _told(sheets, TOWARDS_PATIENT)


def others(sheets: AnswerSheets) -> Iterator[str]:
    """Yields what any other reader but the practice is told."""
    others = tuple(r for r in Reader if r not in (Reader.PRACTICE, *TOWARDS_PATIENT))
    yield from _told(sheets, others)


def _told(sheets: AnswerSheets, forbidden: tuple[Reader, ...]) -> Iterator[str]:
    for readers, ruling in sheets.each():
        for reader in set(readers).intersection(forbidden) if ruling.disclosed else ():
            yield from (_tells(ruling, element, reader=reader) for element in ruling.disclosed)


def _is_own(case: Case) -> bool:
    """Returns whether it is the record of a child whose own plan or enquiry this is."""
    if case.kind in NOTIFICATIONS:
        return False
    return case.role is Role.CHILD or (case.role is Role.SIBLING and case.kind in _ALSO_SUBJECTS)


def somebody_elses(sheets: AnswerSheets) -> Iterator[str]:
    """Yields what comes from somebody else, on an alleged perpetrator's record."""
    for ruling in sheets.of_practice.values():
        if ruling.case.standing not in ALLEGED or _is_own(ruling.case):
            continue
        yield from (_tells(ruling, e) for e in ruling.disclosed if e in SOMEBODY_ELSES)
        if (
            Element.DUTY_DESK in ruling.disclosed
            and ruling.placement.desk is not DeskChoice.NEUTRAL
        ):
            yield _places(ruling, "names the agency's desk")


def neutral(sheets: AnswerSheets) -> Iterator[str]:
    """Yields codes of a notification on an alleged perpetrator's record that are not neutral."""
    for ruling in sheets.of_practice.values():
        if _is_accused(ruling.case) and ruling.placement.code not in (None, *SAYS_NOTHING):
            yield _places(ruling, f"puts the code {ruling.placement.code}")


def goes_away(sheets: AnswerSheets) -> Iterator[str]:
    """Yields copies of a notification that stay on an alleged perpetrator's record."""
    for ruling in sheets.of_practice.values():
        if not _is_accused(ruling.case) or ruling.placement.action is not PlacementAction.PLACE:
            continue
        row = ruling.placement
        months = int(row.expires.split()[0]) if row.expires else _LONGEST + 1
        if months > _LONGEST or row.after_end is not AfterEnd.RETRACT:
            yield _places(ruling, "places a copy that stays")


def _is_accused(case: Case) -> bool:
    """Returns whether a notification is ruled on for somebody accused who is no victim."""
    return case.kind in NOTIFICATIONS and case.standing is Standing.ALLEGED_PERPETRATOR


_MARKER: Final = frozenset({Element.CONCERN, Element.DUTY_DESK})


def counter_allegations(sheets: AnswerSheets) -> Iterator[str]:
    """Yields where a victim's marker falls, or says more, because the victim is accused, too."""
    for case, ruling in sheets.of_practice.items():
        if case.kind not in NOTIFICATIONS or case.standing is not Standing.BOTH:
            continue
        victim = sheets.of_practice[replace(case, standing=Standing.VICTIM)]
        flag = victim.placement.action is PlacementAction.PLACE and case.phase is Phase.OPEN
        if flag and ruling.placement.code != victim.placement.code:
            yield _places(ruling, "does not keep the victim's marker")
        yield from (_tells(ruling, e) for e in ruling.disclosed if e not in _MARKER)


def knows_most(sheets: AnswerSheets) -> Iterator[str]:
    """Yields where a holder who knows less is told more."""
    for case, ruling in sheets.of_practice.items():
        for knows, less in pairwise(Knows):
            if case.knows is less:
                better = sheets.of_practice[replace(case, knows=knows)]
                yield from _more_than(ruling, better)


def _more_than(ruling: Ruling, better: Ruling) -> Iterator[str]:
    """Yields where the holder who knows less would be told more, or more tellingly."""
    yield from (_tells(ruling, e) for e in ruling.disclosed if e not in better.disclosed)
    if not ruling.remains:
        return
    if not better.remains:
        yield _places(ruling, f"says {ruling.placement.action}")
        return
    mine, theirs = ruling.placement, better.placement
    if mine.code not in (theirs.code, *SAYS_NOTHING):
        yield _places(ruling, f"puts the code {mine.code}")
    if mine.desk is DeskChoice.AGENCY and theirs.desk is DeskChoice.NEUTRAL:
        yield _places(ruling, "names the agency's desk")


def bearers(sheets: AnswerSheets) -> Iterator[str]:
    """Yields codes on records that they do not speak of."""
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
            return case.standing in (Standing.VICTIM, Standing.BOTH)
        case Bearer.ANYBODY:  # pragma: no branch, a closed set
            return True


def ends(sheets: AnswerSheets) -> Iterator[str]:
    """Yields rows that begin with a code that ends another."""
    ending = {code.ended_by for code in CODES.values() if code.ended_by is not None}
    for ruling in sheets.of_practice.values():
        if ruling.placement.code in ending:
            yield _places(ruling, f"begins with the code {ruling.placement.code}, which ends one,")


def births(sheets: AnswerSheets) -> Iterator[str]:
    """Yields expected dates on any record but the mother's."""
    for ruling in sheets.of_practice.values():
        if ruling.case.role is not Role.MOTHER and Element.EXPECTED_DATE in ruling.disclosed:
            yield _tells(ruling, Element.EXPECTED_DATE)


def asked_first(sheets: AnswerSheets) -> Iterator[str]:
    """Yields practices that are asked before the submitter has confirmed who it is."""
    for ruling in sheets.of_practice.values():
        owner = ruling.placement.owner
        if ruling.case.state is State.UNCONFIRMED and owner is Owner.PRACTICE:
            yield _places(ruling, "asks a practice")


def ruled_on(sheets: AnswerSheets) -> Iterator[str]:
    """Yields cells of which no rule speaks."""
    for readers, ruling in sheets.each():
        for element in ruling.elements:
            if not element.rules:
                yield (
                    f"no rule says whether {words.of_reader(readers[0])} is told"
                    f" {words.of_element(element.element)}, on the record of"
                    f" {words.of_record(ruling.case)}"
                )


_TELL_ALL: Final = ElementRule.model_validate(
    {
        "id": "ZZ-D99",
        **dict.fromkeys(("roles", "standings", "knows", "states"), "any"),
        **dict.fromkeys(("elements", "phases", "readers"), "any"),
        "action": ElementAction.DISCLOSE,
        "because": "The widest rule that anybody could add.",
        "source": ["S01 J"],
    }
)


def adding(sheets: AnswerSheets) -> Iterator[str]:
    """Yields what the widest possible rule, added to the file, would tell.

    Every narrower rule tells less.
    """
    policy = sheets.policy
    widened = every_answer(replace(policy, disclosures=(*policy.disclosures, _TELL_ALL)))
    for (readers, before), (_, after) in zip(sheets.each(), widened.each(), strict=True):
        more = [element for element in after.disclosed if element not in before.disclosed]
        yield from (f"one more rule, and {_tells(after, e, reader=readers[0])}" for e in more)


def waiting(sheets: AnswerSheets) -> Iterator[str]:
    """Yields what is told before a decision, or against it."""
    for ruling in sheets.of_practice.values():
        open_question = ruling.case.state in (State.UNCONFIRMED, State.DECLINED)
        if open_question and ruling.remains:
            yield _places(ruling, f"says {ruling.placement.action}")


def requests(sheets: AnswerSheets) -> Iterator[str]:
    """Yields what a request says beyond whom to ring."""
    for ruling in sheets.of_practice.values():
        if ruling.placement.action is PlacementAction.REQUEST:
            beyond = set(ruling.disclosed) - {Element.DUTY_DESK, Element.AGENCY}
            yield from (_tells(ruling, element) for element in sorted(beyond))


def plans_days(sheets: AnswerSheets) -> Iterator[str]:
    """Yields the plan's own days on any record but the child's."""
    for ruling in sheets.of_practice.values():
        if ruling.case.role is not Role.CHILD:
            yield from (_tells(ruling, e) for e in ruling.disclosed if e in _OF_THE_PLAN)


def ended(sheets: AnswerSheets) -> Iterator[str]:
    """Yields what is told only once it has ended."""
    for case, ruling in sheets.of_practice.items():
        if case.phase is Phase.ENDED:
            while_open = sheets.of_practice[replace(case, phase=Phase.OPEN)].disclosed
            more = [e for e in ruling.disclosed if e not in (*while_open, Element.END)]
            yield from (_tells(ruling, element) for element in more)


def confidentiality(sheets: AnswerSheets) -> Iterator[str]:
    """Yields files in which both R and V stand."""
    told = {
        row.id: Label.VERY_RESTRICTED in row.labels
        for row in sheets.policy.placements
        if row.labels
    }
    if len(set(told.values())) > 1:
        yield f"R and V both stand in this file: {', '.join(id_ for id_, v in told.items() if v)}"
