"""Who a person is to a plan: numbers that are whole, and standing put together in any order."""

from itertools import permutations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flagservice.domain.people import RECORDS, Role, Standing, check_nhs_number, together

GOOD = "9990001111"


def test_an_nhs_number_of_ten_digits_with_a_good_check_digit_is_taken_as_it_is() -> None:
    assert check_nhs_number(GOOD) == GOOD


@pytest.mark.parametrize(
    ("number", "rule"),
    [
        ("999 000 1111", "ten digits"),
        ("999000111", "ten digits"),
        ("99900011111", "ten digits"),
        ("999000111a", "ten digits"),
        ("", "ten digits"),
        ("\n9990001111", "ten digits"),
        ("9990001111\n", "ten digits"),
        ("٩٩٩٠٠٠١١١١", "ten digits"),
        ("９９９０００１１１１", "ten digits"),  # noqa: RUF001, digits that are not ASCII
        ("0" * 10, "placeholder"),
        ("9" * 10, "placeholder"),
        ("9990001112", "check digit"),
    ],
)
def test_every_other_number_is_refused_without_being_quoted(number: str, rule: str) -> None:
    with pytest.raises(ValueError, match=rule) as refused:
        check_nhs_number(number)
    assert not number.strip() or number.strip() not in str(refused.value)


@given(st.integers(0, 9), st.integers(0, 9))
def test_no_single_wrong_digit_passes(place: int, digit: int) -> None:
    wrong = GOOD[:place] + str(digit) + GOOD[place + 1 :]
    if wrong != GOOD:
        with pytest.raises(ValueError, match="check digit"):
            check_nhs_number(wrong)


def test_an_unborn_child_is_the_only_role_without_a_record() -> None:
    assert set(Role) - set(RECORDS) == {Role.UNBORN}


@pytest.mark.parametrize("said", list(product(Standing, repeat=3)))
def test_standing_is_put_together_the_same_in_any_order(said: tuple[Standing, ...]) -> None:
    whole = {together(list(order)) for order in permutations(said)}
    assert len(whole) == 1
    (standing,) = whole
    victim = bool({Standing.VICTIM, Standing.BOTH} & set(said))
    alleged = bool({Standing.ALLEGED_PERPETRATOR, Standing.BOTH} & set(said))
    assert (
        standing
        == {
            (False, False): Standing.NEITHER,
            (True, False): Standing.VICTIM,
            (False, True): Standing.ALLEGED_PERPETRATOR,
            (True, True): Standing.BOTH,
        }[victim, alleged]
    )


def test_of_whom_nobody_says_anything_the_standing_is_neither() -> None:
    assert together([]) is Standing.NEITHER
