"""Bad input: a clear refusal that names field and rule, stores nothing and repeats nothing."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.api.answers import faults, then_refused
from tests.api.steps import (
    CHILD,
    FATHER,
    MOTHER,
    Cast,
    a_notification,
    a_plan,
    an_enquiry,
    given_a_cast,
)
from tests.world import World, a_submission, person

Refused = list[tuple[str, str]]
CANARY = "Zebedee Quartermaine"
"""A name that stands nowhere else; whatever repeats what was sent repeats it."""
NOT_JSON = [("body", "is not JSON")]
TWICE = [("body", "has the same key twice in one object")]
A_DAY = "a day is written YYYY-MM-DD"
NO_DAY = "is not a day of the calendar, written YYYY-MM-DD"
TEN_DIGITS = "an NHS number is ten digits 0 to 9, without spaces"
CHECK_DIGIT = "the check digit does not match"
NO_WORD = "is none of the allowed words"
NO_FIELD = "there is no such field"
WHOLE = "is a whole number"
REFERENCE = "has characters or a length that this field does not allow"


def written(**more: Any) -> bytes:
    return json.dumps(a_plan() | more).encode()


def with_child(**more: Any) -> bytes:
    """The plan with something else said of the child."""
    body = a_plan()
    body["people"][0] |= more
    return json.dumps(body).encode()


def full_width(digits: str) -> str:
    """The same digits as East Asian text has them."""
    return "".join(chr(ord(digit) + 0xFEE0) for digit in digits)


def spliced(name: str, raw: bytes) -> bytes:
    """The plan with these very bytes as one field's value."""
    return written(**{name: "HERE"}).replace(b'"HERE"', raw)


NUMBER = "people[0].nhs_number"
BORN = "people[0].date_of_birth"
BODIES: dict[str, tuple[bytes, Refused]] = {
    "nothing": (b"", NOT_JSON),
    "half of it": (written()[:-1], NOT_JSON),
    "a name and no JSON": (CANARY.encode(), NOT_JSON),
    "a list": (b"[]", [("body", "is an object")]),
    "text": (json.dumps(CANARY).encode(), [("body", "is an object")]),
    "null": (b"null", [("body", "is an object")]),
    "a byte order mark": (b"\xef\xbb\xbf" + written(), NOT_JSON),
    "UTF-16": (json.dumps(a_plan()).encode("utf-16"), [("body", "is not UTF-8")]),
    "invalid UTF-8": (
        spliced("reference", b'"' + CANARY.encode() + b'\xff"'),
        [("body", "is not UTF-8")],
    ),
    "deep nesting": (b"[" * 50_000 + b"]" * 50_000, [("body", "is nested more than 12 deep")]),
    "deep nesting in a field": (
        spliced("people", b'{"a":' * 13 + b"1" + b"}" * 13),
        [("body", "is nested more than 12 deep")],
    ),
    "a key twice": (spliced("version", b'1, "version": 1'), TWICE),
    "a key twice, once in disguise": (spliced("version", b'1, "v\\u0065rsion": 2'), TWICE),
    "a key twice inside": (
        written().replace(b'"role": "child"', b'"role": "child", "role": "mother"'),
        TWICE,
    ),
    "NaN": (spliced("version", b"NaN"), NOT_JSON),
    "infinity": (spliced("version", b"-Infinity"), NOT_JSON),
    "an endless number": (spliced("version", b"9" * 5000), NOT_JSON),
    "a huge number": (spliced("version", b"9" * 400), [("version", "is too large")]),
    "a number beyond floats": (spliced("version", b"1e999"), [("version", WHOLE)]),
    "a fraction": (written(version=1.0), [("version", WHOLE)]),
    "true as a number": (written(version=True), [("version", WHOLE)]),
    "text as a number": (written(version="1"), [("version", WHOLE)]),
    "version 0": (written(version=0), [("version", "is too small")]),
    "half a character": (spliced("reference", b'"\\ud800"'), NOT_JSON),
    "a name as a field": (written(**{CANARY: 1}), [("(unknown field)", NO_FIELD)]),
    "a name as a person's field": (
        with_child(**{CANARY: {"x": CANARY}}),
        [("people[0].(unknown field)", NO_FIELD)],
    ),
    "free text": (written(notes=CANARY), [("(unknown field)", NO_FIELD)]),
    "a name in a reference": (written(reference=CANARY), [("reference", REFERENCE)]),
    "a line feed in a reference": (written(reference="CPP-1\n"), [("reference", REFERENCE)]),
    "no reference": (written(reference=None), [("reference", "is text")]),
    "an NHS number as a reference": (
        written(reference=f"P-{FATHER[0]}"),
        [("reference", "holds an NHS number")],
    ),
    "a name as a role": (with_child(role=CANARY), [("people[0].role", NO_WORD)]),
    "a name as a kind": (written(kind=CANARY), [("kind", NO_WORD)]),
    "a name instead of people": (written(people=CANARY), [("people", "is a list")]),
    "a name instead of a person": (written(people=[CANARY]), [("people[0]", "is an object")]),
    "nobody": (written(people=[]), [("people", "has too few entries")]),
    "a crowd": (
        written(people=[person("child", *CHILD)] * 21),
        [("people", "has too many entries")],
    ),
    "text as yes": (
        written(consent={"sought": "yes", "answer": "given"}),
        [("consent.sought", "is true or false")],
    ),
    "consent without an answer": (
        written(consent={"sought": True}),
        [("consent.answer", "is needed when consent was sought")],
    ),
    "a date as a number": (written(start=20220101), [("start", A_DAY)]),
    "a date as seconds": (written(start="1641254400"), [("start", A_DAY)]),
    "a date with a time": (written(start="2022-01-01T00:00:00Z"), [("start", A_DAY)]),
    "a date the other way round": (written(start="01-01-2022"), [("start", A_DAY)]),
    "a date in other digits": (written(start=f"{full_width('2022')}-01-01"), [("start", A_DAY)]),
    "a day that is none": (written(start="2022-02-30"), [("start", NO_DAY)]),
    "an NHS number as a birth date": (with_child(date_of_birth=FATHER[0]), [(BORN, A_DAY)]),
    "a name as a birth date": (with_child(date_of_birth=CANARY), [(BORN, A_DAY)]),
    "an end before the start": (written(end="2021-12-31"), [("end", "is before start")]),
    "an end in the future": (
        written(end="2022-01-05"),
        [("end", "is in the future: send it on the day")],
    ),
    "a number with full-width digits": (
        with_child(nhs_number=full_width(CHILD[0])),
        [(NUMBER, TEN_DIGITS)],
    ),
    "a number with spaces": (with_child(nhs_number="999 000 1111"), [(NUMBER, TEN_DIGITS)]),
    "a number with a line feed": (with_child(nhs_number="9990001111\n"), [(NUMBER, TEN_DIGITS)]),
    "a number with a wrong check digit": (
        with_child(nhs_number="9990001112"),
        [(NUMBER, CHECK_DIGIT)],
    ),
    "a number that is a number": (with_child(nhs_number=9990001111), [(NUMBER, "is text")]),
    "a placeholder": (
        with_child(nhs_number="9999999999"),
        [(NUMBER, "one digit repeated is a placeholder, not an NHS number")],
    ),
    "no number": (with_child(nhs_number=None), [(NUMBER, "is needed, or say not_identified")]),
    "one person in two roles": (
        written(people=[person("child", *CHILD), person("sibling", *CHILD)]),
        [("people[1].nhs_number", "this person is named twice")],
    ),
    "no child": (
        written(people=[person("mother", *MOTHER)]),
        [("people", "exactly one is child or unborn")],
    ),
    "an unborn child with an NHS number": (
        written(
            people=[
                {"role": "unborn", "expected_date": "2022-03-09", "nhs_number": CHILD[0]},
                person("mother", *MOTHER),
            ]
        ),
        [(NUMBER, "an unborn child has no NHS number")],
    ),
}
SECRETS = (CANARY, "Zebedee", CHILD[0], "9990001112", FATHER[0], "999 000 1111", "1641254400")


