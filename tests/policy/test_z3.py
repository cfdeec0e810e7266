"""Z3, which nobody here wrote, proves the invariants over the same tables, or finds the case.

A file becomes one formula: who is told what. An invariant is proved where Z3 finds no case, reader
and element that break it. "Adding a rule" is any rule whatever: an unknown function of the case.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import z3

from flagservice.domain.elements import Kind
from tests.policy.approved import changed, policy_text
from tests.policy.raw import PHASES, WORDS, Row, phases_told, rows

PARTS = ("roles", "standings", "knows", "states", "phases", "elements", "readers")
SORTS = {part: z3.EnumSort(part, [f"{part}:{word}" for word in WORDS[part]]) for part in PARTS}
VALUE = {part: dict(zip(WORDS[part], values, strict=True)) for part, (_, values) in SORTS.items()}
ALLEGED = ("alleged-perpetrator", "both")
NOTIFICATIONS = ("perpetrator", "domestic-abuse-victim", "marac", "unborn-domestic-abuse")
ENQUIRIES = ("section-47", "pre-proceedings")
SOMEBODY_ELSES = ("plan-category", "start", "end", "review-due", "expected-date", "agency")
TOWARDS_PATIENT = ("patient", "proxy", "print", "insurer", "notification")
UNBORN = ("818901000000100", "878111000000109")


@dataclass(frozen=True)
class Cell:
    """One case, element and reader, as unknowns."""

    parts: dict[str, z3.ExprRef]

    def among(self, part: str, *words: str) -> z3.BoolRef:
        return z3.Or([self.parts[part] == VALUE[part][word] for word in words])

    def with_(self, **words: str) -> "Cell":
        return Cell({**self.parts, **{part: VALUE[part][word] for part, word in words.items()}})

    def matches(self, row: Row) -> z3.BoolRef:
        return z3.And([self.among(part, *row[part]) for part in PARTS if part in row])


ANY = Cell({part: z3.Const(f"any-{part}", sort) for part, (sort, _) in SORTS.items()})


@dataclass(frozen=True)
class Formula:
    """A policy file."""

    placements: list[Row]
    disclosures: list[Row]

    def told(self, cell: Cell) -> z3.BoolRef:
        """Does the placement tell this record anything?"""
        return z3.Or(
            [
                z3.And(cell.matches(row), cell.among("phases", *phases_told(row)))
                for row in self.placements
                if phases_told(row)
            ]
        )

    def some(self, action: str, cell: Cell) -> z3.BoolRef:
        return z3.Or([cell.matches(row) for row in self.disclosures if row["action"] == action])

    def discloses(self, cell: Cell, *, also: z3.BoolRef | bool = False) -> z3.BoolRef:
        """Is this element told to this reader, in this case?"""
        permitted = z3.Or(self.some("disclose", cell), also)
        return z3.And(self.told(cell), permitted, z3.Not(self.some("redact", cell)))

    def placed_by(self, cell: Cell, *, having: Callable[[Row], bool]) -> z3.BoolRef:
        rows_ = [row for row in self.placements if having(row)]
        return z3.Or([cell.matches(row) for row in rows_])


def formula_of(text: str) -> Formula:
    return Formula(*rows(text))


def broken(question: z3.BoolRef) -> z3.ModelRef | None:
    solver = z3.Solver()
    solver.add(question)
    return solver.model() if solver.check() == z3.sat else None


def own_record(kind: str) -> z3.BoolRef:
    if kind in NOTIFICATIONS:
        return z3.Or()
    if kind.removeprefix("unborn-") in ENQUIRIES:
        return ANY.among("roles", "child", "sibling")
    return ANY.among("roles", "child")


def towards_patient(file: Formula, kind: str) -> z3.BoolRef:
    return z3.And(file.discloses(ANY), ANY.among("readers", *TOWARDS_PATIENT))


def other_readers(file: Formula, kind: str) -> z3.BoolRef:
    return z3.And(file.discloses(ANY), z3.Not(ANY.among("readers", "practice")))


def somebody_elses(file: Formula, kind: str) -> z3.BoolRef:
    alleged = z3.And(ANY.among("standings", *ALLEGED), z3.Not(own_record(kind)))
    theirs = z3.And(file.discloses(ANY), ANY.among("elements", *SOMEBODY_ELSES))
    desk = z3.And(
        file.discloses(ANY.with_(elements="duty-desk")),
        file.placed_by(ANY, having=lambda row: row.get("desk") == "agency"),
    )
    return z3.And(alleged, z3.Or(theirs, desk))


def less_sure_is_told_more(file: Formula, kind: str) -> z3.BoolRef:
    more = [
        z3.And(
            ANY.among("knows", less),
            file.discloses(ANY),
            z3.Not(file.discloses(ANY.with_(knows=k))),
        )
        for k, less in zip(WORDS["knows"], WORDS["knows"][1:], strict=False)
    ]
    return z3.Or(more)


def unborn_code_elsewhere(file: Formula, kind: str) -> z3.BoolRef:
    placed = file.placed_by(ANY, having=lambda row: row.get("code") in UNBORN)
    return z3.And(placed, z3.Not(ANY.among("roles", "mother")))


def adding_tells_more(file: Formula, kind: str) -> z3.BoolRef:
    added = z3.Function("added", *(SORTS[part][0] for part in PARTS), z3.BoolSort())
    more = file.discloses(ANY, also=added(*(ANY.parts[part] for part in PARTS)))
    return z3.And(more, z3.Not(file.discloses(ANY)))


def not_ruled_on(file: Formula, kind: str) -> z3.BoolRef:
    ruled = z3.Or(file.some("disclose", ANY), file.some("redact", ANY))
    return z3.And(file.told(ANY), z3.Not(ruled))


def not_one_placement(file: Formula, kind: str) -> z3.BoolRef:
    matching = [ANY.matches(row) for row in file.placements]
    return z3.Or(z3.Not(z3.AtLeast(*matching, 1)), z3.Not(z3.AtMost(*matching, 1)))


def before_the_decision(file: Formula, kind: str) -> z3.BoolRef:
    return z3.And(file.told(ANY), ANY.among("states", "unconfirmed", "declined"))


def more_than_a_call(file: Formula, kind: str) -> z3.BoolRef:
    asked = file.placed_by(ANY, having=lambda row: row["action"] == "request")
    return z3.And(file.discloses(ANY), asked, z3.Not(ANY.among("elements", "duty-desk", "agency")))


def plans_days_elsewhere(file: Formula, kind: str) -> z3.BoolRef:
    days = ANY.among("elements", "start", "end", "review-due")
    return z3.And(file.discloses(ANY), days, z3.Not(ANY.among("roles", "child")))


def ended_tells_more(file: Formula, kind: str) -> z3.BoolRef:
    ended, while_open = (ANY.with_(phases=phase) for phase in reversed(PHASES))
    more = z3.And(file.discloses(ended), z3.Not(file.discloses(while_open)))
    return z3.And(more, z3.Not(ANY.among("elements", "end")))


QUESTIONS = {
    "nothing towards a patient": towards_patient,
    "only the practice reads": other_readers,
    "nothing of somebody else's": somebody_elses,
    "unknown is never more than knows": less_sure_is_told_more,
    "a code on the record it speaks of": unborn_code_elsewhere,
    "every element and every case is ruled on": not_ruled_on,
    "adding a rule never discloses more": adding_tells_more,
    "exactly one placement": not_one_placement,
    "nothing before the decision": before_the_decision,
    "a request asks to ring": more_than_a_call,
    "the plan's days stay with the child": plans_days_elsewhere,
    "the end tells no more": ended_tells_more,
}


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("name", QUESTIONS)
def test_z3_finds_no_case_that_breaks_it(name: str, kind: Kind) -> None:
    assert broken(QUESTIONS[name](formula_of(policy_text(kind)), kind)) is None


def test_z3_can_find_a_case_that_is_told_something_at_all() -> None:
    """The formulas are not empty: each kind tells some record something."""
    for kind in Kind:
        assert broken(formula_of(policy_text(kind)).discloses(ANY)) is not None


@pytest.mark.parametrize(
    ("name", "row", "old", "new"),
    [
        ("nothing of somebody else's", "CP-P10", 'desk = "neutral"', 'desk = "agency"'),
        ("adding a rule never discloses more", "CP-R06", '"end", ', ""),
        ("every element and every case is ruled on", "CP-R06", '"start", ', ""),
        ("exactly one placement", "CP-P14", '"excluded", ', ""),
        ("a code on the record it speaks of", "CP-P11", "375041000000100", "818901000000100"),
        ("nothing before the decision", "CP-P13", '"included", "approved"', '"unconfirmed"'),
    ],
)
def test_z3_finds_the_case_in_a_file_that_breaks_one(
    name: str, row: str, old: str, new: str
) -> None:
    text = changed(policy_text("child-protection"), row, old, new)
    found = broken(QUESTIONS[name](formula_of(text), "child-protection"))
    assert found is not None
