"""Every answer that a policy can ever give is one that was approved, in every one of its cells."""

import contextlib
import re

import pytest

from flagservice.domain.elements import Kind
from flagservice.policy.printed.answers import table
from flagservice.policy.proof.prove import load
from flagservice.policy.table import Policy, UnusablePolicy, read
from tests.policy.approved import (
    HOME,
    answered,
    approved,
    approved_text,
    changed,
    differences,
    policy_text,
)

KINDS = list(Kind)
PLACED = """action = "place"
code = "375041000000100"
labels = ["NOPAT", "R", "PERSISTLABEL"]
desk = "agency"
review = "3 months"
after_end = "retract"
"""
POLICIES = {kind: load(policy_text(kind)) for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_the_printed_table_is_the_approved_one_byte_for_byte(kind: Kind) -> None:
    assert table(POLICIES[kind]).encode() == approved_text(kind).encode()


@pytest.mark.parametrize("kind", KINDS)
def test_every_case_in_both_phases_is_answered_as_the_approved_text_says(kind: Kind) -> None:
    assert len(POLICIES[kind].placement_of) == 6 * 4 * 4 * 5 * 2
    assert answered(POLICIES[kind]) == approved(approved_text(kind))


def then_it_is_caught(text: str) -> None:
    """By the comparison, if it loads at all."""
    with contextlib.suppress(UnusablePolicy):
        assert differences(read(text))


def then_the_comparison_catches_it(policy: Policy) -> None:
    assert differences(policy)
    assert table(policy) != approved_text(policy.kind)


@pytest.mark.parametrize(
    ("kind", "row", "old", "new"),
    [
        ("child-protection", "CP-P14", 'action = "withhold"\n', PLACED),
        ("child-protection", "CP-D05", '["placed", "review-by"]', '["review-by"]'),
        ("child-protection", "CP-D01", '"plan-category", ', ""),
        ("child-protection", "CP-P10", 'desk = "neutral"', 'desk = "agency"'),
        ("child-protection", "CP-P11", 'after_end = "retract"', 'after_end = "history"'),
        ("child-protection", "CP-P01", 'code = "342191000000101"', 'code = "135891007"'),
        ("perpetrator", "DA-P04", '"practice safeguarding lead"', '"submitter"'),
        ("perpetrator", "DA-P05", 'expires = "12 months"', 'expires = "13 months"'),
        ("section-47", "S47-P06", 'action = "request"', 'action = "place"'),
        ("section-47", "S47-P01", '"45 working days"', '"46 working days"'),
        ("section-47", "S47-P04", 'due = "2 working days"', 'due = "3 working days"'),
    ],
)
def test_one_wrong_cell_in_a_policy_file_is_caught(kind: str, row: str, old: str, new: str) -> None:
    then_the_comparison_catches_it(read(changed(policy_text(kind), row, old, new)))


OTHERWISE = {
    "code": ("code", "135891007", "878111000000109"),
    "desk": ("desk", "agency", "neutral"),
    "after_end": ("after_end", "history", "retract"),
    "review": ("review", "7 months", "8 months"),
    "owner": ("owner", "submitter", "practice safeguarding lead"),
    "due": ("due", "8 working days", "9 working days"),
    "then": ("then", "somebody else altogether", "and another person"),
    "labels": ("labels", '["NOPAT", "R", "PERSISTLABEL"]', '["NOPAT", "V", "PERSISTLABEL"]'),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("field", OTHERWISE)
def test_any_row_with_another_word_in_a_field_is_caught(kind: Kind, field: str) -> None:
    text = policy_text(kind)
    for line in {f"{found[0]}" for found in re.finditer(rf"^{field} = .*$", text, re.MULTILINE)}:
        for place in range(text.count(line + "\n")):
            then_it_is_caught(_nth(text, line, place))


def _nth(text: str, line: str, place: int) -> str:
    """With that line, where it stands for the nth time, saying something else."""
    name, one, other = next(words for words in OTHERWISE.values() if line.startswith(words[0]))
    parts = text.split(line + "\n")
    said = one if one not in line else other
    written = said if said.startswith("[") else f'"{said}"'
    before = (line + "\n").join(parts[: place + 1])
    return before + f"{name} = {written}\n" + (line + "\n").join(parts[place + 1 :])


@pytest.mark.parametrize("kind", KINDS)
def test_any_element_taken_from_a_rule_that_discloses_it_is_caught(kind: Kind) -> None:
    for rule in POLICIES[kind].disclosures:
        if rule.action == "redact":
            continue
        for element in rule.elements:
            written = ", ".join(f'"{one}"' for one in rule.elements)
            less = ", ".join(f'"{one}"' for one in rule.elements if one != element)
            if less:
                then_it_is_caught(changed(policy_text(kind), rule.id, f"[{written}]", f"[{less}]"))


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_held_or_withheld_tells_nothing(kind: Kind) -> None:
    for answer in answered(POLICIES[kind]).values():
        told = answer.action in ("place", "request")
        assert bool(answer.open) == told
        assert told or not answer.ended


@pytest.mark.parametrize("kind", KINDS)
def test_what_an_officer_owns_is_added_and_changes_no_answer(kind: Kind) -> None:
    """With the lines to own, and the codes, left out again it is the approved table."""
    owned, _, codes = table(POLICIES[kind], owned=True).partition("\n== codes\n")
    assert codes.count("seen") >= len({row.code for row in POLICIES[kind].placements if row.code})
    kept = [line for line in owned.splitlines() if not line.startswith("    to own ")]
    assert kept[0] == f"# {POLICIES[kind].name}"
    assert approved("\n".join(kept) + "\n") == approved(approved_text(kind))


PAGE = (HOME / "docs/rules/contested.md").read_text("utf-8")
CONTESTED = re.findall(r"^    (\S+ · .+)$", PAGE, re.MULTILINE)


@pytest.mark.parametrize("line", CONTESTED)
def test_a_contested_cell_is_answered_as_its_page_says(line: str) -> None:
    kind, record, state, standing, rest = line.split(" · ")
    knows, _, says = rest.partition(": ")
    answer = answered(POLICIES[Kind(kind)])[(record, state, standing, knows)]
    told = [answer.action, *answer.details.split()[:1]]
    open_ = [", ".join(answer.open)] if answer.open else []
    assert says == ": ".join([" ".join(told).rstrip(";"), *open_])


def test_the_page_of_contested_cells_has_one_for_each_heading() -> None:
    headings = re.findall(r"^## ", PAGE, re.MULTILINE)
    assert len(CONTESTED) == len(headings) == 8
