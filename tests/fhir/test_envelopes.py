"""What stands around stored bytes: bundles, outcomes and the capability statement."""

import json
from datetime import UTC, date, datetime

import pytest
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.capabilitystatement import CapabilityStatement
from fhir.resources.R4B.operationoutcome import OperationOutcome

from flagservice.domain.copies import Form
from flagservice.domain.errors import Fault
from flagservice.fhir.bundles import IssuedVersion, history, searchset
from flagservice.fhir.capability import Interaction, statement
from flagservice.fhir.labels import security
from flagservice.fhir.outcomes import outcome

BASE = "https://flagservice.example/fhir/R4"
AT = datetime(2022, 1, 4, 9, 0, 0, 7_000, tzinfo=UTC)
STORED = b'{"resourceType":"Flag","id":"c1","status":"active","code":{"text":"x"},"subject":{}}'


def an_entry(form: Form = Form.FLAG, *, content: bytes = STORED, number: int = 2) -> IssuedVersion:
    return IssuedVersion("c1", form, number, 7, AT, content)


def test_a_search_answers_with_the_stored_bytes_as_they_are() -> None:
    written = searchset([an_entry()], base=BASE, link="Flag/_search")
    assert STORED in written
    bundle = json.loads(written)
    Bundle.model_validate(bundle)
    assert bundle["type"] == "searchset"
    assert bundle["link"] == [{"relation": "self", "url": f"{BASE}/Flag/_search"}]
    (entry,) = bundle["entry"]
    assert entry["fullUrl"] == f"{BASE}/Flag/c1"
    assert entry["search"] == {"mode": "match"}


def test_an_empty_answer_has_no_entry_and_no_count() -> None:
    bundle = json.loads(searchset([], base=BASE, link="Flag/_search"))
    assert "entry" not in bundle
    assert "total" not in bundle
    assert [one["code"] for one in bundle["meta"]["security"]] == ["NOPAT", "PERSISTLABEL"]


def test_a_feed_page_carries_each_number_and_leads_to_the_next() -> None:
    written = history(
        [an_entry(Form.REQUEST)], base=BASE, link="_history", next_="_history?cursor=7"
    )
    bundle = json.loads(written)
    Bundle.model_validate(bundle)
    assert bundle["link"][1] == {"relation": "next", "url": f"{BASE}/_history?cursor=7"}
    (entry,) = bundle["entry"]
    assert entry["extension"][0]["valuePositiveInt"] == 7
    assert entry["request"] == {"method": "PUT", "url": "Task/c1"}
    assert entry["response"]["etag"] == 'W/"2"'
    assert entry["response"]["lastModified"] == "2022-01-04T09:00:00.007Z"


def test_what_was_taken_back_before_anybody_heard_of_it_is_a_number_and_nothing_else() -> None:
    page = history([an_entry(content=b"")], base=BASE, link="_history", next_=None)
    (entry,) = json.loads(page)["entry"]
    assert entry["extension"][0]["valuePositiveInt"] == 7
    assert "resource" not in entry
    assert entry["request"]["method"] == "DELETE"


@pytest.mark.parametrize(
    "status", [400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 429, 500, 503, 418]
)
def test_every_status_has_an_outcome_that_says_the_rule(status: int) -> None:
    told = json.loads(outcome(status, "there is no such thing"))
    OperationOutcome.model_validate(told)
    (issue,) = told["issue"]
    assert issue["diagnostics"] == "there is no such thing"
    assert issue["details"]["coding"][0]["system"].startswith("https://fhir.nhs.uk/")
    assert (issue["code"] == "processing") == (status == 418)


def test_each_fault_is_an_issue_with_its_field() -> None:
    told = json.loads(outcome(422, "", [Fault("start", "is needed"), Fault("end", "is late")]))
    OperationOutcome.model_validate(told)
    assert [(one["expression"], one["diagnostics"]) for one in told["issue"]] == [
        (["start"], "start: is needed"),
        (["end"], "end: is late"),
    ]


def test_the_capability_statement_says_what_is_served_and_no_more() -> None:
    served = [
        Interaction("read", "Flag"),
        Interaction("vread", "Task"),
        Interaction("$digest", "Flag"),
        Interaction("$acknowledge"),
    ]
    told = statement(served, base=BASE, version="1", changed=date(2022, 1, 1))
    CapabilityStatement.model_validate(told)
    (rest,) = told["rest"]
    assert {one["type"]: one["interaction"] for one in rest["resource"]} == {
        "Flag": [{"code": "read"}],
        "Task": [{"code": "vread"}],
    }
    assert [one["name"] for one in rest["operation"]] == ["acknowledge"]
    flag, task = rest["resource"]
    assert [one["name"] for one in flag["operation"]] == ["digest"]
    assert "operation" not in task
    assert (flag["versioning"], task["versioning"]) == ("no-version", "versioned")


def test_labels_stand_in_the_policys_order() -> None:
    assert [one["code"] for one in security(("NOPAT", "V", "PERSISTLABEL"))] == [
        "NOPAT",
        "V",
        "PERSISTLABEL",
    ]
