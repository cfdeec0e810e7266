"""A colleague's title and one hidden reason to come take no ordinary findings with them."""

from typing import Any

import pytest

from flagservice.fhir.patient_view.content import HidingReason
from flagservice.fhir.patient_view.view import Removal, patient_view
from tests.fhir.patient_view.records import PLAN, Json, a, bundle, entry, label, to

PATIENT = a("Patient", "p")
OF: Json = {"subject": to("Patient/p")}


def left(*resources: Json, **around: Any) -> list[Json]:
    shown = patient_view(bundle(*resources, **around)).shown
    return [one["resource"] for one in shown.get("entry", [])]


STAFF = ("HealthcareService", "Location", "Organization", "Practitioner", "PractitionerRole")


@pytest.mark.parametrize("type_", STAFF)
def test_what_staff_are_called_hides_neither_them_nor_what_they_signed(type_: str) -> None:
    lead = a(type_, "lead", name="GP and safeguarding lead")
    by = to(f"{type_}/lead")
    signed = [
        a("Patient", "p", generalPractitioner=[by]),
        a("MedicationRequest", "m", **OF, requester=by),
        a("AllergyIntolerance", "al", patient=to("Patient/p"), recorder=by),
        a("Encounter", "e", **OF, contained=[{**lead, "id": "c"}], serviceProvider=to("#c")),
    ]
    assert left(lead, *signed) == [lead, *signed]


@pytest.mark.parametrize("type_", STAFF)
def test_staff_whose_words_are_of_safeguarding_are_shown_only_to_whom_they_serve(
    type_: str,
) -> None:
    lead = a(type_, "lead", name="Safeguarding team")
    flag = a("Flag", "f", code=PLAN, author=to(f"{type_}/lead"))
    assert left(PATIENT, lead) == [PATIENT]
    assert left(PATIENT, lead, flag) == [PATIENT]
    assert left(PATIENT, {**lead, "name": "A team"}) == [PATIENT, {**lead, "name": "A team"}]


@pytest.mark.parametrize("type_", STAFF)
def test_codes_and_labels_of_staff_hide(type_: str) -> None:
    signed = a("Basic", "b", author=to(f"{type_}/s"))
    for more in ({"meta": label("NOPAT")}, {"type": [PLAN]}):
        assert left(PATIENT, a(type_, "s", **more), signed) == [PATIENT]


HIDDEN = a("Condition", "cp", **OF, code=PLAN)
VISIT = a("Encounter", "e", **OF, reasonReference=[to("Condition/cp")])


def reading(id_: str, **more: Any) -> Json:
    return a("Observation", id_, **OF, code={"text": "Blood pressure"}, **more)


def test_readings_lose_their_way_to_a_visit_that_is_hidden_for_one_reason_and_stay() -> None:
    readings = [reading(f"o{n}", encounter=to("Encounter/e"), status="final") for n in range(3)]
    given = a("MedicationStatement", "m", **OF, context=to("Encounter/e"))
    plain = [reading(f"o{n}", status="final") for n in range(3)]
    for record in ([PATIENT, HIDDEN, VISIT, *readings, given], [*readings, given, VISIT, HIDDEN]):
        shown = [one for one in left(*record) if one != PATIENT]
        assert shown == [*plain, a("MedicationStatement", "m", **OF)]
    view = patient_view(bundle(PATIENT, HIDDEN, VISIT, readings[0]))
    assert view.removals[-1] == Removal(
        "entry[3].resource.encounter", "Observation", HidingReason.REFERENCE
    )
    assert patient_view(view.shown).shown == view.shown


@pytest.mark.parametrize("more", [{"meta": label("NOPAT")}, {"reasonCode": [PLAN]}])
def test_from_a_visit_that_is_hidden_for_itself_all_goes_that_was_done_there(more: Json) -> None:
    visit = a("Encounter", "e", **OF, **more)
    assert left(PATIENT, visit, reading("o", encounter=to("Encounter/e"))) == [PATIENT]
    again = a("Encounter", "e", **OF, reasonReference=[to("Condition/cp")])
    for versions in ([visit, again], [again, visit]):
        seen = [PATIENT, HIDDEN, *versions, reading("o", encounter=to("Encounter/e"))]
        assert left(*seen, type_="history") == [PATIENT]


