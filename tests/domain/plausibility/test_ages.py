"""Rows that were swapped: each pair of roles is tried, and each limit on both of its sides."""

import json
from datetime import date
from itertools import combinations
from typing import Any

import pytest

from flagservice.domain.plausibility.ages import DOUBTED, Doubt, age_on, doubt_of
from flagservice.domain.submissions import Notification, Plan, Submission
from tests.world import a_submission, person

TODAY = date(2026, 11, 29)
NUMBERS = ("9990001111", "9990002258")
BORN = {
    "child": "2019-03-14",
    "sibling": "2015-06-01",
    "mother": "1990-03-14",
    "father": "1988-12-12",
    "parent": "1987-01-17",
    "partner": "1985-05-05",
}
ALIKE = [("child", "sibling"), *combinations(("mother", "father", "parent", "partner"), 2)]
"""Pairs whose ages are alike: no birth date tells that they were swapped."""


def row(role: str, born: str, number: str = NUMBERS[0]) -> dict[str, Any]:
    more = {"nomination": "cares-for-child"} if role == "partner" else {}
    return person(role, number, born, **more)


def a_plan(*people: dict[str, Any], **more: Any) -> Plan:
    body = a_submission("child-protection", "CPP-1", *people, **{"start": "2026-01-10", **more})
    return Plan.model_validate_json(json.dumps(body))


def refused(submission: Submission) -> list[tuple[str, str]]:
    found = [*submission.faults(TODAY), *submission.outgrown(TODAY)]
    return [(fault.field, fault.rule) for fault in found]


def doubts(submission: Submission) -> list[Doubt | None]:
    day = submission.end or TODAY
    return [doubt_of(one, submission.people, day=day) for one in submission.people]


def of_two(first: str, second: str, *, swapped: bool) -> Plan:
    """The two rows, and the child if neither is it."""
    born = (BORN[second], BORN[first]) if swapped else (BORN[first], BORN[second])
    rows = [row(first, born[0], NUMBERS[0]), row(second, born[1], NUMBERS[1])]
    if "child" not in (first, second):
        rows.append(row("child", BORN["child"], "9990002517"))
    return a_plan(*rows)


@pytest.mark.parametrize(("first", "second"), list(combinations(BORN, 2)))
def test_each_pair_of_roles_stands_in_its_rows(first: str, second: str) -> None:
    plan = of_two(first, second, swapped=False)
    assert refused(plan) == []
    assert set(doubts(plan)) == {None}


@pytest.mark.parametrize(("first", "second"), list(combinations(BORN, 2)))
def test_each_pair_of_roles_that_was_swapped_is_refused_or_asked_about_unless_alike(
    first: str, second: str
) -> None:
    plan = of_two(first, second, swapped=True)
    found = refused(plan)
    assert (bool(found) or any(doubts(plan))) is ((first, second) not in ALIKE)
    assert all(field.endswith(".date_of_birth") for field, _ in found)


@pytest.mark.parametrize("role", ["mother", "father", "parent"])
@pytest.mark.parametrize(
    ("born", "rule", "doubt"),
    [
        ("2030-01-01", True, Doubt.YOUNG_PARENT),
        ("2019-03-14", True, Doubt.YOUNG_PARENT),
        ("2010-03-15", True, Doubt.YOUNG_PARENT),
        ("2010-03-14", False, Doubt.YOUNG_PARENT),
        ("2006-03-15", False, Doubt.YOUNG_PARENT),
        ("2006-03-14", False, None),
        ("1959-03-14", False, None),
    ],
)
def test_a_parent_is_9_at_the_birth_and_asked_about_below_13(
    role: str, born: str, rule: bool, doubt: Doubt | None
) -> None:
    plan = a_plan(row("child", BORN["child"]), row(role, born, NUMBERS[1]))
    too_young = ("people[1].date_of_birth", "a parent is at least 9 years older than the child")
    assert (too_young in refused(plan)) is rule
    assert doubts(plan) == [None, doubt]


