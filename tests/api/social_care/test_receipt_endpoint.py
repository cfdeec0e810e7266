"""What a submitter is told: of its own posts and their delivery, and of nothing else."""

from collections.abc import Callable

import pytest

from tests.api.answers import then_refused
from tests.api.steps import (
    CHILD,
    FATHER,
    MOTHER,
    Cast,
    Client,
    a_notification,
    a_plan,
    an_enquiry,
    when_everything_is_filed,
)
from tests.world import person

UNPLACED, PARTNER = ("9990002665", "1999-12-31"), ("9990004145", "1990-02-28")
Step = Callable[[Cast], object]


def words(client: Client, reference: str) -> list[str]:
    answer = client.gets(f"/receipts/{reference}")
    assert answer.status_code == 200, answer.text
    assert answer.json().keys() == {"reference", "version", "records"}
    return [record["status"] for record in answer.json()["records"]]


def test_a_receipt_says_placed_until_the_practice_has_filed_it(any_cast: Cast) -> None:
    any_cast.council.posts("/plans", a_plan())
    assert words(any_cast.council, "CPP-1") == ["placed", "placed", "placed"]
    when_everything_is_filed(any_cast)
    assert words(any_cast.council, "CPP-1") == ["delivered", "delivered", "delivered"]


def test_a_receipt_says_placed_again_once_something_else_is_to_be_told(cast: Cast) -> None:
    cast.council.posts("/plans", a_plan())
    when_everything_is_filed(cast)
    cast.council.posts("/plans", a_plan(version=2, categories=["neglect"]))
    assert words(cast.council, "CPP-1") == ["placed", "placed", "delivered"]


def test_a_receipt_says_requested_and_then_delivered(cast: Cast) -> None:
    cast.council.posts("/enquiries", an_enquiry())
    assert words(cast.council, "S47-1") == ["placed", "requested"]
    when_everything_is_filed(cast)
    assert words(cast.council, "S47-1") == ["delivered", "delivered"]


def test_a_receipt_says_held_and_until_when_the_submitter_decides(cast: Cast) -> None:
    people = [person("child", *CHILD), person("father", *FATHER, identity="unconfirmed")]
    cast.council.posts("/plans", a_plan(people=people))
    _, father = cast.council.gets("/receipts/CPP-1").json()["records"]
    assert father == {"person": 1, "role": "father", "status": "held", "decide_by": "2022-01-06"}


@pytest.mark.parametrize("why", ["wrong-person", "posted-in-error", "not-upheld"])
def test_a_receipt_says_what_was_taken_back_and_whose_part_has_ended(cast: Cast, why: str) -> None:
    cast.council.posts("/plans", a_plan())
    child, mother, father = a_plan()["people"]
    people = [child, mother | {"ended": "2022-01-04"}, father | {"withdrawn": why}]
    cast.council.posts("/plans", a_plan(version=2, people=people))
    assert words(cast.council, "CPP-1") == ["placed", "ended", "taken back"]
    cast.council.posts("/plans", a_plan(version=3, withdrawn=why))
    assert words(cast.council, "CPP-1") == ["taken back", "taken back", "taken back"]


def test_a_receipt_has_no_line_for_whoever_is_left_out(cast: Cast) -> None:
    cast.council.posts("/plans", a_plan())
    cast.council.posts("/plans", a_plan(version=2, people=a_plan()["people"][:2]))
    assert words(cast.council, "CPP-1") == ["placed", "placed"]


def test_a_receipt_says_not_reached_and_until_when_to_say_who_it_is(cast: Cast) -> None:
    people = [person("child", *CHILD), person("father", FATHER[0], "1971-01-01")]
    cast.council.posts("/plans", a_plan(people=people))
    _, father = cast.council.gets("/receipts/CPP-1").json()["records"]
    assert (father["status"], father["decide_by"]) == ("not reached", "2022-01-06")


def test_a_receipt_says_not_reached_where_nobody_knows_the_practice(cast: Cast) -> None:
    people = [
        person("child", *CHILD),
        person("mother", *UNPLACED, knows="knows"),
        {"role": "father", "not_identified": "not-named"},
    ]
    cast.council.posts("/plans", a_plan(people=people))
    assert words(cast.council, "CPP-1") == ["placed", "not reached", "not reached"]


