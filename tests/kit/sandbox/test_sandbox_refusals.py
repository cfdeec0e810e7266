"""What is refused, and that a refusal neither tells nor repeats anything."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from flagservice.kit.sandbox.server import MOST_BYTES
from tests.kit.sandbox import sandbox_steps as steps
from tests.kit.sandbox.sandbox_steps import Running, a_flag, when_asked, when_pushed

SYSTEM_PATHS = ["/fhir/metadata", "/fhir/Flag/1", "/fhir/Flag", "/fhir/Condition", "/fhir"]
CLINICIAN_PATHS = ["/clinician/record", "/clinician/patients"]
PATIENT_PATHS = ["/patient/record"]


@pytest.fixture
def gp(tmp_path: Path) -> Iterator[Running]:
    with steps.a_practice(tmp_path) as running:
        yield running


@pytest.mark.parametrize("path", [*SYSTEM_PATHS, *CLINICIAN_PATHS, *PATIENT_PATHS, "/nowhere"])
@pytest.mark.parametrize("token", [None, "", "nobody"])
def test_an_unknown_caller_is_asked_who_it_is_everywhere(
    gp: Running, path: str, token: str | None
) -> None:
    answer = when_asked(gp, f"GET {path}", token=token)

    steps.then_it_is_refused(answer, status=401)
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_token_counts_only_as_a_bearer_token(gp: Running) -> None:
    basic = {"Authorization": f"Basic {steps.PUSH}"}

    steps.then_it_is_refused(
        when_asked(gp, "GET /fhir/metadata", token=None, headers=basic), status=401
    )


@pytest.mark.parametrize(
    ("token", "paths"),
    [
        (steps.PUSH, [*CLINICIAN_PATHS, *PATIENT_PATHS]),
        (steps.CLINICIAN, [*SYSTEM_PATHS, *PATIENT_PATHS]),
        (steps.CHILD_READER, [*SYSTEM_PATHS, *CLINICIAN_PATHS]),
        (steps.PROXY, [*SYSTEM_PATHS, *CLINICIAN_PATHS]),
    ],
)
def test_the_other_sides_look_like_paths_that_do_not_exist(
    gp: Running, token: str, paths: list[str]
) -> None:
    for method in ("GET", "POST", "PUT", "DELETE"):
        nowhere = when_asked(gp, f"{method} /nowhere", token=token)
        steps.then_it_is_refused(nowhere, status=404)
        for path in paths:
            assert when_asked(gp, f"{method} {path}", token=token) == nowhere


@pytest.mark.parametrize("path", ["/", "/fhir", "/fhir/", "/fhir/Patient", "/fhir/Flag/", "*"])
def test_an_unknown_path_is_not_found(gp: Running, path: str) -> None:
    steps.then_it_is_refused(when_asked(gp, f"GET {path}"), status=404)


@pytest.mark.parametrize(
    ("asked", "allowed"),
    [
        ("DELETE /fhir/Flag/1", "GET"),
        ("POST /fhir/Flag", "PUT, GET"),
        ("PATCH /fhir/Flag", "PUT, GET"),
        ("DELETE /fhir/Condition", "PUT, GET, POST"),
        ("GET /fhir/Task/_search", "POST"),
        ("BREW /fhir/metadata", "GET"),
    ],
)
def test_a_method_that_is_not_offered_is_refused(gp: Running, asked: str, allowed: str) -> None:
    answer = when_asked(gp, asked)

    steps.then_it_is_refused(answer, status=405)
    assert answer.headers["Allow"] == allowed


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"Flag"', b"[" * 100_000])
def test_a_body_that_is_not_a_resource_is_bad(gp: Running, body: bytes) -> None:
    answer = when_asked(gp, f"PUT {steps.by_identifier()}", body=body)

    steps.then_it_is_refused(answer, status=400)


@pytest.mark.parametrize(
    "slip",
    [
        b"NaN",
        b"-Infinity",
        b'"\xff"',
        b'"\\ud800"',
        b'{"a":1,"a":2}',
        b"9" * 5000,
        b"01",
        b"[1,]",
        b"[" * 64 + b"]" * 64,
        b"[" * 5000 + b"]" * 5000,
    ],
)
def test_one_slip_against_strict_json_makes_a_good_flag_bad(gp: Running, slip: bytes) -> None:
    good = json.dumps(a_flag()).encode()
    bad = good[:-1] + b',"note":' + slip + b"}"

    steps.then_it_is_refused(when_asked(gp, f"PUT {steps.by_identifier()}", body=bad), status=400)
    assert when_asked(gp, f"PUT {steps.by_identifier()}", body=good).status == 201


def test_a_flag_as_deep_as_is_taken_can_still_be_shown(gp: Running) -> None:
    deepest = json.loads("[" * 63 + "]" * 63)

    kept = when_pushed(gp, a_flag(note=deepest))

    assert kept.status == 201
    assert steps.when_the_clinician_opens(gp)["flags"] == [kept.json]
    assert when_asked(gp, f"GET {steps.by_identifier()}").json["total"] == 1


@pytest.mark.parametrize("meta", [[], "", None, 1])
def test_a_meta_that_is_not_an_object_is_bad(gp: Running, meta: object) -> None:
    steps.then_it_is_refused(when_pushed(gp, a_flag(meta=meta)), status=400)


def test_an_answer_to_head_has_no_body(gp: Running) -> None:
    head = f"HEAD /fhir/metadata HTTP/1.1\r\nAuthorization: Bearer {steps.PUSH}\r\n"

    answer = steps.when_sent_raw(gp, f"{head}Connection: close\r\n\r\n".encode())

    assert answer.startswith(b"HTTP/1.1 405 ")
    assert answer.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("sent", ["text/plain", "application/xml", ""])
def test_a_body_of_another_type_is_not_read(gp: Running, sent: str) -> None:
    answer = when_pushed(gp, a_flag(), headers={"Content-Type": sent})

    steps.then_it_is_refused(answer, status=415)


def test_a_body_of_one_megabyte_is_taken_and_one_byte_more_is_not(gp: Running) -> None:
    flag = json.dumps(a_flag()).encode()
    target = f"PUT {steps.by_identifier()}"

    most = when_asked(gp, target, body=flag.ljust(MOST_BYTES))
    more = when_asked(gp, target, body=flag.ljust(MOST_BYTES + 1))

    assert most.status == 201
    steps.then_it_is_refused(more, status=413)
    assert [line["status"] for line in steps.the_journal(gp)] == [201, 413]


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("Transfer-Encoding: chunked", 411),
        ("Content-Length: x", 400),
        ("Content-Length: -1", 400),
        ("Content-Length: 2\r\nContent-Length: 3", 400),
        ("Content-Length: 9", 400),
        ("Content-Length: 99999999999999999999999", 413),
    ],
)
def test_a_body_whose_end_is_not_known_is_not_read(gp: Running, head: str, status: int) -> None:
    request = (
        f"PUT {steps.by_identifier()} HTTP/1.1\r\nAuthorization: Bearer {steps.PUSH}\r\n"
        f"{head}\r\n\r\n{{}}"
    )

    answer = steps.when_sent_raw(gp, request.encode())

    then_the_raw_answer_is_refused(answer, status=status)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"SECRET\r\n\r\n", 400),
        (b"GET /SECRET HTTP/9.9\r\n\r\n", 505),
        (b"GET /SECRET HTTP/1.1 SECRET\r\n\r\n", 400),
        (b"GET /" + b"SECRET" * 20_000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nA: " + b"SECRET" * 20_000 + b"\r\n\r\n", 431),
    ],
)
def test_what_is_hardly_a_request_is_refused_in_the_same_shape(
    gp: Running, sent: bytes, status: int
) -> None:
    answer = steps.when_sent_raw(gp, sent)

    then_the_raw_answer_is_refused(answer, status=status)
    assert b"SECRET" not in answer


def test_no_refusal_repeats_what_was_sent(gp: Running) -> None:
    secret = "SECRET-9990002517"
    body = a_flag(secret, about=steps.ELSEWHERE, status=secret)
    answers = [
        when_pushed(gp, a_flag(secret, about=steps.ELSEWHERE), headers={"X-Request-ID": secret}),
        when_pushed(gp, body),
        when_asked(gp, f"GET /fhir/Flag/{secret}"),
        when_asked(gp, f"GET /{secret}"),
        when_asked(gp, "GET /fhir/metadata", token=secret),
        when_asked(gp, f"{secret} /fhir/metadata"),
        when_asked(gp, f"PUT /fhir/Flag?{secret}", body=body),
        when_asked(gp, f"PUT {steps.by_identifier()}", body=secret.encode()),
    ]

    assert [answer.status for answer in answers] == [404, 422, 404, 404, 401, 405, 422, 400]
    for answer in answers:
        said = answer.body.decode() + json.dumps(answer.headers)
        assert "SECRET" not in said
        assert steps.ELSEWHERE not in said


def then_the_raw_answer_is_refused(answer: bytes, *, status: int) -> None:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.split(b" ", maxsplit=2)[1] == str(status).encode()
    assert json.loads(body)["resourceType"] == "OperationOutcome"
