"""What is true of every answer, whatever was asked: its form, its ids, and what it never says."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from flagservice.api import governance, monitoring, social_care
from flagservice.api.access.callers import Api
from flagservice.api.records import routes
from flagservice.audit.log import Log
from flagservice.delivery.pull import feed, search
from flagservice.delivery.watch import manual_list
from tests.api.answers import FHIR, then_refused
from tests.api.steps import CHILD, FORM, Cast, Client, Service, a_plan

CANARY = "9990001111 Zebedee Quartermaine"
A_UUID = "1ab5f8e4-07c6-4a3c-9d3b-3f6f5ac0e6b1"
HEADERS = ["X-Request-ID", "X-Correlation-ID"]
ORGANISATION = "NHSD-End-User-Organisation-ODS"


@pytest.mark.parametrize(
    "path", ["/", "/nothing", "/plans/1", "/holds/", "/docs/oauth2-redirect", "/redoc", "/%ff"]
)
def test_an_unknown_address_is_a_problem(house: Cast, path: str) -> None:
    with house.service.storing_nothing():
        answer = house.service.send("GET", path)
    then_refused(answer, 404)
    assert answer.json() == {
        "type": "about:blank",
        "status": 404,
        "title": "there is nothing here",
        "errors": [],
    }


@pytest.mark.parametrize("path", ["", "/", "/Patient/1", "/Flag/1/2/3", f"/Patient/{CHILD[0]}"])
def test_an_unknown_address_below_fhir_is_an_operation_outcome(house: Cast, path: str) -> None:
    with house.service.storing_nothing():
        answer = house.service.send("GET", FHIR + path)
    then_refused(answer, 404)
    (issue,) = answer.json()["issue"]
    assert (issue["severity"], issue["code"]) == ("error", "not-found")
    assert issue["details"]["coding"][0]["code"] == "RESOURCE_NOT_FOUND"
    assert CHILD[0] not in answer.text + repr(house.service.leaves("refused")[-1])


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/plans", "POST"),
        ("DELETE", "/holds", "GET"),
        ("POST", "/_ping", "GET"),
        ("HEAD", "/_ping", "GET"),
        ("OPTIONS", "/receipts/CPP-1", "GET"),
        ("GET", "/oauth2/token", "POST"),
        ("PUT", f"{FHIR}/Flag/1", "GET"),
        ("DELETE", f"{FHIR}/Flag/1", "GET"),
        ("POST", f"{FHIR}/Flag/_history", "GET"),
        ("HEAD", f"{FHIR}/Flag/1", "GET"),
        ("GET", f"{FHIR}/$acknowledge", "POST"),
    ],
)
def test_a_method_that_is_not_allowed_is_refused_with_what_is(
    house: Cast, method: str, path: str, allowed: str
) -> None:
    with house.service.storing_nothing():
        answer = house.service.send(method, path)
    then_refused(answer, 405)
    assert answer.headers["Allow"] == allowed


@pytest.mark.parametrize("header", HEADERS)
def test_an_id_that_is_a_uuid_is_mirrored(house: Cast, header: str) -> None:
    for path in ("/holds", "/nothing", f"{FHIR}/metadata", f"{FHIR}/Flag/1", "/receipts/none"):
        given = str(uuid.uuid4()).upper()
        answer = house.council.gets(path, headers={header: given})
        assert answer.headers[header] == given


def test_both_ids_are_mirrored_and_the_request_is_in_the_audit_by_its_own(house: Cast) -> None:
    given = {name: str(uuid.uuid4()) for name in HEADERS}
    answer = house.police.gets("/holds", headers=given)
    assert {name: answer.headers[name] for name in HEADERS} == given
    assert house.service.leaves("worklist-read")[-1]["request"] == given["X-Request-ID"]
    then_refused(house.police.gets("/receipts/none", headers=given), 404)
    assert house.service.leaves("refused")[-1]["request"] == given["X-Request-ID"]


def test_a_request_without_an_id_is_given_one(house: Cast) -> None:
    one, two = (house.police.gets("/holds").headers["X-Request-ID"] for _ in range(2))
    assert one != two
    assert "X-Correlation-ID" not in house.police.gets("/holds").headers


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize("given", ["1", "", CHILD[0], f"{{{A_UUID}}}", f"{A_UUID}x"])
@pytest.mark.parametrize(
    "path",
    [
        "/holds",
        "/governance/rulings",
        "/_status",
        "/_ping",
        "/nothing",
        f"{FHIR}/Flag/_history",
        f"{FHIR}/Flag",
        f"{FHIR}/metadata",
        f"{FHIR}/nothing",
    ],
)
def test_an_id_that_is_no_uuid_is_refused_by_name(
    house: Cast, header: str, given: str, path: str
) -> None:
    with house.service.storing_nothing():
        answer = house.council.gets(path, headers={header: given})
    then_refused(answer, 422, (header.lower(), "is a UUID"))
    assert answer.headers["X-Request-ID"] != given
    assert CHILD[0] not in answer.text + str(answer.headers.raw)
    assert CHILD[0] not in repr(house.service.leaves("refused")[-1])


@pytest.mark.parametrize("header", HEADERS)
def test_an_id_that_is_given_twice_is_refused(house: Cast, header: str) -> None:
    answer = house.service.send("GET", "/_ping", headers=[(header, A_UUID), (header, A_UUID)])
    then_refused(answer, 422, (header.lower(), "is given once"))


@pytest.mark.parametrize("given", ["", "e08000032", "E0", "E08000032,Q0WYP", CHILD[0] + "1"])
@pytest.mark.parametrize("path", ["/holds", "/_ping", f"{FHIR}/Flag"])
def test_an_organisation_that_is_no_ods_code_is_refused_by_name(
    house: Cast, given: str, path: str
) -> None:
    with house.service.storing_nothing():
        answer = house.council.gets(path, headers={ORGANISATION: given})
    then_refused(answer, 422, (ORGANISATION.lower(), "is one ODS code"))


def test_a_client_acts_for_its_own_organisation_alone(house: Cast) -> None:
    own = house.council.gets("/holds", headers={ORGANISATION: house.council.ods})
    assert own.status_code == 200
    assert house.service.leaves("worklist-read")[-1]["ods"] == house.council.ods
    with house.service.storing_nothing():
        then_refused(house.council.gets("/holds", headers={ORGANISATION: house.police.ods}), 403)
    leaf = house.service.leaves("refused")[-1]
    assert leaf["ods"] == house.council.ods
    assert leaf["about"]["organisation"] == house.police.ods


def test_whoever_has_no_token_acts_for_nobody(house: Cast) -> None:
    then_refused(house.service.send("GET", "/holds", headers={ORGANISATION: "E08000032"}), 401)


@pytest.mark.parametrize("header", HEADERS)
def test_an_id_that_is_no_uuid_stops_a_post(house: Cast, header: str) -> None:
    headers = {header: "1", "Content-Type": "application/json"}
    with house.service.storing_nothing():
        answer = house.council.calls("POST", "/plans", json=a_plan(), headers=headers)
    then_refused(answer, 422, (header.lower(), "is a UUID"))
    token = house.service.send(
        "POST", "/oauth2/token", content=b"a=b", headers={header: "1", "Content-Type": FORM}
    )
    then_refused(token, 422, (header.lower(), "is a UUID"))


def broken(*_: object, **__: object) -> Any:
    raise RuntimeError(CANARY)


def every_fault(cast: Cast, patch: pytest.MonkeyPatch) -> Iterator[httpx.Response]:
    """Each face breaks inside, with somebody's number and name in the exception."""
    for module, name in (
        (social_care, "submit"),
        (social_care, "worklist"),
        (feed, "feed"),
        (search, "search"),
        (governance, "rulings"),
        (manual_list, "waiting"),
        (monitoring, "service_status"),
    ):
        patch.setattr(module, name, broken)
    yield cast.council.posts("/plans", a_plan())
    yield cast.council.gets("/holds")
    yield cast.practice.gets(f"{FHIR}/Flag/_history", headers={"Prefer": "handling=strict"})
    yield cast.practice.gets(f"{FHIR}/Flag")
    yield cast.governance.gets("/governance/rulings")
    yield cast.governance.gets("/governance/manual-list")
    yield cast.operator.gets("/_status")


