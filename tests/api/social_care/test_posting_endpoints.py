"""Posting plans, enquiries and notifications: what is taken, what a repeat gets, who may."""

import json
from typing import Any

import pytest

from tests.api.answers import then_refused
from tests.api.steps import CHILD, FATHER, MOTHER, Cast, Client, a_notification, a_plan, an_enquiry
from tests.world import a_submission, person

KEY = "a1b2c3d4-0001"


def then_accepted(client: Client, path: str, body: dict[str, Any]) -> list[str]:
    """Taken in as new, durably; answers the receipt's words."""
    answer = client.posts(path, body)
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert told.keys() == {"reference", "version", "submission", "records"}
    assert (told["reference"], told["version"]) == (body["reference"], body["version"])
    assert told["submission"] == "accepted"
    assert [record["role"] for record in told["records"]] == [p["role"] for p in body["people"]]
    return [record["status"] for record in told["records"]]


def test_childrens_services_post_a_child_protection_plan(any_cast: Cast) -> None:
    assert then_accepted(any_cast.council, "/plans", a_plan()) == ["placed", "placed", "placed"]
    assert len(any_cast.service.leaves("submitted")) == 1
    assert len(any_cast.service.leaves("disclosed")) == 3
    assert any_cast.service.rows()["delivery"] == 3


def test_childrens_services_post_a_child_in_need_plan_before_birth(cast: Cast) -> None:
    people = [
        {"role": "unborn", "expected_date": "2022-03-09"},
        person("mother", *MOTHER, knows="knows"),
    ]
    body = a_submission("child-in-need", "CIN-1", *people)
    answer = cast.council.posts("/plans", body)
    assert answer.status_code == 201
    assert answer.json()["records"] == [{"person": 1, "role": "mother", "status": "placed"}]


def test_childrens_services_post_an_enquiry(any_cast: Cast) -> None:
    assert then_accepted(any_cast.council, "/enquiries", an_enquiry()) == ["placed", "requested"]


def test_police_post_a_notification_and_are_told_only_that_it_was_received(any_cast: Cast) -> None:
    body = a_notification(
        people=[
            person("father", *FATHER, standing="alleged-perpetrator", knows="must-not-know"),
            person("mother", *MOTHER, standing="victim", knows="knows"),
            person("child", *CHILD, standing="victim"),
        ]
    )
    assert then_accepted(any_cast.police, "/notifications", body) == ["received"] * 3


def test_health_visitors_post_a_child_in_need_plan(cast: Cast) -> None:
    body = a_submission("child-in-need", "HV-1", person("child", *CHILD))
    assert then_accepted(cast.health, "/plans", body) == ["placed"]


def test_health_visitors_post_no_child_protection_plan(cast: Cast) -> None:
    with cast.service.storing_nothing():
        then_refused(cast.health.posts("/plans", a_plan()), 403)


def test_nobody_posts_what_is_another_agencys(cast: Cast) -> None:
    for client, path, body in (
        (cast.police, "/plans", a_plan()),
        (cast.police, "/enquiries", an_enquiry()),
        (cast.council, "/notifications", a_notification()),
        (cast.health, "/enquiries", an_enquiry()),
        (cast.practice, "/plans", a_plan()),
        (cast.governance, "/plans", a_plan()),
    ):
        with cast.service.storing_nothing():
            then_refused(client.posts(path, body), 403)


def test_a_kind_goes_to_its_own_address_alone(cast: Cast) -> None:
    for path, body in (("/plans", an_enquiry()), ("/enquiries", a_plan())):
        with cast.service.storing_nothing():
            answer = cast.council.posts(path, body)
        assert ("kind", "is none of the allowed words") in [
            (fault["field"], fault["rule"]) for fault in answer.json()["errors"]
        ]


def test_the_same_submission_again_is_accepted_before(any_cast: Cast) -> None:
    any_cast.council.posts("/plans", a_plan())
    rows = any_cast.service.rows()
    again = any_cast.council.posts("/plans", a_plan())
    assert again.status_code == 200
    assert again.json()["submission"] == "accepted before"
    assert any_cast.service.rows() == rows


def test_the_same_submission_written_otherwise_is_the_same_submission(cast: Cast) -> None:
    cast.council.posts("/plans", a_plan())
    spaced = json.dumps(a_plan(), indent=2, sort_keys=True).encode()
    assert cast.council.posts("/plans", spaced).json()["submission"] == "accepted before"


