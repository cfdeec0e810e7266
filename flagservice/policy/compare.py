"""What would change: every answer in which two versions of a policy differ, widenings first.

A widening could tell a record more: an element, a flag where there was none, a code that says more,
an agency's desk for a neutral one, a longer life, R for V, a practice asked where the submitter
was. A changed code that is not neutral counts as one, too, since an officer has to look at it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from flagservice.domain.copies import Label
from flagservice.domain.elements import Element
from flagservice.domain.holds import Owner
from flagservice.domain.people import Role
from flagservice.policy.case import Case
from flagservice.policy.printed import words
from flagservice.policy.proof.breaches import SAYS_NOTHING
from flagservice.policy.proof.sheet import AnswerSheets, every_answer
from flagservice.policy.readers import Reader
from flagservice.policy.rows import AfterEnd, DeskChoice, Placement, PlacementAction
from flagservice.policy.ruling import Ruling
from flagservice.policy.table import Policy, UnusablePolicy

_ENDLESS: Final = 10**6


class Direction(StrEnum):
    """Which way an answer changes, in the order in which an officer reads."""

    WIDER = "wider"
    NARROWER = "narrower"
    OTHERWISE = "otherwise"


@dataclass(frozen=True)
class Difference:
    """One way in which an answer differs."""

    direction: Direction
    says: str


@dataclass(frozen=True)
class Change:
    """The same difference, in every case that has it."""

    difference: Difference
    cases: tuple[Case, ...]

    @property
    def roles(self) -> tuple[Role, ...]:
        """Returns whose records it is about."""
        return tuple(dict.fromkeys(case.role for case in self.cases))

    @property
    def example(self) -> str:
        """Returns one of the cases, in words."""
        return words.of_record(self.cases[0])


def compare(old: Policy, new: Policy) -> tuple[Change, ...]:
    """Returns every difference between two versions of one kind, widenings first."""
    if old.kind is not new.kind:
        raise UnusablePolicy(f"{old.name} and {new.name} are about different kinds")
    found: dict[Difference, list[Case]] = {}
    for case, difference in _differences(every_answer(old), every_answer(new)):
        found.setdefault(difference, []).append(case)
    changes = [Change(difference, tuple(cases)) for difference, cases in found.items()]
    order = list(Direction)
    return tuple(sorted(changes, key=lambda one: order.index(one.difference.direction)))


def _differences(old: AnswerSheets, new: AnswerSheets) -> Iterator[tuple[Case, Difference]]:
    before, after = old.by_reader(), new.by_reader()
    for reader, answers in after.items():
        for case, ruling in answers.items():
            was = before[reader][case]
            for difference in _told(was, ruling, reader=reader):
                yield case, difference
            if reader is Reader.PRACTICE:
                for difference in between(was.placement, ruling.placement):
                    yield case, difference


def _told(old: Ruling, new: Ruling, *, reader: Reader) -> Iterator[Difference]:
    who = words.of_reader(reader)
    for element in Element:
        was, is_ = element in old.disclosed, element in new.disclosed
        if is_ and not was:
            says = f"tells {who} {words.of_element(element)}"
            yield Difference(Direction.WIDER, says)
        if was and not is_:
            says = f"no longer tells {who} {words.of_element(element)}"
            yield Difference(Direction.NARROWER, says)


def between(old: Placement, new: Placement) -> Iterator[Difference]:
    """Yields what two placement rows answer differently, whatever is disclosed."""
    if old.action is not new.action:
        direction = Direction.WIDER if _reach(new) > _reach(old) else Direction.NARROWER
        yield Difference(direction, f"{new.action} instead of {old.action}")
    for name in ("code", "desk", "expires", "after_end", "labels", "owner"):
        was, is_ = _said(getattr(old, name)), _said(getattr(new, name))
        if was != is_ and (old.action is new.action or None not in (was, is_)):
            yield Difference(_direction(name, was=was, is_=is_), f"{name} {is_} instead of {was}")
    for name in ("review", "warn", "due", "then"):
        was, is_ = getattr(old, name), getattr(new, name)
        if was != is_ and old.action is new.action:
            yield Difference(Direction.OTHERWISE, f"{name} {is_} instead of {was}")


def _said(value: object) -> str | None:
    """Returns a word of a row, its labels as one text, or None where the row has none."""
    if isinstance(value, tuple):
        return " ".join(value) or None
    return None if value is None else str(value)


def _reach(row: Placement) -> int:
    order = (
        PlacementAction.WITHHOLD,
        PlacementAction.HOLD,
        PlacementAction.REQUEST,
        PlacementAction.PLACE,
    )
    return order.index(row.action)


def _direction(name: str, *, was: str | None, is_: str | None) -> Direction:
    if name == "code":
        wider = is_ not in SAYS_NOTHING
    elif name == "desk":
        wider = is_ == DeskChoice.AGENCY
    elif name == "expires":
        wider = _months(is_) > _months(was)
    elif name == "labels":
        wider = Label.VERY_RESTRICTED in str(was).split()
    elif name == "owner":
        wider = is_ == Owner.PRACTICE
    else:
        wider = is_ == AfterEnd.HISTORY
    return Direction.WIDER if wider else Direction.NARROWER


def _months(interval: str | None) -> int:
    return int(interval.split()[0]) if interval else _ENDLESS