def test_a_fault_of_ours_says_that_it_is_recorded_and_nothing_else(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, said: pytest.CaptureFixture[str]
) -> None:
    rows = cast.service.rows()
    answers = list(every_fault(cast, monkeypatch))
    assert [answer.status_code for answer in answers] == [500] * 7
    lines = [json.loads(line) for line in said.readouterr().err.splitlines()]
    for answer, line in zip(answers, lines, strict=True):
        told = answer.text + str(answer.headers.raw) + repr(line)
        for secret in ("Zebedee", CHILD[0], "RuntimeError:", "Traceback", ".py"):
            assert secret not in told
        assert line["error"] == "RuntimeError"
        assert line["request_id"] == answer.headers["X-Request-ID"]
    assert cast.service.rows() == rows
    assert [leaf["about"]["status"] for leaf in cast.service.leaves("refused")] == [500] * 7


def test_a_fault_of_the_metadata_is_an_operation_outcome(
    house: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "statement", broken)
    answer = house.service.send("GET", f"{FHIR}/metadata")
    then_refused(answer, 500)
    assert answer.json()["issue"][0]["code"] == "exception"


def test_nothing_is_answered_where_the_audit_cannot_be_written(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, said: pytest.CaptureFixture[str]
) -> None:
    cast.council.gets("/holds")
    monkeypatch.setattr(Log, "perform", broken)
    for answer in (
        cast.service.send("GET", "/nothing"),
        cast.service.send("GET", f"{FHIR}/nothing"),
        cast.council.gets("/holds"),
    ):
        then_refused(answer, 503)
        assert "Zebedee" not in answer.text
    assert "Zebedee" not in said.readouterr().err