def test_a_reference_and_version_with_another_body_is_a_conflict(any_cast: Cast) -> None:
    any_cast.council.posts("/plans", a_plan())
    with any_cast.service.storing_nothing():
        answer = any_cast.council.posts("/plans", a_plan(categories=["neglect"]))
    then_refused(answer, 409)
    assert "version" in answer.json()["title"]


def test_a_reference_keeps_its_kind(cast: Cast) -> None:
    cast.council.posts("/plans", a_plan())
    body = a_submission("child-in-need", "CPP-1", person("child", *CHILD), version=2)
    with cast.service.storing_nothing():
        answer = cast.council.posts("/plans", body)
    then_refused(answer, 422, ("kind", "this reference belongs to another kind"))


def test_a_version_that_arrives_late_is_superseded_and_has_no_records(cast: Cast) -> None:
    cast.council.posts("/plans", a_plan(version=2))
    late = cast.council.posts("/plans", a_plan(version=1))
    assert late.status_code == 200
    assert late.json() == {
        "reference": "CPP-1",
        "version": 1,
        "submission": "superseded",
        "records": [],
    }


def test_an_adult_is_added_by_the_next_version(cast: Cast) -> None:
    alone = a_plan(people=[person("child", *CHILD)])
    assert then_accepted(cast.council, "/plans", alone) == ["placed"]
    assert then_accepted(cast.council, "/plans", a_plan(version=2)) == ["placed"] * 3


def test_a_plan_is_ended_by_the_next_version(cast: Cast) -> None:
    cast.council.posts("/plans", a_plan())
    ended = a_plan(version=2, end="2022-01-04")
    assert then_accepted(cast.council, "/plans", ended) == ["ended"] * 3


def test_two_organisations_may_use_one_reference(cast: Cast) -> None:
    cast.council.posts("/plans", a_plan("REF-1"))
    body = a_notification(reference="REF-1")
    assert then_accepted(cast.police, "/notifications", body) == ["received"]


def test_one_idempotency_key_gets_one_answer_to_the_byte(any_cast: Cast) -> None:
    first = any_cast.council.posts("/plans", a_plan(), Idempotency_Key=KEY)
    any_cast.council.posts("/plans", a_plan(version=2, categories=["neglect"]))
    rows = any_cast.service.rows()
    again = any_cast.council.posts("/plans", a_plan(), Idempotency_Key=KEY)
    assert first.status_code == again.status_code == 201
    assert again.content == first.content
    assert any_cast.service.rows() == rows


def test_an_idempotency_key_with_another_body_is_a_conflict(any_cast: Cast) -> None:
    any_cast.council.posts("/plans", a_plan(), Idempotency_Key=KEY)
    with any_cast.service.storing_nothing():
        answer = any_cast.council.posts("/plans", a_plan(version=2), Idempotency_Key=KEY)
    then_refused(answer, 409)
    assert "Idempotency-Key" in answer.json()["title"]
    assert KEY not in answer.text


def test_an_idempotency_key_belongs_to_its_client(cast: Cast) -> None:
    cast.council.posts("/plans", a_plan(), Idempotency_Key=KEY)
    other = cast.police.posts("/notifications", a_notification(), Idempotency_Key=KEY)
    assert other.status_code == 201


def test_what_was_refused_does_not_use_an_idempotency_key_up(cast: Cast) -> None:
    refused = cast.council.posts("/plans", a_plan(end="2022-01-05"), Idempotency_Key=KEY)
    assert refused.status_code == 422
    assert cast.council.posts("/plans", a_plan(), Idempotency_Key=KEY).status_code == 201


@pytest.mark.parametrize("key", ["short", "x" * 129])
def test_an_idempotency_key_has_a_length(cast: Cast, key: str) -> None:
    with cast.service.storing_nothing():
        answer = cast.council.posts("/plans", a_plan(), Idempotency_Key=key)
    then_refused(answer, 422, ("Idempotency-Key", "is missing or does not fit"))
    assert key not in answer.text


def test_one_submission_posted_several_times_at_once_is_taken_once(any_cast: Cast) -> None:
    headers = {"Authorization": f"Bearer {any_cast.council.token()}", "Idempotency-Key": KEY}
    asked = [("POST", "/plans", {"json": a_plan(), "headers": headers})] * 4
    answers = any_cast.service.send_together(*asked)
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert any_cast.service.rows()["submission"] == 1


def test_an_organisation_without_a_duty_desk_posts_nothing(cast: Cast) -> None:
    cast.service.rehomes(cast.council, "E99999999")
    with cast.service.storing_nothing():
        then_refused(cast.council.posts("/plans", a_plan()), 403)
