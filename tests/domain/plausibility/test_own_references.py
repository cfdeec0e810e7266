"""References are taken as agencies have them; an NHS number is found in every way of writing it."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from flagservice.domain.plausibility.references import Reference, reference_faults

SHAPE = TypeAdapter(Reference)


@pytest.mark.parametrize(
    "reference",
    [
        "44260012345",  # eleven digits, as an occurrence number of the police
        "13/44260012345/26",
        "D3B07384-D9A0-4C9B-8F6E-1234567890AB",
        "d3b07384-d9a0-4c9b-8f6e-9990001111ab",
        "9990001111d9a04c9b8f6e1234567890",
        "LCS_12345",
        "lcs:12345.v2",
        "9990001112",  # ten digits with a wrong check digit are nobody's number
        "99900011110",
        "09990001111",
        "999-0001-111",
        "1999-000-1111",
        "a",
        "A" * 64,
        "_-/.:",
        "a..b",
        "...",
    ],
)
def test_a_reference_is_taken_as_the_agency_has_it(reference: str) -> None:
    assert SHAPE.validate_python(reference) == reference
    assert reference_faults(reference) == []


@pytest.mark.parametrize(
    "reference",
    [
        "9990001111",
        "999-000-1111",
        "999_000_1111",
        "999.000.1111",
        "999/000/1111",
        "999:000:1111",
        "999000-1111",
        "CPP-9990001111",
        "CPP9990001111",
        "9990001111-2",
        "9990001111B",
        "2026-11-999-000-1111",
        "123-456-999-000-1111",
        "1234567890/9990001111",
        "d3b07384-d9a0-4c9b-8f6e-1234567890ab/9990001111",
    ],
)
def test_a_whole_nhs_number_is_found_in_every_way_of_writing_it(reference: str) -> None:
    assert SHAPE.validate_python(reference) == reference
    (fault,) = reference_faults(reference)
    assert (fault.field, fault.rule) == ("reference", "holds an NHS number")


@pytest.mark.parametrize(
    "reference", ["", "A" * 65, "A B", "999 000 1111", "A\n", "Ä", "a|b", "a%2Fb", "a?b", "a#b"]
)
def test_every_other_character_and_length_is_refused(reference: str) -> None:
    with pytest.raises(ValidationError):
        SHAPE.validate_python(reference)


@pytest.mark.parametrize("reference", [".", "..", "a/../b", "./a", "a/."])
def test_what_an_address_would_drop_is_refused(reference: str) -> None:
    (fault,) = reference_faults(reference)
    assert fault.rule.startswith("has a part that is . or ..")


@given(st.uuids(), st.booleans())
def test_every_random_id_is_taken(id_: uuid.UUID, upper: bool) -> None:
    for written in (str(id_), id_.hex):
        assert reference_faults(written.upper() if upper else written) == []