def test_a_refusal_is_in_the_audit_by_route_and_never_by_address(cast: Cast) -> None:
    then_refused(cast.council.gets(f"/receipts/{CHILD[0]}"), 404)
    leaf = cast.service.leaves("refused")[-1]
    assert leaf["about"] == {"method": "GET", "route": "/receipts/{reference:path}", "status": 404}
    assert (leaf["actor"], leaf["ods"]) == (cast.council.id, "E08000032")
    cast.service.send("GET", "/holds")
    assert cast.service.leaves("refused")[-1]["actor"] == "outsider"


def test_a_refusal_is_durable_before_its_first_byte(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever sends an answer finds its leaf in the database already."""
    seen: list[int] = []

    async def watched(scope: Any, receive: Any, send: Any) -> None:
        async def watching(message: Any) -> None:
            if message["type"] == "http.response.start":
                seen.append(len(cast.service.leaves("refused")))
            await send(message)

        await inner(scope, receive, watching)

    inner = cast.service.app
    monkeypatch.setattr(cast.service, "app", watched)
    then_refused(cast.service.send("GET", "/nothing"), 404)
    then_refused(cast.service.send("GET", "/holds"), 401)
    assert seen == [1, 2]


def test_an_outsider_gets_the_same_bytes_whether_or_not_there_are_flags(cast: Cast) -> None:
    def outside() -> list[tuple[int, bytes, list[tuple[str, str]]]]:
        paths = ["/holds", "/receipts/CPP-1", f"{FHIR}/Flag", f"{FHIR}/Task/_history", "/_status"]
        paths += [f"{FHIR}/metadata", "/_ping", "/metrics", "/governance/rulings"]
        ids = {"X-Request-ID": str(uuid.UUID(int=1))}
        found = [cast.service.send("GET", path, headers=ids) for path in paths]
        found += [by_police(cast.police, path, ids) for path in paths]
        return [(a.status_code, a.content, a.headers.multi_items()) for a in found]

    before = outside()
    cast.council.posts("/plans", a_plan())
    assert outside() == before


def by_police(client: Client, path: str, ids: dict[str, str]) -> httpx.Response:
    return client.gets(path, headers=ids)


def test_no_face_is_there_for_patients(house: Cast) -> None:
    service_: Service = house.service
    for path in ("/patient", "/Patient", f"{FHIR}/Patient", f"{FHIR}/Patient/1/$everything"):
        then_refused(service_.send("GET", path), 404)
    assert not [
        path for path in service_.fastapi.openapi()["paths"] if "atient" in path or "{nhs" in path
    ]


def test_the_face_holds_no_settings(house: Cast) -> None:
    api: Api = house.service.fastapi.state.api
    assert api.base == f"https://flags.example{FHIR}"
