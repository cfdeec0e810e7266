"""What cannot be understood is not shown, and the answer is that for a record without it."""

import json
from typing import Any

import pytest

from flagservice.fhir.patient_view.content import HidingReason
from flagservice.fhir.patient_view.text import patient_view_of
from flagservice.fhir.patient_view.view import Removal, patient_view
from tests.fhir.patient_view.records import PLAN, Json, a, bundle, entry

NOTHING = {"resourceType": "Bundle", "type": "searchset"}


def nested(levels: int) -> Any:
    value: Any = "deep"
    for _ in range(levels):
        value = {"extension": [value]}
    return value


@pytest.mark.parametrize(
    "value", [None, 1, "Bundle", [], {}, {"resourceType": "Patient"}, {"resourceType": ["Bundle"]}]
)
def test_what_is_no_bundle_is_answered_as_a_record_without_entries(value: Any) -> None:
    view = patient_view(value)
    assert view.shown == NOTHING
    assert view.removals == (Removal("", "", HidingReason.UNREADABLE),)


@pytest.mark.parametrize(
    "more",
    [{"type": "museum"}, {"type": None}, {"type": ["batch"]}, {"entry": {}}, {"entry": "x"}],
    ids=str,
)
def test_a_bundle_that_cannot_be_read_is_answered_as_a_record_without_entries(more: Json) -> None:
    record = {**bundle(a("Basic", "b"), type_="searchset"), **more}
    view = patient_view(record)
    assert view.shown == NOTHING
    assert view.removals[0] == Removal("", "Bundle", HidingReason.UNREADABLE)


@pytest.mark.parametrize(
    "odd",
    [
        None,
        7,
        "x",
        [],
        {},
        {"fullUrl": "urn:uuid:1"},
        {"request": {"method": "DELETE", "url": "Condition/1"}},
        {"resource": None},
        {"resource": "Condition"},
        {"resource": {}},
        {"resource": {"id": "x"}},
        {"resource": {"resourceType": "flag"}},
        {"resource": {"resourceType": ["Flag"]}},
        {"resource": a("Alert", "x")},
        {"resource": a("Basic", "x"), "unknown": 1},
        {"resource": a("Basic", "x", contained={})},
        {"resource": a("Basic", "x", contained=["x"])},
        {"resource": a("Basic", "x", contained=[{"id": "c"}])},
        {"resource": a("Basic", "x", contained=[{"resourceType": "Alert"}])},
        {"resource": a("Basic", "x", contained=[{"resourceType": ["Flag"]}])},
        {"resource": a("Parameters", "x", parameter=[{"name": "n", "resource": {"id": "c"}}])},
        {"resource": a("Basic", "x", deep=nested(100))},
        {"resource": a("Basic", "x"), "extension": [nested(100)]},
        {"resource": a("List", "x", entry=[{"item": nested(100)}])},
    ],
    ids=lambda one: str(one)[:60],
)
def test_an_entry_that_cannot_be_read_is_removed_and_the_others_stay(odd: Any) -> None:
    record = bundle(a("Basic", "b"), a("Basic", "c"))
    view = patient_view({**record, "entry": [record["entry"][0], odd, record["entry"][1]]})
    assert view.shown == record
    assert [one.reason for one in view.removals] == [HidingReason.UNREADABLE]


def test_bundles_in_bundles_are_read_to_a_depth_and_hidden_beyond() -> None:
    record = bundle(a("Basic", "b"))
    for _ in range(7):
        record = bundle(record)
    assert patient_view(record).shown == record
    for _ in range(900):
        record = {"resourceType": "Bundle", "type": "batch", "entry": [{"resource": record}]}
    assert patient_view(record).shown == {"resourceType": "Bundle", "type": "batch"}


def test_what_refers_to_a_resource_that_cannot_be_read_goes_with_it() -> None:
    unread = entry({"id": "x"}, fullUrl="urn:uuid:6fa1e2cb-24b8-4f2c-a57d-3a7b0a4b0f4e")
    about = a("Basic", "b", subject={"reference": unread["fullUrl"]})
    record = {**bundle(about), "entry": [unread, entry(about)]}
    assert "entry" not in patient_view(record).shown


@pytest.mark.parametrize(
    "text", [b"", b"{", b"\xff\xfe\x00", b"[" * 100_000, b'{"resourceType": NaN}', b"NaN"]
)
def test_text_that_is_not_json_is_answered_as_a_record_without_entries(text: bytes) -> None:
    shown, view = patient_view_of(text)
    assert json.loads(shown) == NOTHING
    assert [one.reason for one in view.removals] == [HidingReason.UNREADABLE]


def test_numbers_and_words_are_written_as_they_were() -> None:
    said = '[1.0,1.00,1e400,-0,12345678901234567890123,"\\u00fc \\ud800",true,null,{}]'
    record = (
        '{"resourceType":"Bundle","type":"batch","entry":'
        f'[{{"resource":{{"resourceType":"Basic","x":{said}}}}}]}}\n'
    )
    assert patient_view_of(record.encode())[0] == record.encode()


def test_a_code_that_was_written_as_a_number_is_read() -> None:
    text = json.dumps(bundle(a("Basic", "b", code=342191000000101))).encode()
    assert json.loads(patient_view_of(text)[0]) == {"resourceType": "Bundle", "type": "collection"}


@pytest.mark.parametrize("type_", ["document", "message"])
def test_what_r4_demands_of_a_document_or_message_stays_unless_it_tells(type_: str) -> None:
    head = a({"document": "Composition", "message": "MessageHeader"}[type_], "h")
    around = {"timestamp": "2024-01-01T09:00:00Z"}
    if type_ == "document":
        around = {"identifier": {"system": "urn:x", "value": "1"}, **around}
    record = bundle(head, type_=type_, **around)
    assert patient_view(record).shown == record
    told = {**record, "timestamp": "342191000000101", "total": 3}
    assert "timestamp" not in patient_view(told).shown
    assert patient_view({**record, "timestamp": nested(100)}).shown["entry"] == record["entry"]


def test_a_report_names_places_types_and_reasons_and_quotes_nothing() -> None:
    view = patient_view(bundle(a("Basic", "secret"), a("Flag", "secret", code=PLAN, text="secret")))
    assert (view.kept, view.removals) == (1, (Removal("entry[1]", "Flag", HidingReason.CODE),))
    odd = patient_view(bundle({"resourceType": "secret"}))
    assert odd.removals == (Removal("entry[0]", "", HidingReason.UNREADABLE),)


@pytest.mark.parametrize(
    "entry_",
    [
        '{"resource":{"resourceType":"Condition","meta":{"security":[{"code":"NOPAT"}]},"meta":{}}}',
        '{"resource":{"resourceType":"Basic","code":{"text":"a","text":"b"}}}',
        '{"resource":{"resourceType":"Basic"},"resource":{"resourceType":"Basic"}}',
        '{"resource":{"resourceType":"Basic","id":"a","\\u0069d":"a"}}',
    ],
)
def test_a_record_with_two_properties_of_one_name_is_answered_as_unreadable(entry_: str) -> None:
    text = f'{{"resourceType":"Bundle","type":"collection","entry":[{entry_}]}}'
    shown, view = patient_view_of(text.encode())
    assert json.loads(shown) == NOTHING
    assert [one.reason for one in view.removals] == [HidingReason.UNREADABLE]
