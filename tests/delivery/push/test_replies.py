"""Every reply has its outcome, and no reply but our own version, read back, is a delivery."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
import respx

from flagservice.admission.endpoints import Endpoint
from flagservice.delivery.push.channel import OutgoingVersion, Reply, SendOutcome
from flagservice.delivery.push.fhir_rest import FhirRest
from tests.delivery.steps import CHILD, GP, MOTHER, OWN

FLAG: dict[str, Any] = {
    "resourceType": "Flag",
    "id": "copy-1",
    "meta": {
        "versionId": "2",
        "security": [
            {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "NOPAT"},
            {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "V"},
        ],
    },
    "identifier": [
        {"system": "https://flagservice.example/Id/flag", "value": "copy-1"},
        {"system": "https://flagservice.example/Id/flag-version", "value": "version-2"},
    ],
    "status": "active",
    "code": {"coding": [{"system": "http://snomed.info/sct", "code": "342191000000101"}]},
    "subject": {"identifier": {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": CHILD}},
}
HELD = {**FLAG, "id": "theirs-77", "meta": {**FLAG["meta"], "versionId": "9", "source": "#x"}}
PUSHED = {"method": "PUT", "path": "/fhir/Flag"}
ASKED = {"method": "GET", "path": "/fhir/Flag"}


def with_(**more: Any) -> dict[str, Any]:
    return {**HELD, **more}


def a_bundle(*resources: object) -> dict[str, Any]:
    return {"resourceType": "Bundle", "entry": [{"resource": one} for one in resources]}


OTHER_VERSION = with_(identifier=[FLAG["identifier"][0], {"system": "s", "value": "version-1"}])
OTHER_PATIENT = with_(subject={"identifier": {**FLAG["subject"]["identifier"], "value": MOTHER}})
NO_LABELS = with_(meta={"versionId": "9"})
FEWER_LABELS = with_(meta={"security": FLAG["meta"]["security"][:1]})
NOT_HELD = [
    pytest.param(OTHER_VERSION, id="another version"),
    pytest.param(OTHER_PATIENT, id="another patient"),
    pytest.param(NO_LABELS, id="labels stripped"),
    pytest.param(FEWER_LABELS, id="a label stripped"),
    pytest.param(with_(meta={"security": [7, {"code": ["V"]}]}), id="labels that are none"),
    pytest.param(with_(meta=[]), id="no meta"),
    pytest.param(with_(status="inactive"), id="another status"),
    pytest.param(with_(code={"text": "U"}), id="another code"),
    pytest.param(with_(resourceType="Basic"), id="another resource"),
    pytest.param({"resourceType": "OperationOutcome"}, id="an outcome"),
    pytest.param([HELD], id="a list"),
    pytest.param("copy-1", id="a string"),
    pytest.param(None, id="null"),
]


@pytest.fixture
def gp() -> Iterator[respx.MockRouter]:
    with respx.mock(base_url="https://gp.example", assert_all_called=False) as router:
        yield router


@pytest.fixture
def channel() -> Iterator[FhirRest]:
    one = FhirRest(within=timedelta(seconds=5))
    yield one
    one.close()


def when_sent(channel: FhirRest) -> Reply:
    stored = json.dumps(FLAG).encode()
    return channel.send(OutgoingVersion(Endpoint(OWN, GP, "token-of-a-test"), stored))


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        *[(status, SendOutcome.UNKNOWN) for status in (408, 425, 500, 502, 503, 504, 599)],
        *[(status, SendOutcome.NOT_THEIRS) for status in (404, 410)],
        *[(status, SendOutcome.CREDENTIALS) for status in (401, 403)],
        *[(status, SendOutcome.POISONED) for status in (400, 405, 413, 415, 422, 428)],
        *[(status, SendOutcome.CONFLICT) for status in (409, 412)],
        *[(status, SendOutcome.ELSEWHERE) for status in (300, 301, 302, 303, 304, 307, 308)],
        *[(status, SendOutcome.UNVERIFIED) for status in (202, 203, 204, 206, 207)],
        (429, SendOutcome.BUSY),
    ],
)
def test_every_status_has_its_outcome(
    gp: respx.MockRouter, channel: FhirRest, status: int, outcome: SendOutcome
) -> None:
    gp.route(**PUSHED).respond(status, json=HELD if status != 204 else None)
    gp.route(**ASKED).respond(200, json=a_bundle())
    assert when_sent(channel).outcome is outcome


@pytest.mark.parametrize(
    "fault",
    [
        httpx.ConnectError,
        httpx.ConnectTimeout,
        httpx.ReadTimeout,
        httpx.WriteTimeout,
        httpx.PoolTimeout,
        httpx.ReadError,
        httpx.RemoteProtocolError,
        httpx.UnsupportedProtocol,
        OSError,
        UnicodeError,
    ],
)
def test_a_fault_on_the_way_is_an_unknown_outcome_and_no_exception(
    gp: respx.MockRouter, channel: FhirRest, fault: type[Exception]
) -> None:
    gp.route(**PUSHED).mock(side_effect=fault("broken"))
    assert when_sent(channel) == Reply(SendOutcome.UNKNOWN)


@pytest.mark.parametrize("location", ["https://elsewhere.example/Flag", "/fhir/Flag/1"])
def test_a_redirect_is_never_followed(
    gp: respx.MockRouter, channel: FhirRest, location: str
) -> None:
    gp.route(**PUSHED).respond(307, headers={"Location": location})
    assert when_sent(channel) == Reply(SendOutcome.ELSEWHERE)
    assert len(gp.calls) == 1


@pytest.mark.parametrize("status", [200, 201])
def test_an_echo_of_our_version_is_a_delivery_and_nothing_more_is_asked(
    gp: respx.MockRouter, channel: FhirRest, status: int
) -> None:
    gp.route(**PUSHED).respond(status, json=HELD)
    assert when_sent(channel) == Reply(SendOutcome.DELIVERED)
    assert [call.request.method for call in gp.calls] == ["PUT"]


@pytest.mark.parametrize("echo", NOT_HELD)
def test_any_other_echo_is_not_a_delivery(
    gp: respx.MockRouter, channel: FhirRest, echo: object
) -> None:
    gp.route(**PUSHED).respond(200, json=echo)
    gp.route(**ASKED).respond(200, json=a_bundle())
    assert when_sent(channel) == Reply(SendOutcome.UNVERIFIED)


@pytest.mark.parametrize("echo", [b"", b"<html>welcome</html>", b"\xff\xfe", b"[" * 5000, b"{}"])
def test_what_cannot_be_read_is_asked_for_by_our_version_and_that_is_a_delivery(
    gp: respx.MockRouter, channel: FhirRest, echo: bytes
) -> None:
    gp.route(**PUSHED).respond(201, content=echo)
    asked = gp.route(**ASKED).respond(200, json=a_bundle(HELD))
    assert when_sent(channel) == Reply(SendOutcome.DELIVERED)
    query = asked.calls.last.request.url.params["identifier"]
    assert query == "https://flagservice.example/Id/flag-version|version-2"


@pytest.mark.parametrize("held", NOT_HELD)
def test_anything_else_read_back_is_not_a_delivery(
    gp: respx.MockRouter, channel: FhirRest, held: object
) -> None:
    gp.route(**PUSHED).respond(201)
    gp.route(**ASKED).respond(200, json=a_bundle(held))
    assert when_sent(channel) == Reply(SendOutcome.UNVERIFIED)


@pytest.mark.parametrize(
    "bundle", [a_bundle(HELD, HELD), a_bundle(), {"entry": HELD}, {"entry": [1]}, HELD, [], "x"]
)
def test_two_of_it_or_none_read_back_is_not_a_delivery(
    gp: respx.MockRouter, channel: FhirRest, bundle: object
) -> None:
    gp.route(**PUSHED).respond(201)
    gp.route(**ASKED).respond(200, json=bundle)
    assert when_sent(channel) == Reply(SendOutcome.UNVERIFIED)


def test_a_receiver_that_is_gone_when_we_read_back_is_an_unknown_outcome(
    gp: respx.MockRouter, channel: FhirRest
) -> None:
    gp.route(**PUSHED).respond(201)
    gp.route(**ASKED).mock(side_effect=httpx.ReadTimeout("gone"))
    assert when_sent(channel) == Reply(SendOutcome.UNKNOWN)


@pytest.mark.parametrize("status", [409, 412])
def test_a_conflict_with_our_own_version_is_a_delivery(
    gp: respx.MockRouter, channel: FhirRest, status: int
) -> None:
    gp.route(**PUSHED).respond(status)
    gp.route(**ASKED).respond(200, json=a_bundle(HELD))
    assert when_sent(channel) == Reply(SendOutcome.DELIVERED)


@pytest.mark.parametrize(
    ("said", "after"),
    [
        ("0", timedelta(0)),
        ("120", timedelta(minutes=2)),
        ("99999", timedelta(seconds=99_999)),
        ("100000", timedelta(days=1)),
        ("9" * 5000, timedelta(days=1)),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        ("Fri, 31 Dec 9999 23:59:59 GMT", None),
    ],
)
def test_retry_after_is_read_in_seconds_and_nothing_else_is_believed(
    gp: respx.MockRouter, channel: FhirRest, said: str, after: timedelta | None
) -> None:
    gp.route(**PUSHED).respond(429, headers={"Retry-After": said})
    assert when_sent(channel) == Reply(SendOutcome.BUSY, after)


def test_the_body_has_no_id_and_is_otherwise_the_stored_bytes(
    gp: respx.MockRouter, channel: FhirRest
) -> None:
    pushed = gp.route(**PUSHED).respond(200, json=HELD)
    when_sent(channel)
    request = pushed.calls.last.request
    body = json.loads(request.content)
    assert "id" not in body
    assert list(body.items()) == [item for item in FLAG.items() if item[0] != "id"]
    assert request.url.params["identifier"] == "https://flagservice.example/Id/flag|copy-1"
    assert request.headers["Content-Type"] == "application/fhir+json"
    assert request.headers["Authorization"] == "Bearer token-of-a-test"


def test_no_number_of_a_person_stands_in_an_address_or_a_header(
    gp: respx.MockRouter, channel: FhirRest
) -> None:
    gp.route(**PUSHED).respond(201)
    gp.route(**ASKED).respond(200, json=a_bundle())
    when_sent(channel)
    assert len(gp.calls) == 2
    for call in gp.calls:
        assert CHILD not in str(call.request.url)
        assert CHILD not in str(call.request.headers)


def test_a_cookie_of_one_request_never_goes_out_with_the_next(
    gp: respx.MockRouter, channel: FhirRest
) -> None:
    gp.route(**PUSHED).respond(200, json=HELD, headers={"Set-Cookie": "session=1; Path=/"})
    when_sent(channel)
    when_sent(channel)
    assert all("Cookie" not in call.request.headers for call in gp.calls)
