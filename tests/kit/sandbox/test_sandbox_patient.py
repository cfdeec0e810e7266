"""What a patient or proxy sees: a record in which a flag leaves no trace."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.kit.sandbox import sandbox_steps as steps
from tests.kit.sandbox.sandbox_steps import (
    Running,
    a_flag,
    a_task,
    when_asked,
    when_entered,
    when_pushed,
)

READERS = (steps.CHILD_READER, steps.PROXY)


@pytest.fixture
def gp(tmp_path: Path) -> Iterator[Running]:
    with steps.a_practice(tmp_path) as running:
        yield running


def every_byte(gp: Running, token: str, asked: str = "GET /patient/record") -> bytes:
    request = (
        f"{asked} HTTP/1.1\r\nHost: gp\r\nAuthorization: Bearer {token}\r\n"
        "Connection: close\r\nContent-Length: 0\r\n\r\n"
    )
    return steps.when_sent_raw(gp, request.encode())


def the_world(gp: Running) -> dict[str, bytes]:
    """All that a reader can get hold of, by every door that is known."""
    asked = [
        "GET /patient/record",
        "HEAD /patient/record",
        "POST /patient/record",
        "GET /patient/record?_summary=count",
        "GET /patient",
        "GET /fhir/Flag",
        f"GET {steps.by_identifier()}",
        "POST /fhir/Flag/_search",
        "GET /fhir/metadata",
        "POST /clinician/record",
    ]
    readers = (*READERS, steps.MOTHER_READER)
    return {f"{one} {token}": every_byte(gp, token, one) for one in asked for token in readers}


def shown(gp: Running, token: str = steps.CHILD_READER) -> list[Any]:
    bundle = when_asked(gp, "GET /patient/record", token=token).json
    return [entry["resource"] for entry in bundle["entry"]]


def test_every_byte_and_header_is_the_same_before_and_after_flags_come(gp: Running) -> None:
    when_entered(gp, steps.an_entry())
    before = the_world(gp)

    when_pushed(gp, a_flag("copy-1"))
    when_pushed(gp, a_flag("copy-1", status="inactive"))
    when_pushed(gp, a_flag("copy-2", about=steps.MOTHER))
    when_pushed(gp, a_flag("copy-3", meta={}))
    when_pushed(gp, a_task())

    assert the_world(gp) == before
    assert before[f"GET /patient/record {steps.PROXY}"].startswith(b"HTTP/1.1 200 OK\r\n")


def test_an_entry_made_after_a_flag_looks_as_if_no_flag_had_come(
    gp: Running, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with steps.a_practice(tmp_path_factory.mktemp("twin")) as twin:
        when_pushed(gp, a_flag())
        for world in (gp, twin):
            when_entered(world, steps.an_entry())
            when_entered(world, steps.an_entry("Observation"))

        assert [without_chance(one) for one in shown(gp)] == [
            without_chance(one) for one in shown(twin)
        ]


def without_chance(resource: dict[str, Any]) -> dict[str, Any]:
    """Without the random id, and the instant that the ticking clock of this test moves."""
    meta = {key: held for key, held in resource.get("meta", {}).items() if key != "lastUpdated"}
    return resource | {"id": "", "meta": meta}


def test_the_answer_carries_no_date_no_server_and_no_version(gp: Running) -> None:
    answer = when_asked(gp, "GET /patient/record", token=steps.CHILD_READER)

    names = {"Content-Type", "Content-Length", "Cache-Control", "Connection"}
    assert set(answer.headers) == names
    assert sorted(answer.json) == ["entry", "resourceType", "type"]
    assert (answer.json["resourceType"], answer.json["type"]) == ("Bundle", "collection")


@pytest.mark.parametrize("token", READERS, ids=["patient", "proxy"])
def test_a_reader_sees_the_person_and_the_ordinary_entries(gp: Running, token: str) -> None:
    entry = when_entered(gp, steps.an_entry()).json
    when_entered(gp, steps.an_entry(about=steps.MOTHER))

    person, *entries = shown(gp, token)

    assert entries == [entry]
    assert person["resourceType"] == "Patient"
    assert person["identifier"] == [{"system": steps.NHS_NUMBER, "value": steps.CHILD}]
    assert person["name"] == [{"text": "Robin Example"}]


@pytest.mark.parametrize(
    "system",
    [
        "http://terminology.hl7.org/CodeSystem/v3-ActCode",
        "http://hl7.org/fhir/v3/ActCode",
        "urn:oid:2.16.840.1.113883.4.642.3.47",
        "2.16.840.1.113883.4.642.3.47",
        "https://mistyped.example/ActCode",
        None,
    ],
)
def test_nopat_hides_an_entry_under_every_system(gp: Running, system: str | None) -> None:
    labels = [{"system": "https://a.example", "code": "R"}, {"system": system, "code": "NOPAT"}]
    when_entered(gp, steps.an_entry(meta={"security": labels}))

    assert len(shown(gp)) == 1


@pytest.mark.parametrize(
    "security",
    [
        {"system": steps.ACT_CODE, "code": "NOPAT"},
        [{"coding": [{"system": steps.ACT_CODE, "code": "NOPAT"}]}],
        ["NOPAT"],
        "NOPAT",
        None,
        [None],
        [{"system": steps.ACT_CODE, "code": " nopat "}],
        [{"system": steps.ACT_CODE, "display": "no disclosure to patient"}],
    ],
)
def test_a_label_that_cannot_be_read_hides_an_entry(gp: Running, security: object) -> None:
    when_entered(gp, steps.an_entry(meta={"security": security}))

    assert len(shown(gp)) == 1


@pytest.mark.parametrize(
    "more",
    [
        {"contained": [{"resourceType": "Flag", "id": "f"}]},
        {"contained": [{"resourceType": "Task", "id": "t"}]},
        {"contained": [{"resourceType": "Basic", "meta": {"security": [{"code": "NOPAT"}]}}]},
        {"evidence": [{"detail": [{"reference": "Flag/1"}]}]},
        {"evidence": [{"detail": [{"reference": "https://gp.example/fhir/Task/1"}]}]},
        {"evidence": [{"detail": [{"type": "Flag", "display": "see flag"}]}]},
    ],
)
def test_an_entry_that_holds_or_points_at_a_flag_is_hidden_whole(
    gp: Running, more: dict[str, Any]
) -> None:
    when_entered(gp, steps.an_entry(**more))

    assert len(shown(gp)) == 1


@pytest.mark.parametrize("code", ["N", "R", "NOPATX", "PERSISTLABEL"])
def test_another_label_hides_nothing(gp: Running, code: str) -> None:
    when_entered(gp, steps.an_entry(meta={"security": [{"system": "s", "code": code}]}))

    assert len(shown(gp)) == 2


def test_a_reader_whose_record_is_elsewhere_finds_nothing(gp: Running) -> None:
    (gp.folder / "patients.json").write_text("[]")

    answer = when_asked(gp, "GET /patient/record", token=steps.PROXY)

    steps.then_it_is_refused(answer, status=404)
