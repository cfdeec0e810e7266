"""What the service can check afterwards: read, vread, search, capability, journal."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.kit.sandbox import sandbox_steps as steps
from tests.kit.sandbox.sandbox_steps import Running, a_flag, a_task, when_asked, when_pushed

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def gp(tmp_path: Path) -> Iterator[Running]:
    with steps.a_practice(tmp_path) as running:
        yield running


def a_form(value: str = steps.CHILD, *, system: str = steps.NHS_NUMBER) -> bytes:
    return f"patient%3Aidentifier={quote(f'{system}|{value}', safe='')}".encode()


def test_a_flag_can_be_read_back_as_it_was_answered(gp: Running) -> None:
    pushed = when_pushed(gp, a_flag())

    read = when_asked(gp, f"GET /fhir/Flag/{pushed.json['id']}")

    assert (read.status, read.body, read.headers["ETag"]) == (200, pushed.body, 'W/"1"')


def test_each_version_stays_readable(gp: Running) -> None:
    versions = [when_pushed(gp, a_flag(status=status)) for status in ("active", "inactive")]
    here = f"/fhir/Flag/{versions[0].json['id']}"

    read = [when_asked(gp, f"GET {here}/_history/{number}").body for number in (1, 2)]

    assert read == [version.body for version in versions]
    assert when_asked(gp, f"GET {here}").body == versions[1].body
    steps.then_it_is_refused(when_asked(gp, f"GET {here}/_history/3"), status=404)


def test_a_flag_is_found_by_its_identifier(gp: Running) -> None:
    pushed = when_pushed(gp, a_flag())
    when_pushed(gp, a_flag("copy-2"))

    found = when_asked(gp, f"GET {steps.by_identifier()}").json

    assert (found["resourceType"], found["type"], found["total"]) == ("Bundle", "searchset", 1)
    assert found["link"] == [{"relation": "self", "url": gp.base[:-5] + steps.by_identifier()}]
    assert found["entry"] == [
        {
            "fullUrl": f"{gp.base}/Flag/{pushed.json['id']}",
            "resource": pushed.json,
            "search": {"mode": "match"},
        }
    ]


def test_what_is_held_about_a_person_is_found_without_the_number_in_an_address(gp: Running) -> None:
    when_pushed(gp, a_flag("copy-1"))
    when_pushed(gp, a_flag("copy-2", status="entered-in-error"))
    when_pushed(gp, a_flag("copy-3", about=steps.MOTHER))
    when_pushed(gp, a_task())

    flags = when_asked(gp, "POST /fhir/Flag/_search", body=a_form(), headers=FORM)
    tasks = when_asked(gp, "POST /fhir/Task/_search", body=a_form(), headers=FORM)

    values = [one["resource"]["identifier"][0]["value"] for one in flags.json["entry"]]
    assert values == ["copy-1", "copy-2"]
    assert (flags.json["total"], tasks.json["total"]) == (2, 1)
    assert "link" not in flags.json


def test_nothing_held_is_an_empty_answer_not_an_error(gp: Running) -> None:
    body = a_form(steps.ELSEWHERE)

    found = when_asked(gp, "POST /fhir/Flag/_search", body=body, headers=FORM)

    assert found.json == {"resourceType": "Bundle", "type": "searchset", "total": 0}


@pytest.mark.parametrize(
    "form",
    [b"", b"x", b"patient=1", b"patient%3Aidentifier=1", a_form(system="https://other.example")],
)
def test_a_search_that_does_not_say_who_is_bad(gp: Running, form: bytes) -> None:
    answer = when_asked(gp, "POST /fhir/Flag/_search", body=form, headers=FORM)

    steps.then_it_is_refused(answer, status=400)


@pytest.mark.parametrize("identity", ["nobody", "a" * 64, "a" * 65, "%00", "a/b"])
def test_what_was_never_kept_is_not_found(gp: Running, identity: str) -> None:
    steps.then_it_is_refused(when_asked(gp, f"GET /fhir/Flag/{identity}"), status=404)


@pytest.mark.parametrize("kind", ["Condition", "Observation"])
def test_an_ordinary_entry_is_created_and_can_be_read(gp: Running, kind: str) -> None:
    made = steps.when_entered(gp, steps.an_entry(kind))
    here = f"/fhir/{kind}/{made.json['id']}"

    assert (made.status, made.headers["Location"]) == (201, f"{gp.base[:-5]}{here}/_history/1")
    assert when_asked(gp, f"GET {here}").body == made.body
    assert when_asked(gp, f"GET {here}/_history/1").body == made.body
    steps.then_it_is_refused(when_asked(gp, f"GET {here}/_history/2"), status=404)


def test_the_capability_statement_says_r4(gp: Running) -> None:
    stated = when_asked(gp, "GET /fhir/metadata").json

    assert (stated["resourceType"], stated["fhirVersion"]) == ("CapabilityStatement", "4.0.1")
    kinds = {resource["type"]: resource for resource in stated["rest"][0]["resource"]}
    assert sorted(kinds) == ["Condition", "Flag", "Observation", "Task"]
    assert kinds["Flag"]["conditionalUpdate"] is True


def test_the_journal_holds_what_was_received_to_the_byte(gp: Running) -> None:
    body = b'{ "resourceType":"Flag",\t"n":"\xc3\xa9\xff" }'

    answer = when_asked(gp, "PUT /fhir/Flag?identifier=a%7Cb", body=body, headers={"X-Own": "1"})

    (line,) = steps.the_journal(gp)
    assert answer.status == line["status"] == 400
    assert (line["method"], line["target"]) == ("PUT", "/fhir/Flag?identifier=a%7Cb")
    assert line["body"].encode("utf-8", "surrogateescape") == body
    assert line["headers"]["X-Own"] == "1"
    assert line["headers"]["Authorization"] == f"Bearer {steps.PUSH}"


def test_the_journal_holds_the_refused_and_only_the_system_side(gp: Running) -> None:
    when_asked(gp, "GET /fhir/metadata", token="nobody")
    when_asked(gp, "GET /fhir/metadata", token=steps.CHILD_READER)
    when_asked(gp, "DELETE /fhir/Flag/1")
    when_asked(gp, "GET /patient/record", token=steps.CHILD_READER)
    steps.when_the_clinician_opens(gp)
    when_asked(gp, "GET /fhirst")

    assert [line["status"] for line in steps.the_journal(gp)] == [401, 404, 405]
