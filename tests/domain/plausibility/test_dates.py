"""Days that cannot be are refused by field; each limit is tried on both of its sides."""

import json
from datetime import date
from typing import Any

import pytest

from flagservice.domain.submissions import Enquiry, Notification, Plan, Submission
from tests.world import a_submission, person

TODAY = date(2026, 11, 29)
MOTHER = person("mother", "9990002258", "1990-03-14")
EXPECTED, BORN = "people[0].expected_date", "people[0].date_of_birth"
Fields = dict[str, str]


def faults(model: type[Submission], body: dict[str, Any]) -> Fields:
    read = model.model_validate_json(json.dumps(body))
    found = [*read.faults(TODAY), *read.outgrown(TODAY)]
    return {fault.field: fault.rule for fault in found}


def of_unborn(expected: str, **more: Any) -> Fields:
    unborn = {"role": "unborn", "expected_date": expected}
    said = {"start": "2026-10-10", **more}
    return faults(Plan, a_submission("child-protection", "CPP-1", unborn, MOTHER, **said))


def of_child(born: str, **more: Any) -> Fields:
    child = person("child", "9990001111", born)
    return faults(Plan, a_submission("child-protection", "CPP-1", child, **more))


@pytest.mark.parametrize(
    ("expected", "rule"),
    [
        ("2027-09-25", None),
        ("2027-09-26", "is more than 300 days ahead"),
        ("2026-11-01", None),
        ("2026-10-31", "is more than 28 days past: say that the child was born, or end it"),
        ("1926-02-01", "is more than 28 days past: say that the child was born, or end it"),
        ("0001-01-01", "is more than 28 days past: say that the child was born, or end it"),
        ("9999-12-31", "is more than 300 days ahead"),
    ],
)
def test_a_birth_is_expected_within_a_pregnancy(expected: str, rule: str | None) -> None:
    assert of_unborn(expected, start=str(TODAY)).get(EXPECTED) == rule


def test_a_plan_can_be_ended_however_long_ago_the_birth_was_expected() -> None:
    """Else what stays silent after a loss could not be ended at all."""
    assert of_unborn("2026-06-01", start="2026-03-01", end="2026-11-29") == {}
    assert of_unborn("2026-02-01", start="2026-03-01", end="2026-11-29") == {}
    assert EXPECTED in of_unborn("2026-01-31", start="2026-03-01", end="2026-11-29")
    assert EXPECTED in of_unborn("2026-06-01", start="2026-03-01")


@pytest.mark.parametrize(
    ("start", "rule"),
    [
        ("2026-11-29", None),
        ("2026-11-30", "is in the future: send it on the day"),
        ("2019-03-14", None),
        ("2018-05-18", None),
        ("2018-05-17", "is more than 300 days before the child's birth"),
        ("1948-01-01", "is more than 300 days before the child's birth"),
        ("1947-12-31", "is before 1948"),
        ("0001-01-01", "is before 1948"),
    ],
)
def test_a_plan_starts_at_most_a_pregnancy_before_the_birth(start: str, rule: str | None) -> None:
    assert of_child("2019-03-14", start=start).get("start") == rule


def test_an_enquiry_starts_no_earlier_than_a_plan_may() -> None:
    child = person("child", "9990001111", "2019-03-14")
    for start, rule in (("2018-05-18", None), ("2018-05-17", "is more than 300 days before")):
        told = faults(Enquiry, a_submission("section-47", "S-1", child, start=start)).get("start")
        assert told is rule is None or str(told).startswith(str(rule))


def test_a_start_before_a_child_is_looked_for_is_refused_before_birth_too() -> None:
    assert of_unborn("2026-12-24", start="2026-02-27") == {}
    assert of_unborn("2026-12-25", start="2026-02-27") == {
        "start": "is more than 300 days before the child's birth"
    }


@pytest.mark.parametrize(
    ("review", "rule"),
    [
        ("2026-10-09", "is not after start"),
        ("2026-10-10", "is not after start"),
        ("2026-10-11", None),
        ("2028-11-29", None),
        ("2028-11-30", "is more than two years ahead"),
        ("2126-10-10", "is more than two years ahead"),
        ("9999-12-31", "is more than two years ahead"),
    ],
)
def test_a_review_is_after_the_start_and_within_two_years(review: str, rule: str | None) -> None:
    told = of_child("2019-03-14", start="2026-10-10", review_due=review)
    assert told.get("review_due") == rule


@pytest.mark.parametrize(
    ("born", "rule"),
    [
        ("2026-11-29", None),
        ("2026-11-30", "is in the future"),
        ("2062-10-10", "is in the future"),
        ("9999-12-31", "is in the future"),
        ("1900-01-01", None),
        ("1899-12-31", "is before 1900"),
        ("0001-01-01", "is before 1900"),
    ],
)
def test_a_date_of_birth_is_a_day_on_which_somebody_who_lives_was_born(
    born: str, rule: str | None
) -> None:
    alleged = person("father", "9990002517", born, standing="alleged-perpetrator")
    told = faults(Notification, a_submission("perpetrator", "N-1", alleged))
    assert told == ({BORN: rule} if rule else {})


def test_no_day_at_the_ends_of_the_calendar_is_more_than_a_fault() -> None:
    for day in ("0001-01-01", "9999-12-31"):
        assert of_child(day, start=day, review_due=day, end=day)
        assert of_unborn(day, start=day, review_due=day, end=day)
