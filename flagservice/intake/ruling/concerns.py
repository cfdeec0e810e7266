"""Puts together what is told of one person: one flag for one concern, whoever stands behind it.

A concern is a kind, a code and, where the record may be told it, the agency. A flag stands on its
grounds. Grounds that follow each other without a gap are one episode: an open one is an active
flag, and one that has ended is history. Nothing here asks the database.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import product
from typing import Final, TypeAlias

from flagservice.domain.copies import CopyStatus, Form
from flagservice.domain.elements import AFTER_BIRTH, Element, Kind
from flagservice.domain.people import Phase
from flagservice.domain.plausibility.dates import OVERDUE, PREGNANCY
from flagservice.intake.rulebook import Rulebook
from flagservice.intake.ruling.assessment import Assessment
from flagservice.intake.ruling.decisions import DecidedRuling
from flagservice.intake.ruling.person_files import PersonFile
from flagservice.policy.disclosure import disclosed_by_all, form_of
from flagservice.policy.ruling import rule_on
from flagservice.store import tables

_ONE_DAY: Final = timedelta(days=1)


Words: TypeAlias = tuple[str, Kind]
"""What a plan says of the person: its naming's id, and the kind by which it is ruled on."""


@dataclass(frozen=True)
class Concern:
    """What a flag is about; `agency` is None where the record is not told it.

    `kind` is the plan's once the child is born, so that a flag goes on through a birth: another
    flag would tell its practice the day on which the birth was reported.
    """

    kind: Kind
    code: str
    form: Form
    agency: str | None


@dataclass(frozen=True)
class Episode:
    """One unbroken time of a concern, and so one flag.

    `grounds` say what it tells. `besides` add nothing: what ended within its time, and what a side
    is asked about while others are settled.
    """

    concern: Concern
    grounds: tuple[Assessment, ...]
    besides: tuple[Assessment, ...] = ()

    @property
    def open(self) -> bool:
        """Whether it goes on."""
        return _is_open(self.grounds[0])

    @property
    def asked(self) -> bool:
        """Whether a side is asked about every ground: then it only keeps what stands."""
        return self.open and all(ground.asked for ground in self.grounds)

    @property
    def words(self) -> set[Words]:
        """All words that are part of it."""
        return {one.said_as for one in (*self.grounds, *self.besides)}

    @property
    def is_dated(self) -> bool:
        """Whether the record is told when it began or ended."""
        told = disclosed_by_all([ground.told for ground in self.grounds])
        return Element.START in told or Element.END in told


def episodes(assessments: Iterable[Assessment]) -> list[Episode]:
    """Returns every episode of one person: the open ones first, history by its days.

    Undated history of one code is one, however often and from whomever it was.
    """
    by_concern: dict[Concern, list[Assessment]] = {}
    for one in assessments:
        if one.tells:
            by_concern.setdefault(_concern_of(one), []).append(one)
    found = [
        _episode(concern, run) for concern, told in by_concern.items() for run in _unbroken(told)
    ]
    open_ = [one for one in found if one.open]
    history = [one for one in found if not one.open]
    dated = sorted((one for one in history if one.is_dated), key=_first_day)
    return [
        *sorted(open_, key=lambda one: one.asked),
        *dated,
        *_undated(one for one in history if not one.is_dated),
    ]


def in_doubt(assessments: Iterable[Assessment]) -> set[str]:
    """Returns the codes of which something is held or withheld: no end may deny them.

    A role counts only for the codes that its records can get.
    """
    return {
        row.code
        for one in assessments
        if _is_open(one) and not one.withdrawn and (one.asked or not one.told.remains)
        for row in one.told.policy.placements
        if row.code is not None and one.particulars.role in row.roles
    }


def former(
    file: PersonFile, assessments: Iterable[Assessment], *, rulebook: Rulebook
) -> list[Assessment]:
    """Returns what plans said before and say no more, ruled on as ended.

    An unborn child's plan goes on as the child's own. What the mother's record was told is history
    by the unborn kind's policy, as long as her whole state lets it be. A plan that was opened again
    had an earlier time; a time that a newer version dates anew was none of its own.
    """
    now = {one.naming.id: one for one in assessments}
    told = {
        (ground.naming_id, ground.kind) for copy in file.copies for ground in file.grounds[copy.id]
    }
    kinds = [
        _as_ended(now[naming_id], kind, rulebook=rulebook)
        for naming_id, kind in sorted(told)
        if kind is not now[naming_id].particulars.kind
    ]
    earlier = [
        _as_ended(one, one.particulars.kind, rulebook=rulebook, start=start, end=end)
        for one in now.values()
        for start, end in _earlier(one)
    ]
    return [*kinds, *earlier]


def _earlier(one: Assessment) -> Iterator[tuple[date, date]]:
    since = one.particulars.started
    for _, kind, start, end in sorted(one.particulars.earlier, reverse=True):
        if since is not None and end < since and kind is one.particulars.kind:
            yield start, end
            since = start


def _as_ended(
    now: Assessment,
    kind: Kind,
    *,
    rulebook: Rulebook,
    start: date | None = None,
    end: date | None = None,
) -> Assessment:
    case = replace(now.told.case, kind=kind, phase=Phase.ENDED)
    decided = DecidedRuling(case, rule_on(rulebook.policies[kind], case))
    said = dict(now.particulars.elements)
    if start is not None and end is not None:
        said |= {Element.START: start, Element.END: end}
    particulars = replace(
        now.particulars,
        kind=kind,
        phase=Phase.ENDED,
        started=start or now.particulars.started,
        elements=said,
    )
    return replace(
        now,
        particulars=particulars,
        decided=decided,
        own_decided=decided,
        widening=None,
        former=True,
    )


