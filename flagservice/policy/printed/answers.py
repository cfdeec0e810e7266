"""Prints every answer that a policy can ever give, for the officer who signs it.

Cases with the same answer are joined: states first, then standings, then knows. With `owned`, a
line below each answer says what in it rests on judgement (J) or awaits confirmation (C). The codes
follow, each with where it was seen.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from enum import StrEnum
from functools import partial
from typing import TypeVar

from flagservice.domain.copies import Label
from flagservice.domain.people import RECORDS, Knows, Phase, Role, Standing, State
from flagservice.policy.case import Case
from flagservice.policy.printed.owned import code_lines, own_lines
from flagservice.policy.rows import Placement, PlacementAction
from flagservice.policy.ruling import Ruling, rule_on
from flagservice.policy.table import Policy

W = TypeVar("W", bound=StrEnum)
PrintedAnswer = tuple[str, ...]


def table(policy: Policy, *, owned: bool = False) -> str:
    """Returns the printed table: one block for each record, in a fixed order and form."""
    blocks = [f"# {policy.name if owned else policy.kind}\n"]
    for role in RECORDS:
        block = _block(policy, role, owned=owned)
        blocks.append(f"\n== {role}\n" + "".join(f"{line}\n" for line in block))
    if owned:
        blocks.append("\n== codes\n" + "".join(f"{line}\n" for line in code_lines(policy)))
    return "".join(blocks)


def _block(policy: Policy, role: Role, *, owned: bool) -> Iterator[str]:
    def answer(state: State, standing: Standing, knows: Knows) -> PrintedAnswer:
        case = Case(policy.kind, role, standing, knows, state, Phase.OPEN)
        return answer_lines(policy, case) + (own_lines(policy, case) if owned else ())

    def row(state: State, standing: Standing) -> tuple[PrintedAnswer, ...]:
        return tuple(answer(state, standing, knows) for knows in Knows)

    def sheet(state: State) -> tuple[tuple[PrintedAnswer, ...], ...]:
        return tuple(row(state, standing) for standing in Standing)

    for states in _alike(tuple(State), sheet):
        for standings in _alike(tuple(Standing), partial(row, states[0])):
            for knows in _alike(tuple(Knows), partial(answer, states[0], standings[0])):
                listed = (_list(states, State), _list(standings, Standing), _list(knows, Knows))
                yield " / ".join(listed)
                yield from answer(states[0], standings[0], knows[0])


def _alike(words: tuple[W, ...], answer: Callable[[W], object]) -> list[list[W]]:
    groups: dict[object, list[W]] = {}
    for word in words:
        groups.setdefault(answer(word), []).append(word)
    return list(groups.values())


def _list(words: Sequence[StrEnum], of: type[StrEnum]) -> str:
    return "any" if len(words) == len(of) else ", ".join(words)


def answer_lines(policy: Policy, case: Case) -> PrintedAnswer:
    """Returns the lines for one case, open and ended together."""
    ruling = rule_on(policy, replace(case, phase=Phase.OPEN))
    row = ruling.placement
    match row.action:
        case PlacementAction.WITHHOLD:
            return (_line("withhold"),)
        case PlacementAction.HOLD:
            return (_line("hold", f"{row.owner}; due {row.due}; then {row.then}"),)
        case PlacementAction.PLACE | PlacementAction.REQUEST:  # pragma: no branch, a closed set
            ended = rule_on(policy, replace(case, phase=Phase.ENDED))
            return (
                _line(row.action, _placed(row)),
                _line("open", _says(ruling)),
                _line("ended", _says(ended)),
            )


def _line(verb: str, rest: str = "") -> str:
    return f"    {verb:<9}{rest}".rstrip()


def _placed(row: Placement) -> str:
    code = str(row.code)
    if row.action is PlacementAction.PLACE:
        code += f" until {row.end_code or 'status'}"
    expires = f"expires {row.expires}, warn {row.warn}; " if row.expires else ""
    return (
        f"{code}; review {row.review}; {expires}then {row.after_end};"
        f" desk {row.desk}; labels {' '.join(sorted(row.labels, key=_LABEL_ORDER.index))}"
    )


_LABEL_ORDER = (Label.NOPAT, Label.RESTRICTED, Label.VERY_RESTRICTED, Label.PERSISTLABEL)


def _says(ruling: Ruling) -> str:
    return ", ".join(ruling.disclosed) or "nothing"
