"""A patient's view is the same in the world where a flag came and in the world where none did."""

from copy import deepcopy
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flagservice.fhir.patient_view.text import patient_view_of
from flagservice.fhir.patient_view.view import patient_view
from tests.fhir.patient_view.records import (
    ALONE,
    BESIDE,
    DOCUMENT,
    ORDINARY,
    Json,
    bundle,
    entry,
    told,
)

TYPES = ("collection", "searchset", "history", "batch", "transaction", "batch-response")


def shown(value: Any) -> Json:
    return patient_view(value).shown


@st.composite
def records(draw: st.DrawFn) -> Json:
    """An ordinary record, with some of its entries or all, in any order, or a document of them."""
    if draw(st.booleans()):
        return bundle(*DOCUMENT, type_="document", timestamp="2024-01-01T09:00:00Z")
    some = draw(st.permutations(ORDINARY))[: draw(st.integers(0, len(ORDINARY)))]
    if "visit" not in {one.get("id") for one in some}:
        some = [one for one in some if one.get("id") != "role"]  # the lead of whom, in this record?
    used = some if draw(st.booleans()) else ORDINARY
    return bundle(*used, type_=draw(st.sampled_from(TYPES)))


@st.composite
def twins(draw: st.DrawFn) -> tuple[Json, Json]:
    """A whole record, and the same into which safeguarding was written: anywhere, and counted."""
    is_document = draw(st.booleans())
    type_ = "document" if is_document else draw(st.sampled_from(TYPES))
    ordinary = deepcopy(bundle(*(DOCUMENT if is_document else ORDINARY), type_=type_))
    flagged = deepcopy(ordinary)
    some = [one for one in ALONE if draw(st.booleans())]
    added = [*ALONE, *BESIDE] if draw(st.booleans()) else some
    for one in added:
        if type_ == "batch-response" and one.get("resourceType") == "Bundle":
            continue  # there an empty bundle is an answer, and stays
        at = draw(st.integers(0, len(flagged["entry"])))
        flagged["entry"].insert(at, entry(one))
    for one in draw(st.lists(st.sampled_from(ALONE))):
        _write_a_line(flagged, one)
        _never_narrated(ordinary, flagged, one)
    around: Json = {
        "id": "after",
        "total": len(flagged["entry"]),
        "link": [{"relation": "next", "url": "https://gp.example/fhir?_security=NOPAT&page=2"}],
        "meta": {"lastUpdated": "2024-02-02T10:00:00Z", "versionId": str(len(added))},
        "signature": {"data": "AAAA"},
    }
    return ordinary, {**flagged, **{name: around[name] for name in around if draw(st.booleans())}}


def _write_a_line(flagged: Json, one: Json) -> None:
    """A line that refers to it: in a list or in a section, where there is one."""
    name = f"{one.get('resourceType')}/{one.get('id')}"
    if one.get("resourceType") != "Flag":
        return  # whatever it is, a Flag that is not in the bundle is hidden, and others are not
    for held in flagged["entry"]:
        resource = held["resource"]
        if resource.get("id") == "problems":
            resource["entry"].insert(0, {"item": {"reference": name}})
        if resource.get("id") == "doc":
            resource["section"][0]["entry"].append({"reference": name})
            resource["section"].append({"title": "More", "entry": [{"reference": name}]})


def _never_narrated(ordinary: Json, flagged: Json, one: Json) -> None:
    """No world in which a list says how many lines it has, and of when it is, is twin to another.

    So what gains a line, and what that stands in, has no narrative in the other world.
    """
    if one.get("resourceType") != "Flag":
        return
    for world in (ordinary, flagged):
        for held in world["entry"]:
            resource = held["resource"]
            parts = [resource, *resource.get("section", [])[:1]]
            for part in parts if resource.get("id") in ("problems", "doc") else []:
                part.pop("text", None)
    _narrate(flagged)


def _narrate(flagged: Json) -> None:
    """As the source does that wrote the line: it counts, and dates."""
    for held in flagged["entry"]:
        if held["resource"].get("id") == "problems":
            held["resource"] |= {"date": "2024-02-02", "meta": {"versionId": "2"}}
            held["resource"] |= {"text": told("This list has 2 problems")}
        if held["resource"].get("id") == "doc":
            held["resource"]["section"][0]["text"] = told("Two problems")


@given(twins())
@settings(max_examples=150)
def test_twin_worlds_have_one_view_to_the_byte(worlds: tuple[Json, Json]) -> None:
    without, with_ = (patient_view_of(orjson.dumps(one))[0] for one in worlds)
    assert with_ == without


@given(records())
def test_an_ordinary_record_is_shown_whole_and_in_its_order(record: Json) -> None:
    view = patient_view(record)
    assert view.shown.get("entry", []) == record["entry"]
    assert (view.kept, view.removals) == (_entries(record), ())


def _entries(record: Json) -> int:
    inner = [one["resource"] for one in record["entry"]]
    nested = sum(_entries(one) for one in inner if one["resourceType"] == "Bundle")
    return len(inner) + nested


@given(twins())
def test_a_view_of_a_view_is_the_same_view(worlds: tuple[Json, Json]) -> None:
    once = shown(worlds[1])
    again = patient_view(once)
    assert (again.shown, again.removals) == (once, ())


@given(twins())
@settings(max_examples=30)
def test_what_is_given_is_not_changed(worlds: tuple[Json, Json]) -> None:
    before = deepcopy(worlds[1])
    patient_view(worlds[1])
    assert worlds[1] == before


NAMES = """
resourceType id entry resource meta security type section item text code coding system url
contained identifier fullUrl reference search
"""
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text() | st.sampled_from(NAMES.split()),
            inner | st.sampled_from(["Bundle", "List", "Composition", "Flag", "collection"]),
            max_size=6,
        )
    ),
    max_leaves=25,
)


@given(JSON)
@settings(max_examples=300)
def test_whatever_is_given_there_is_a_view_and_it_is_stable(value: Any) -> None:
    for one in (value, {"resourceType": "Bundle", "type": "collection", "entry": [value]}):
        once = shown(one)
        assert shown(once) == once


@given(JSON)
@settings(max_examples=300)
def test_whatever_is_in_a_list_or_a_document_there_is_a_view(value: Any) -> None:
    for type_, name in (("List", "entry"), ("Composition", "section"), ("Bundle", "entry")):
        one = {"resourceType": type_, "type": "batch", name: [value], "id": value}
        once = shown({"resourceType": "Bundle", "type": "document", "entry": [{"resource": one}]})
        assert shown(once) == once


@pytest.mark.parametrize("added", [*ALONE], ids=lambda one: str(one.get("id")))
def test_each_thing_that_safeguarding_adds_is_removed_alone(added: Json) -> None:
    view = patient_view(bundle(*ORDINARY, added))
    assert view.shown == shown(bundle(*ORDINARY))
    assert len({one.place.partition(".")[0] for one in view.removals}) == 1