def carry_on(
    file: PersonFile, assessments: Iterable[Assessment], *, rulebook: Rulebook
) -> list[tables.GroundRow]:
    """Gives grounds of a former kind the kind of now, and returns those that changed.

    Only what puts the same code on the record in the same form goes on.
    """
    now = {one.naming.id: one for one in assessments}
    changed = []
    for copy in file.standing_copies():
        for ground in file.grounds[copy.id]:
            one = now[ground.naming_id]
            if not ground.former and _goes_on(ground.kind, one, rulebook=rulebook):
                ground.kind = one.particulars.kind
                changed.append(ground)
    return changed


def _goes_on(before: Kind, now: Assessment, *, rulebook: Rulebook) -> bool:
    if before is now.particulars.kind or not now.tells:
        return False
    case = replace(now.told.case, kind=before)
    earlier = rule_on(rulebook.policies[before], case)
    same = earlier.placement.code == now.told.placement.code
    return same and form_of(earlier) == form_of(now.told)


def succession(
    found: Sequence[Episode],
    copies: Iterable[tables.CopyRow],
    *,
    grounds: Mapping[str, Collection[Words]],
    says: Callable[[Episode, tables.CopyRow], bool],
) -> dict[int, tables.CopyRow]:
    """Returns the copy that goes on for each episode, by the episode's place.

    `grounds` are the words behind each copy. `says` is whether a copy that is history already says
    what an episode would: that tells two of one plan apart. Episodes that are asked about come
    last.
    """
    free = {copy.id: copy for copy in sorted(copies, key=lambda copy: (copy.placed, copy.id))}
    taken: dict[int, tables.CopyRow] = {}
    for asked, closeness in product((False, True), range(_FURTHEST)):
        for place, episode in enumerate(found):
            if place in taken or episode.asked is not asked:
                continue
            for copy in free.values():
                if _closeness(episode, copy, grounds[copy.id], says=says) == closeness:
                    taken[place] = free.pop(copy.id)
                    break
    return taken


_FURTHEST: Final = 7


def _closeness(
    episode: Episode,
    copy: tables.CopyRow,
    behind: Collection[Words],
    *,
    says: Callable[[Episode, tables.CopyRow], bool],
) -> int:
    """Returns how near a copy is to an episode: less is nearer, and `_FURTHEST` is too far.

    An active flag of the very concern goes on for whoever comes to stand behind it.
    """
    concern = episode.concern
    same = copy.agency == concern.agency and copy.code == concern.code
    shared = not episode.words.isdisjoint(behind)
    alike = (copy.status is CopyStatus.ACTIVE) is episode.open
    handed_on = same and alike and episode.open and not episode.asked
    if (copy.kind, copy.form) != (concern.kind, concern.form) or not (shared or handed_on):
        return _FURTHEST
    if copy.code != concern.code:
        return 5 if alike else 6
    if not alike:
        return 3 if same else 4
    if not episode.open and says(episode, copy):
        return 0
    return 1 if same else 2


def _concern_of(one: Assessment) -> Concern:
    """Returns what an assessment is about; where it has ended, as if it were open."""
    open_ = one.told
    if open_.case.phase is Phase.ENDED:
        open_ = rule_on(open_.policy, replace(open_.case, phase=Phase.OPEN))
    agency = one.plan.ods if Element.AGENCY in open_.disclosed else None
    row = one.told.placement
    kind = Kind(one.plan.kind)
    return Concern(AFTER_BIRTH.get(kind, kind), str(row.code), form_of(one.told), agency)


def _episode(concern: Concern, run: Sequence[Assessment]) -> Episode:
    open_ = [one for one in run if _is_open(one)]
    grounds = [one for one in open_ if not one.asked] or open_ or run
    besides = tuple(one for one in run if not any(one is ground for ground in grounds))
    return Episode(concern, tuple(grounds), besides)


def _undated(history: Iterable[Episode]) -> list[Episode]:
    together: dict[Concern, list[Episode]] = {}
    for one in history:
        together.setdefault(replace(one.concern, agency=None), []).append(one)
    return [
        Episode(concern, tuple(ground for one in parts for ground in one.grounds))
        for concern, parts in together.items()
    ]


def _unbroken(told: Iterable[Assessment]) -> Iterator[list[Assessment]]:
    """Yields those that follow each other without a gap, in the order of their first days."""
    run: list[Assessment] = []
    until = date.min
    for one in sorted(told, key=_by_start):
        first, last = _days(one)
        if run and first - _ONE_DAY > until:
            yield run
            run = []
        run.append(one)
        until = last if len(run) == 1 else max(until, last)
    yield run


def _by_start(one: Assessment) -> tuple[date, str, str]:
    """Returns a sort key. The random id comes last, where it does not show."""
    return _days(one)[0], one.plan.ods, one.naming.id


def _first_day(episode: Episode) -> date:
    return min(_days(ground)[0] for ground in episode.grounds)


def _days(one: Assessment) -> tuple[date, date]:
    """Returns the first and the last day. What is not known may be any day.

    What was told of an unborn child ends by the latest possible birth: the real day is told to no
    other record.
    """
    start, end = one.particulars.started, one.particulars.elements.get(Element.END)
    first = start or date.min + _ONE_DAY
    last = end if isinstance(end, date) and not _is_open(one) else date.max
    if one.former and start is not None and one.particulars.kind in AFTER_BIRTH:
        last = min(last, start + PREGNANCY + OVERDUE)
    return first, last


def _is_open(one: Assessment) -> bool:
    return one.told.case.phase is Phase.OPEN