def test_only_the_element_that_says_where_something_was_done_goes_alone() -> None:
    others = [
        a("Task", "t", focus=to("Encounter/e")),
        reading("o", encounter=to("Encounter/e"), note=[{"text": "See Encounter/e"}]),
        reading("p", encounter={**to("Encounter/e"), "display": "See Condition/cp"}),
        reading("q", encounter={"display": "Encounter/e"}),
    ]
    assert left(PATIENT, HIDDEN, VISIT, *others) == [PATIENT]
    kept = reading("k", encounter=to("Encounter/other"))
    assert left(PATIENT, HIDDEN, VISIT, kept) == [PATIENT, kept]


def test_who_is_named_by_the_visit_alone_goes_with_it() -> None:
    visit = {**VISIT, "serviceProvider": to("Organization/o")}
    where = a("Organization", "o", name="A clinic")
    seen = reading("r", encounter=to("Encounter/e"))
    assert left(PATIENT, HIDDEN, visit, where, seen) == [PATIENT, reading("r")]


TOLD = {
    "text": {"status": "generated", "div": "<div>This list has 2 problems</div>"},
    "note": [{"text": "Two problems"}],
    "meta": {"versionId": "2", "lastUpdated": "2026-11-20T10:00:00Z"},
    "date": "2026-11-20T10:00:00Z",
}
LINES = [{"item": to("Condition/ok")}, {"item": to("Condition/cp")}]
OK = a("Condition", "ok", **OF, code={"text": "Asthma"})


def test_a_list_that_lost_a_line_neither_counts_nor_narrates_nor_dates() -> None:
    listed = a("List", "l", status="current", **TOLD, entry=LINES)
    plain = a("List", "l", status="current", entry=LINES[:1])
    assert left(OK, HIDDEN, listed) == [OK, plain]
    profiled = {**listed, "meta": {**TOLD["meta"], "profile": ["http://example.org/list"]}}
    kept = {**plain, "meta": {"profile": ["http://example.org/list"]}}
    assert left(OK, HIDDEN, profiled)[1] == kept
    whole = {**listed, "entry": LINES[:1]}
    assert left(OK, HIDDEN, whole) == [OK, whole]


def test_what_a_server_says_around_a_list_that_lost_a_line_does_not_date_it() -> None:
    around = {"status": "200", "etag": 'W/"2"', "lastModified": "2026-11-20T10:00:00Z"}
    record = bundle(OK, HIDDEN, type_="history")
    for lines, said in ((LINES, {"status": "200"}), (LINES[:1], around)):
        listed = entry(a("List", "l", entry=lines), response=around)
        shown = patient_view({**record, "entry": [*record["entry"], listed]}).shown
        assert shown["entry"][1] == entry(a("List", "l", entry=LINES[:1]), response=said)


def test_a_document_that_lost_a_line_tells_of_it_in_no_narrative_and_keeps_its_date() -> None:
    inner = {"title": "Now", "text": TOLD["text"], "entry": [to("Condition/ok"), HIDING]}
    other = {"title": "More", "text": TOLD["text"], "entry": [to("Condition/ok")]}
    sections = [{"title": "Problems", "text": TOLD["text"], "section": [inner]}, other]
    composed = a("Composition", "c", **TOLD, section=sections)
    assert left(composed, OK, HIDDEN) == [
        a(
            "Composition",
            "c",
            date=TOLD["date"],
            section=[
                {"title": "Problems", "section": [{"title": "Now", "entry": [to("Condition/ok")]}]},
                other,
            ],
        ),
        OK,
    ]


HIDING = to("Condition/cp")
