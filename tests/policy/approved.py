"""Reads the approved tables, independently of the program that prints its own.

The approved text is expanded to one answer for each case; the policy is asked for each case; the
two are compared cell by cell.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from pathlib import Path

from flagservice.domain.people import Phase
from flagservice.policy.case import Case, every_case
from flagservice.policy.ruling import rule_on
from flagservice.policy.table import Policy

HOME = Path(__file__).parents[2]
STATES = ("included", "excluded", "unconfirmed", "approved", "declined")
STANDINGS = ("neither", "victim", "alleged-perpetrator", "both")
KNOWS = ("knows", "presumed", "unknown", "must-not-know")
RECORDS = ("child", "sibling", "mother", "father", "parent", "partner")
Cell = tuple[str, str, str, str]
"""record, state, standing, knows"""


@dataclass(frozen=True)
class Answer:
    """All that an approved table says of one case."""

    action: str
    details: str = ""
    open: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()


def approved_text(kind: str) -> str:
    return (HOME / f"tests/policies/{kind}.txt").read_text("utf-8")


def policy_text(kind: str) -> str:
    """The newest version: the one that is shipped."""
    return policy_file(kind).read_text("utf-8")


def policy_file(kind: str) -> Path:
    return max((HOME / "policies" / kind).glob("v*.toml"), key=lambda path: int(path.stem[1:]))


@cache
def approved(text: str) -> dict[Cell, Answer]:
    """Every cell of an approved table; a cell that stands twice, or never, is an error."""
    found: dict[Cell, Answer] = {}
    record, cells = "", list[Cell]()
    for line in text.splitlines()[1:]:
        if line.startswith("== "):
            record = line.removeprefix("== ")
        elif line.startswith("    "):
            for cell in cells:
                found[cell] = _with(found.get(cell), line.split(maxsplit=1))
        elif line:
            cells = list(_cells(record, line))
            assert not found.keys() & set(cells), line
    assert found.keys() == set(product(RECORDS, STATES, STANDINGS, KNOWS))
    return found


def _cells(record: str, line: str) -> Iterator[Cell]:
    listed = [part.split(", ") for part in line.split(" / ")]
    every = (STATES, STANDINGS, KNOWS)
    for words in product(
        *(all_ if part == ["any"] else part for part, all_ in zip(listed, every, strict=True))
    ):
        yield (record, *words)


def _with(answer: Answer | None, line: list[str]) -> Answer:
    verb, rest = line[0], line[1] if len(line) > 1 else ""
    if answer is None:
        return Answer(verb, rest)
    told = () if rest == "nothing" else tuple(rest.split(", "))
    assert verb in ("open", "ended")
    return replace(answer, open=told) if verb == "open" else replace(answer, ended=told)


def answered(policy: Policy) -> dict[Cell, Answer]:
    """What the policy's own rulings say of every case, in both phases."""
    found: dict[Cell, Answer] = {}
    for case in every_case(policy.kind):
        cell = (str(case.role), str(case.state), str(case.standing), str(case.knows))
        ruling = rule_on(policy, case)
        answer = found.setdefault(
            cell, Answer(str(ruling.placement.action), _details(policy, case))
        )
        told = tuple(map(str, ruling.disclosed))
        if case.phase is Phase.OPEN:
            found[cell] = replace(answer, open=told)
        else:
            found[cell] = replace(answer, ended=told)
    return found


def _details(policy: Policy, case: Case) -> str:
    row = policy.placement_of[case]
    if row.action == "withhold":
        return ""
    if row.action == "hold":
        return f"{row.owner}; due {row.due}; then {row.then}"
    parts = [f"{row.code} until {row.end_code or 'status'}" if row.action == "place" else row.code]
    parts.append(f"review {row.review}")
    if row.expires:
        parts.append(f"expires {row.expires}, warn {row.warn}")
    assert {"NOPAT", "PERSISTLABEL"} < set(row.labels)
    (confidentiality,) = set(row.labels) - {"NOPAT", "PERSISTLABEL"}
    parts += [
        f"then {row.after_end}",
        f"desk {row.desk}",
        f"labels NOPAT {confidentiality} PERSISTLABEL",
    ]
    return "; ".join(map(str, parts))


def differences(policy: Policy) -> set[Cell]:
    """The cells in which the policy does not answer as was approved."""
    wanted, found = approved(approved_text(policy.kind)), answered(policy)
    return {cell for cell, answer in wanted.items() if found[cell] != answer}


def changed(text: str, id_: str, old: str, new: str) -> str:
    """The policy's text with one line of one row changed."""
    before, start, rest = text.partition(f'id = "{id_}"\n')
    row, end, after = rest.partition("\n[[")
    assert row.count(old) == 1, (id_, old)
    return before + start + row.replace(old, new) + end + after
