"""What the service pushes: conditional updates, and what is kept of them."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.kit.sandbox import sandbox_steps as steps
from tests.kit.sandbox.sandbox_steps import Running, a_flag, a_task, when_asked, when_pushed


@pytest.fixture
def gp(tmp_path: Path) -> Iterator[Running]:
    with steps.a_practice(tmp_path) as running:
        yield running


@pytest.mark.parametrize("resource", [a_flag(), a_task()], ids=["Flag", "Task"])
def test_the_first_push_creates_and_the_second_updates(
    gp: Running, resource: dict[str, Any]
) -> None:
    first = when_pushed(gp, resource)
    second = when_pushed(gp, resource)

    kind, identity = resource["resourceType"], first.json["id"]
    assert (first.status, second.status) == (201, 200)
    assert (first.headers["ETag"], second.headers["ETag"]) == ('W/"1"', 'W/"2"')
    assert first.headers["Location"] == f"{gp.base}/{kind}/{identity}/_history/1"
    assert second.headers["Location"] == f"{gp.base}/{kind}/{identity}/_history/2"
    assert first.headers["Last-Modified"] == "Sat, 01 Mar 2025 09:00:00 GMT"
    assert second.json["meta"]["lastUpdated"] == "2025-03-01T09:00:01.000Z"


def test_every_element_that_was_sent_is_kept(gp: Running) -> None:
    sent = a_flag(
        id="an-id-of-the-sender",
        meta={"profile": ["https://p.example/Flag"], "security": [{"code": "V"}], "versionId": "9"},
        extension=[{"url": "https://e.example/review", "valueDate": "2025-06-01"}],
        period={"start": "2025-03-01"},
        author={"display": "Bradfordshire — Ægis £"},
    )

    kept = when_pushed(gp, sent).json

    assert kept["id"] != sent["id"]
    server_meta = {"versionId": "1", "lastUpdated": "2025-03-01T09:00:00.000Z"}
    assert kept == sent | {"id": kept["id"], "meta": sent["meta"] | server_meta}


def test_a_decimal_keeps_its_precision(gp: Running) -> None:
    body = (
        b'{"resourceType":"Observation","status":"final","code":{"text":"Weight"},'
        b'"subject":{"identifier":{"system":"https://fhir.nhs.uk/Id/nhs-number",'
        b'"value":"9990001111"}},"valueQuantity":{"value":72.50,"unit":"kg"}}'
    )

    answer = when_asked(gp, "POST /fhir/Observation", body=body)

    assert b'"value":72.50,' in answer.body


def test_minimal_is_answered_without_a_body(gp: Running) -> None:
    answer = when_pushed(gp, a_flag(), headers={"Prefer": "return=minimal"})

    assert (answer.status, answer.body, answer.headers["ETag"]) == (201, b"", 'W/"1"')
    assert "Content-Type" not in answer.headers


def test_several_matches_are_refused_and_nothing_changes(gp: Running) -> None:
    shared = [{"system": steps.COPY, "value": value} for value in ("other", "copy-1")]
    when_pushed(gp, a_flag())
    when_pushed(gp, a_flag("other", identifier=shared))

    steps.then_it_is_refused(when_pushed(gp, a_flag(status="inactive")), status=412)
    assert len(steps.when_the_clinician_opens(gp)["flags"]) == 2


def test_an_update_that_drops_an_identifier_is_no_longer_found_by_it(gp: Running) -> None:
    both = [{"system": steps.COPY, "value": value} for value in ("copy-1", "old")]
    when_pushed(gp, a_flag(identifier=both))
    when_pushed(gp, a_flag())

    assert when_asked(gp, f"GET {steps.by_identifier('old')}").json["total"] == 0


def test_a_stale_version_is_refused(gp: Running) -> None:
    when_pushed(gp, a_flag())
    when_pushed(gp, a_flag(), headers={"If-Match": 'W/"1"'})

    stale = when_pushed(gp, a_flag(), headers={"If-Match": 'W/"1"'})

    steps.then_it_is_refused(stale, status=412)


def test_many_pushes_at_once_make_one_flag_and_each_version_once(gp: Running) -> None:
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: when_pushed(gp, a_flag()), range(32)))

    assert sorted(answer.status for answer in answers) == [200] * 31 + [201]
    assert len({answer.json["id"] for answer in answers}) == 1
    versions = sorted(int(answer.json["meta"]["versionId"]) for answer in answers)
    assert versions == list(range(1, 33))


def test_somebody_who_is_not_registered_is_not_found(gp: Running) -> None:
    answer = when_pushed(gp, a_flag(about=steps.ELSEWHERE))

    steps.then_it_is_refused(answer, status=404)


@pytest.mark.parametrize(
    "subject",
    [
        None,
        {},
        "Patient/1",
        {"reference": "Patient/1"},
        {"identifier": {"value": steps.CHILD}},
        {"identifier": {"system": "https://other.example", "value": steps.CHILD}},
        {"identifier": {"system": steps.NHS_NUMBER, "value": 9990001111}},
    ],
)
def test_a_flag_about_nobody_in_particular_is_unprocessable(gp: Running, subject: object) -> None:
    steps.then_it_is_refused(when_pushed(gp, a_flag(subject=subject)), status=422)


@pytest.mark.parametrize("status", [None, "", "on", ["active"]])
def test_a_status_that_the_type_does_not_have_is_unprocessable(gp: Running, status: object) -> None:
    steps.then_it_is_refused(when_pushed(gp, a_flag(status=status)), status=422)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?identifier=",
        "?identifier=copy-1",
        "?identifier=%7Ccopy-1",
        "?identifier=https://flagservice.example/Id/copy%7C",
        "?identifier=https://flagservice.example/Id/copy%7Cother",
        "?identifier=https://other.example%7Ccopy-1",
        "?identifier=https://flagservice.example/Id/copy%7Ccopy-1&status=active",
        "?identifier=https://flagservice.example/Id/copy%7Ccopy-1&identifier=a%7Cb",
        "?patient=1",
        "?identifier=%FF%7Ccopy-1",
    ],
)
def test_a_query_that_is_not_the_resources_own_identifier_is_bad(gp: Running, query: str) -> None:
    steps.then_it_is_refused(when_asked(gp, f"PUT /fhir/Flag{query}", body=a_flag()), status=400)


def test_a_resource_of_another_type_than_the_path_is_bad(gp: Running) -> None:
    answer = when_asked(gp, f"PUT {steps.by_identifier()}", body=a_task("copy-1"))

    steps.then_it_is_refused(answer, status=400)


@pytest.mark.parametrize("identifier", [None, {}, "x", [None], [{"value": "copy-1"}], [{}]])
def test_a_flag_without_its_identifier_is_bad(gp: Running, identifier: object) -> None:
    flag = a_flag(identifier=identifier)

    answer = when_asked(gp, f"PUT {steps.by_identifier()}", body=flag)

    steps.then_it_is_refused(answer, status=400)