@pytest.mark.parametrize(
    ("role", "born", "doubt"),
    [
        ("mother", "1958-03-15", None),
        ("mother", "1958-03-14", Doubt.OLD_MOTHER),
        ("mother", "1943-01-01", Doubt.OLD_MOTHER),
        ("father", "1943-01-01", None),
        ("parent", "1943-01-01", None),
    ],
)
def test_a_mother_is_asked_about_from_61_on_and_nobody_else(
    role: str, born: str, doubt: Doubt | None
) -> None:
    plan = a_plan(row("child", BORN["child"]), row(role, born, NUMBERS[1]))
    assert refused(plan) == []
    assert doubts(plan) == [None, doubt]


@pytest.mark.parametrize(
    ("born", "rule", "doubt"),
    [
        ("2022-03-14", True, Doubt.YOUNG_PARENT),
        ("2017-02-01", False, Doubt.YOUNG_PARENT),
        ("1990-03-14", False, None),
        ("1950-03-14", False, Doubt.OLD_MOTHER),
    ],
)
def test_a_mother_is_measured_by_the_expected_birth(
    born: str, rule: bool, doubt: Doubt | None
) -> None:
    unborn = {"role": "unborn", "expected_date": "2027-02-01"}
    plan = a_plan(unborn, row("mother", born), start="2026-10-10")
    assert bool(refused(plan)) is rule
    assert doubts(plan) == [None, doubt]


@pytest.mark.parametrize(
    ("born", "rule", "doubt"),
    [
        ("2008-11-30", False, None),
        ("2008-11-29", False, Doubt.ADULT_CHILD),
        ("2000-11-30", False, Doubt.ADULT_CHILD),
        ("2000-11-29", True, Doubt.ADULT_CHILD),
        ("1985-05-05", True, Doubt.ADULT_CHILD),
    ],
)
def test_a_child_is_asked_about_from_18_on_and_refused_from_26_on(
    born: str, rule: bool, doubt: Doubt | None
) -> None:
    plan = a_plan(row("child", born))
    told = [("people[0].date_of_birth", "a child is younger than 26")]
    assert refused(plan) == (told if rule else [])
    assert doubts(plan) == [doubt]


@pytest.mark.parametrize(
    ("born", "rule", "doubt"),
    [
        ("2017-11-30", True, Doubt.YOUNG_PARTNER),
        ("2017-11-29", False, Doubt.YOUNG_PARTNER),
        ("2013-11-30", False, Doubt.YOUNG_PARTNER),
        ("2013-11-29", False, None),
    ],
)
def test_a_partner_is_no_small_child(born: str, rule: bool, doubt: Doubt | None) -> None:
    plan = a_plan(row("child", BORN["child"]), row("partner", born, NUMBERS[1]))
    told = [("people[1].date_of_birth", "a partner is at least 9 years old")]
    assert refused(plan) == (told if rule else [])
    assert doubts(plan) == [None, doubt]


def test_what_has_ended_is_measured_by_the_day_of_its_end() -> None:
    for end, doubt in (("2026-11-28", None), ("2026-11-29", Doubt.ADULT_CHILD)):
        plan = a_plan(row("child", "2008-11-29"), end=end)
        assert doubts(plan) == [doubt]
    ended = a_plan(row("child", "2000-01-01"), start="2017-01-01", end="2018-01-01")
    assert refused(ended) == []


def test_a_parent_is_measured_by_the_youngest_child_of_a_notification() -> None:
    """Its children may have several parents: the eldest may be of another."""
    people = [
        row("child", "2024-01-01"),
        person("child", NUMBERS[1], "2010-01-01"),
        person("mother", "9990002517", "2004-01-01", standing="victim"),
    ]
    body = a_submission("domestic-abuse-victim", "N-1", *people)
    read = Notification.model_validate_json(json.dumps(body))
    assert refused(read) == []
    assert doubts(read) == [None, None, None]


def test_whoever_is_not_identified_has_no_age() -> None:
    nobody = {"role": "father", "not_identified": "not-named"}
    plan = a_plan(row("child", BORN["child"]), nobody)
    assert refused(plan) == []
    assert doubts(plan) == [None, None]


def test_somebody_born_on_a_leap_day_comes_of_age_on_the_first_of_march() -> None:
    leap = date(2008, 2, 29)
    assert [age_on(leap, date(2026, *day)) for day in ((2, 28), (3, 1))] == [17, 18]
    assert age_on(date(2019, 3, 14), date(2018, 3, 14)) == -1


def test_every_doubt_has_its_words() -> None:
    assert set(DOUBTED) == set(Doubt)
