"""Bytes become a submission or a refusal that names field and rule and never what was sent."""

import json
from datetime import date
from typing import Any

import pytest

from flagservice.domain.errors import Conflict, Fault, Invalid, Refusal
from flagservice.domain.reading import DEEPEST, read, read_submission
from flagservice.domain.submissions import Enquiry, Notification, Plan, Submission
from tests.world import a_submission, person

TODAY = date(2022, 1, 4)
CHILD = person("child", "9990001111", "2021-12-06")


def a_plan(**more: Any) -> dict[str, Any]:
    return {**a_submission("child-protection", "CPP-1", CHILD), **more}


def faults(raw: bytes, model: type[Submission] = Plan) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as refused:
        read_submission(model, raw, today=TODAY)
    return [(fault.field, fault.rule) for fault in refused.value.faults]


def faults_of(body: dict[str, Any], model: type[Submission] = Plan) -> list[tuple[str, str]]:
    return faults(json.dumps(body).encode(), model)


def test_a_whole_submission_is_read() -> None:
    plan = read_submission(Plan, json.dumps(a_plan()).encode(), today=TODAY)
    assert (plan.reference, plan.version, plan.start) == ("CPP-1", 1, date(2022, 1, 1))


@pytest.mark.parametrize(
    ("raw", "rule"),
    [
        (b"\xff{}", "is not UTF-8"),
        (b'{"kind": "child', "is not JSON"),
        (b"", "is not JSON"),
        (b'{"a": 1} {', "is not JSON"),
        (b'{"a": NaN}', "is not JSON"),
        (b'{"a": Infinity}', "is not JSON"),
        (b'{"kind": "a", "kind": "b"}', "has the same key twice in one object"),
        (b'{"people": [{"role": "a", "role": "b"}]}', "has the same key twice in one object"),
        (b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1), f"is nested more than {DEEPEST} deep"),
        (b"[]", "is an object"),
        (b"null", "is an object"),
        (b'"text"', "is an object"),
        (b"1" * 5000, "is not JSON"),
    ],
)
def test_bytes_that_are_no_submission_are_refused_as_a_whole(raw: bytes, rule: str) -> None:
    assert faults(raw) == [("body", rule)]


@pytest.mark.parametrize(
    ("changes", "field", "rule"),
    [
        ({"nonsense": 1}, "(unknown field)", "there is no such field"),
        ({"9990001111": 1}, "(unknown field)", "there is no such field"),
        ({"reference": None}, "reference", "is text"),
        ({"reference": "Ann Smith"}, "reference", "has characters or a length"),
        ({"reference": ""}, "reference", "has characters or a length"),
        ({"version": "1"}, "version", "is a whole number"),
        ({"version": 1.5}, "version", "is a whole number"),
        ({"version": True}, "version", "is a whole number"),
        ({"version": 0}, "version", "is too small"),
        ({"version": 10_000}, "version", "is too large"),
        ({"kind": "child-in-doubt"}, "kind", "is none of the allowed words"),
        ({"start": 1641254400}, "start", "a day is written YYYY-MM-DD"),
        ({"start": "1641254400"}, "start", "a day is written YYYY-MM-DD"),
        ({"start": "2022-02-30"}, "start", "is not a day of the calendar"),
        ({"start": "2022-01-01T00:00"}, "start", "a day is written YYYY-MM-DD"),
        ({"start": None}, "start", "a day is written YYYY-MM-DD"),
        ({"people": []}, "people", "has too few entries"),
        ({"people": [CHILD] * 21}, "people", "has too many entries"),
        ({"people": {}}, "people", "is a list"),
        ({"people": ["child"]}, "people[0]", "is an object"),
        ({"people": [{**CHILD, "role": "aunt"}]}, "people[0].role", "is none of the allowed"),
        ({"people": [{**CHILD, "Ann": 1}]}, "people[0].(unknown field)", "there is no such"),
        (
            {"people": [{**CHILD, "nhs_number": "9990001112"}]},
            "people[0].nhs_number",
            "the check digit does not match",
        ),
        ({"consent": {"sought": "yes"}}, "consent.sought", "is true or false"),
        ({"categories": "physical"}, "categories", "is a list"),
        ({"categories": ["mental"]}, "categories[0]", "is none of the allowed words"),
        ({"lawful_basis": ["because"]}, "lawful_basis[0]", "is none of the allowed words"),
        ({"purpose": "gossip"}, "purpose", "is none of the allowed words"),
    ],
)
def test_a_field_that_breaks_a_rule_is_named_with_the_rule(
    changes: dict[str, Any], field: str, rule: str
) -> None:
    ((found, said),) = faults_of(a_plan(**changes))
    assert found == field
    assert said.startswith(rule)


def test_a_field_that_is_missing_is_named() -> None:
    body = a_plan()
    del body["purpose"], body["people"]
    assert faults_of(body) == [("people", "is needed"), ("purpose", "is needed")]


def test_every_fault_is_told_at_once_and_none_quotes_what_was_sent() -> None:
    body = a_plan(
        reference="Ann Smith",
        people=[{**CHILD, "nhs_number": "1234567890", "Ann": "Smith", "role": "wizard"}],
    )
    found = faults_of(body)
    assert len(found) == 4
    for word in ("Ann", "Smith", "1234567890", "wizard"):
        assert word not in str(found)


def test_a_fault_across_fields_is_told_like_the_others() -> None:
    assert faults_of(a_plan(end="2021-12-01")) == [("end", "is before start")]
    alone = a_submission("section-47", "S-1", person("mother", "9990002258", "1995-03-14"))
    assert faults_of(alone, Enquiry) == [("people", "exactly one is child or unborn")]
    nobody = a_submission("perpetrator", "N-1", CHILD)
    assert faults_of(nobody, Notification)[0][0] == "people"


def test_a_rule_that_has_no_words_of_its_own_still_says_that_it_does_not_fit() -> None:
    from pydantic import Field  # noqa: PLC0415

    from flagservice.domain.statements import Strict  # noqa: PLC0415

    class Odd(Strict):
        number: int = Field(multiple_of=3)

    with pytest.raises(Invalid) as refused:
        read(Odd, b'{"number": 4}')
    assert refused.value.faults == (Fault("number", "does not fit this field"),)


def test_a_refusal_says_its_rule_and_its_faults() -> None:
    assert Invalid(Fault("a", "is b"), Fault("c", "is d")).rule == "a: is b; c: is d"
    assert isinstance(Conflict("said before"), Refusal)
    assert str(Conflict("said before")) == "said before"