@pytest.mark.parametrize("case", BODIES)
def test_a_plan_is_refused_that_has(
    house: Cast, said: pytest.CaptureFixture[str], case: str
) -> None:
    body, named = BODIES[case]
    with house.service.storing_nothing():
        answer = house.council.posts("/plans", body)
    then_refused(answer, 422, *named)
    captured = said.readouterr()
    for text in (answer.text, str(answer.headers.raw), captured.out, captured.err):
        assert not [secret for secret in SECRETS if secret in text]


def test_every_fault_is_named_at_once(house: Cast) -> None:
    body = a_plan(start="2022-02-30", version=0, lawful_basis=[CANARY])
    assert sorted(faults(house.council.posts("/plans", body))) == [
        ("lawful_basis[0]", NO_WORD),
        ("start", NO_DAY),
        ("version", "is too small"),
    ]


def test_an_enquiry_and_a_notification_have_their_own_rules(house: Cast) -> None:
    for client, path, body, named in (
        (house.council, "/enquiries", an_enquiry(categories=["neglect"]), "(unknown field)"),
        (house.police, "/notifications", a_notification(start="2022-01-01"), "(unknown field)"),
        (
            house.police,
            "/notifications",
            a_notification(people=[person("child", *CHILD)]),
            "people",
        ),
    ):
        with house.service.storing_nothing():
            answer = client.posts(path, body)
        assert answer.status_code == 422
        assert [field for field, _ in faults(answer)] == [named]


def test_a_decision_is_read_as_strictly(house: Cast) -> None:
    good = {"outcome": "place", "decided_by": "Dr N. Amed", "reason": "a recorded decision"}
    for change, named in (
        ({"outcome": CANARY}, ("outcome", NO_WORD)),
        ({"reason": "short"}, ("reason", "is too short")),
        ({CANARY: 1}, ("(unknown field)", NO_FIELD)),
        ({"decided_by": 7}, ("decided_by", "is text")),
    ):
        with house.service.storing_nothing():
            answer = house.council.posts("/holds/0/decision", {**good, **change})
        then_refused(answer, 422, named)
        assert CANARY not in answer.text


GIVEN: dict[str, Callable[[], Any]] = {
    "accepted": a_plan,
    "refused": lambda: a_plan(**{CANARY: CANARY}),
    "in conflict": lambda: a_plan(categories=["emotional"]),
}


def test_no_number_or_name_that_was_sent_is_in_the_database_file(
    tmp_path: Path, said: pytest.CaptureFixture[str]
) -> None:
    world = World(f"sqlite:///{tmp_path}/flagservice.db")
    cast = given_a_cast(world)
    for made in GIVEN.values():
        cast.council.posts("/plans", made())
    cast.police.posts("/notifications", a_notification())
    cast.practice.searches(CHILD[0])
    cast.practice.searches(FATHER[0])
    cast.council.posts(
        "/plans", a_submission("child-in-need", f"A-{CHILD[0]}", person("child", *CHILD))
    )
    files = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    world.close()
    files += b"".join(path.read_bytes() for path in tmp_path.iterdir())
    captured = said.readouterr()
    for secret in (CANARY, *(part for one in (CHILD, MOTHER, FATHER) for part in one), "WYP-1"):
        assert secret.encode() not in files
        assert secret not in captured.out + captured.err
