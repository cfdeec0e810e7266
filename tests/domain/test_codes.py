"""The codes that a flag may carry: a closed list, each with where it was seen."""

import pytest

from flagservice.domain.codes import (
    BARS_CODE,
    CATEGORY_CODES,
    CODES,
    NEUTRAL,
    REQUEST_CODE,
    SNOMED_CT,
    Certainty,
    Code,
)
from flagservice.domain.elements import Kind, PlanCategory
from flagservice.policy.proof.prove import load
from tests.policy.approved import policy_text

SHUFFLED = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)


def verhoeff(digits: str) -> bool:
    """SNOMED CT's check digit: the digits, shuffled by place, multiply to 0 in the group D5."""
    check = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit)
        for _ in range(place % 8):
            value = SHUFFLED[value]
        check = _times(check, value)
    return check == 0


def _times(one: int, other: int) -> int:
    turned = (one + other) % 5 if one < 5 else (one - other) % 5
    return turned + 5 * ((one < 5) != (other < 5))


@pytest.mark.parametrize("code", CODES.values(), ids=list(CODES))
def test_every_code_has_words_a_source_and_a_certainty(code: Code) -> None:
    assert code.coding.display
    assert code.source
    assert code.certainty in Certainty
    assert code.coding.system in (SNOMED_CT, BARS_CODE, REQUEST_CODE)
    if code.coding.system == SNOMED_CT:
        assert verhoeff(code.coding.code)


def test_every_end_code_is_on_the_list_and_ends_one_code_alone() -> None:
    ends = [code.ended_by for code in CODES.values() if code.ended_by]
    assert set(ends) <= set(CODES)
    assert len(set(ends)) == len(ends)


def test_a_code_that_means_perpetrator_or_is_never_to_be_sent_is_not_on_the_list() -> None:
    assert "1064311000000109" not in CODES
    assert not any("perpetrator" in code.coding.display.lower() for code in CODES.values())


def test_every_plan_category_has_its_code() -> None:
    assert set(CATEGORY_CODES) == set(PlanCategory)
    assert all(verhoeff(coding.code) for coding in CATEGORY_CODES.values())


def test_what_a_removal_carries_says_nothing_of_what_was_said() -> None:
    assert NEUTRAL.display == "Unspecified Safeguarding Concern Identified"


def test_every_code_on_the_list_is_used_by_some_policy() -> None:
    rows = [row for kind in Kind for row in load(policy_text(kind)).placements]
    used = {row.code for row in rows} | {row.end_code for row in rows}
    assert used - {None} == set(CODES)