def test_a_receipt_says_accepted_where_nothing_is_to_be_placed(cast: Cast) -> None:
    people = [
        person("child", *CHILD),
        person("partner", *PARTNER, involvement="excluded", knows="knows"),
    ]
    cast.council.posts("/plans", a_plan(people=people))
    assert words(cast.council, "CPP-1") == ["placed", "accepted"]


def test_a_receipt_says_ended(cast: Cast) -> None:
    cast.council.posts("/plans", a_plan())
    cast.council.posts("/plans", a_plan(version=2, end="2022-01-04"))
    assert words(cast.council, "CPP-1") == ["ended", "ended", "ended"]


def test_where_the_holder_must_not_know_a_receipt_says_no_more_than_handled(cast: Cast) -> None:
    people = [person("child", *CHILD), person("father", *FATHER, knows="must-not-know")]
    cast.council.posts("/plans", a_plan(people=people))
    assert words(cast.council, "CPP-1") == ["placed", "accepted"]
    when_everything_is_filed(cast)
    assert words(cast.council, "CPP-1") == ["delivered", "handled"]


def test_police_are_told_received_whatever_comes_of_it(cast: Cast) -> None:
    people = [
        person("father", *FATHER, standing="alleged-perpetrator", knows="must-not-know"),
        person("mother", *MOTHER, standing="victim", knows="knows"),
    ]
    cast.police.posts("/notifications", a_notification(people=people))
    before = cast.police.gets("/receipts/WYP-1").content
    (item,) = cast.world.worklist("B83902")
    assert item.nhs_number == FATHER[0]
    cast.world.decides("B83902", "place")
    when_everything_is_filed(cast)
    assert cast.police.gets("/receipts/WYP-1").content == before
    assert words(cast.police, "WYP-1") == ["received", "received"]


def test_a_receipt_names_no_practice_no_person_and_no_rule(cast: Cast) -> None:
    cast.council.posts("/plans", a_plan())
    for answer in (cast.council.posts("/plans", a_plan()), cast.council.gets("/receipts/CPP-1")):
        for secret in ("B83901", "B83902", CHILD[0], MOTHER[0], FATHER[0], "CP-P"):
            assert secret not in answer.text


def test_another_organisations_reference_gets_the_answer_of_an_unknown_one(any_cast: Cast) -> None:
    any_cast.council.posts("/plans", a_plan())
    unknown = any_cast.police.gets("/receipts/CPP-2")
    with any_cast.service.storing_nothing():
        another = any_cast.police.gets("/receipts/CPP-1")
    then_refused(another, 404)
    assert another.content == unknown.content
    assert "CPP" not in another.text


@pytest.mark.parametrize("path", ["/receipts/", "/receipts/a/b", "/receipts/%20", "/receipts/x%0A"])
def test_what_is_no_reference_is_unknown(house: Cast, path: str) -> None:
    then_refused(house.council.gets(path), 404)


def test_a_reference_with_a_slash_is_found(cast: Cast) -> None:
    cast.council.posts("/plans", a_plan("CPP/2022/1"))
    assert words(cast.council, "CPP/2022/1") == ["placed"] * 3


def test_a_receipt_that_was_read_is_in_the_audit(cast: Cast) -> None:
    cast.council.posts("/plans", a_plan())
    before = len(cast.service.leaves("receipt-read"))
    cast.council.gets("/receipts/CPP-1")
    assert len(cast.service.leaves("receipt-read")) == before + 1


@pytest.mark.parametrize(
    "reference",
    [
        "44260012345",
        "D3B07384-d9a0-4c9b-8F6E-1234567890AB",
        "LCS_12345",
        "a/b//c:1.v2",
        "-x/",
        "...",
    ],
)
def test_a_reference_is_read_as_it_was_sent_and_in_no_other_case(
    cast: Cast, reference: str
) -> None:
    assert cast.council.posts("/plans", a_plan(reference)).status_code == 201
    told = cast.council.gets(f"/receipts/{reference}")
    assert (told.status_code, told.json()["reference"]) == (200, reference)
    if reference != reference.swapcase():
        then_refused(cast.council.gets(f"/receipts/{reference.swapcase()}"), 404)
