"""No reference to what is hidden is left, and nothing that is here for its sake alone."""

from typing import Any

import pytest

from flagservice.fhir.patient_view.content import HidingReason
from flagservice.fhir.patient_view.view import patient_view
from tests.fhir.patient_view.records import (
    ACT,
    COMPOSITION,
    DOCUMENT,
    NHS,
    PLAN,
    Json,
    a,
    bundle,
    entry,
    label,
    to,
    told,
)

LONG = "6fa1e2cb-24b8-4f2c-a57d-3a7b0a4b0f4e"
HIDDEN = a(
    "Condition",
    LONG,
    meta=label("NOPAT"),
    code={"text": "Something private"},
    identifier=[{"system": "https://gp.example/Id", "value": "17"}],
)
OTHER = a("Condition", "other", code={"text": "Asthma"})


def left(*resources: Json, **around: Any) -> list[Json]:
    """The resources that are left of a bundle, in their order."""
    shown = patient_view(bundle(*resources, **around)).shown
    return [one["resource"] for one in shown.get("entry", [])]


REFERENCES = {
    "relative": to(f"Condition/{LONG}"),
    "absolute": to(f"https://gp.example/fhir/Condition/{LONG}"),
    "at another address": to(f"https://elsewhere.example/R4/Condition/{LONG}"),
    "of a version": to(f"Condition/{LONG}/_history/3"),
    "to a part of it": to(f"Condition/{LONG}#c"),
    "escaped": to(f"https://gp.example/fhir/Condition%2F{LONG}"),
    "a urn": to(f"urn:uuid:{LONG}"),
    "in another case": to(f"condition/{LONG.upper()}"),
    "logical": {"identifier": {"system": "https://gp.example/Id", "value": "17"}},
    "logical, with its type": {
        "type": "Condition",
        "identifier": {"system": "https://gp.example/Id", "value": "17"},
    },
    "an extension's": {"extension": [{"url": "x", "valueUri": f"Condition/{LONG}"}]},
    "a bare id": {"display": f"See {LONG}"},
}


@pytest.mark.parametrize("reference", REFERENCES.values(), ids=REFERENCES)
@pytest.mark.parametrize(
    "referring",
    [
        lambda to_: a("Provenance", "r", target=[to("Condition/other"), to_]),
        lambda to_: a("AuditEvent", "r", entity=[{"what": to_}]),
        lambda to_: a("Encounter", "r", reasonReference=[to_]),
        lambda to_: a("Task", "r", focus=to_),
        lambda to_: a("Communication", "r", about=[to_]),
        lambda to_: a("Basic", "r", contained=[a("Basic", "c", subject=to_)]),
        lambda to_: a("Parameters", "r", parameter=[{"name": "x", "valueReference": to_}]),
    ],
)
def test_an_entry_that_refers_to_a_hidden_one_goes_whole(reference: Json, referring: Any) -> None:
    for entries in ([HIDDEN, OTHER, referring(reference)], [referring(reference), OTHER, HIDDEN]):
        assert left(*entries) == [OTHER]


@pytest.mark.parametrize("name", ["#c", "Condition/other", "Condition/6fa1", "Patient/x", "17"])
def test_an_entry_that_refers_to_others_stays(name: str) -> None:
    referring = a("Basic", "r", contained=[a("Basic", "c")], subject=to(name))
    assert left(HIDDEN, OTHER, referring) == [OTHER, referring]


def test_a_link_in_a_narrative_is_a_reference() -> None:
    hidden = a("Condition", "x1", meta=label("NOPAT"))
    for link in ("Condition-x1.html", "Condition/x1", "#Condition_x1"):
        linked = a("Basic", "r", text=told(f'<a href="{link}">here</a>'))
        assert left(hidden, OTHER, linked) == [OTHER]
    assert left(hidden, a("Basic", "r", text=told('<a href="Condition-x12.html">x</a>'))) != []


def test_a_canonical_address_is_a_reference_with_or_without_its_version() -> None:
    url = "https://gp.example/fhir/Questionnaire/asks"
    asked = a("Questionnaire", "q", url=url, meta=label("NOPAT"))
    for reference in (url, f"{url}|2.0"):
        assert left(asked, OTHER, a("QuestionnaireResponse", "r", questionnaire=reference)) == [
            OTHER
        ]


def test_references_are_followed_to_the_end_and_round_in_circles() -> None:
    chain = [a("Basic", f"b{n}", subject=to(f"Basic/b{n - 1}")) for n in range(1, 9)]
    circle = [a("Basic", "b0", subject=to(f"Condition/{LONG}"), author=to("Basic/b8")), *chain]
    assert left(*reversed(circle), OTHER, HIDDEN) == [OTHER]
    assert left(*circle, OTHER) == [*circle, OTHER]


def test_every_version_of_what_is_hidden_goes() -> None:
    later = a("Condition", LONG, code={"text": "Recoded"}, meta={"versionId": "2"})
    assert left(HIDDEN, later, OTHER, type_="history") == [OTHER]


def test_another_resource_of_the_same_short_id_stays() -> None:
    hidden = a("Condition", "1", meta=label("NOPAT"))
    same = a("Observation", "1", status="final")
    about = a("Basic", "b", subject=to("Observation/1"))
    assert left(hidden, same, about) == [same, about]


def test_a_long_chain_of_references_is_followed_to_its_end() -> None:
    chain = [a("Basic", f"b{n}", subject=to(f"Basic/b{n - 1}")) for n in range(1, 3000)]
    first = a("Basic", "b0", subject=to(f"Condition/{LONG}"))
    assert left(first, *chain, OTHER, HIDDEN) == [OTHER]


def test_a_flag_that_is_not_here_counts_as_hidden() -> None:
    flag = a("Flag", "diet", category=[{"text": "Diet"}], code={"text": "No nuts"})
    about = a("Provenance", "r", target=[to("Flag/diet")])
    logical = a("Basic", "l", subject={"type": "Flag", "identifier": {"value": "1"}})
    assert left(flag, about) == [flag, about]
    assert left(about, logical, OTHER) == [OTHER]


def test_an_nhs_number_on_something_hidden_is_not_its_name() -> None:
    flag = {**HIDDEN, "identifier": NHS}
    about = a("Basic", "b", subject={"identifier": NHS})
    assert left(flag, about) == [about]
    sibling = a("Patient", "sibling", identifier=[NHS], meta=label("NOPAT"))
    assert left(sibling, about) == []


@pytest.mark.parametrize("identifier", [7, [7], {"value": 7}, {"system": 7, "value": "17"}])
def test_identifiers_that_cannot_be_read_name_nothing(identifier: Any) -> None:
    odd = {**HIDDEN, "identifier": identifier}
    about = a("Basic", "b", subject={"identifier": identifier})
    assert left(odd, about) == [about]


def test_only_the_line_of_a_list_goes() -> None:
    lines = [{"item": to("Condition/other")}, {"item": to(f"Condition/{LONG}")}]
    listed = a("List", "l", title="Problems", entry=lines)
    assert left(OTHER, HIDDEN, listed) == [OTHER, {**listed, "entry": lines[:1]}]
    view = patient_view(bundle(OTHER, HIDDEN, listed))
    assert [(one.place, one.type, one.reason) for one in view.removals] == [
        ("entry[1]", "Condition", HidingReason.LABEL),
        ("entry[2].resource.entry[1]", "List", HidingReason.REFERENCE),
    ]


def test_a_line_goes_for_what_it_says_itself() -> None:
    lines = [
        {"item": to("Condition/other")},
        {"item": {"display": "Safeguarding"}},
        {"flag": PLAN, "item": to("Condition/other")},
        {"item": {"identifier": NHS}, "extension": [{"valueCode": "NOPAT"}]},
    ]
    assert left(OTHER, a("List", "l", entry=lines)) == [OTHER, a("List", "l", entry=lines[:1])]


def test_a_list_in_which_nothing_is_left_goes_and_one_that_says_why_it_is_empty_stays() -> None:
    topic = a("List", "topic", entry=[{"item": to(f"Condition/{LONG}")}])
    visit = a("List", "visit", entry=[{"item": to("List/topic")}])
    empty = a("List", "empty", emptyReason={"text": "Nothing known"})
    assert left(HIDDEN, visit, topic, empty) == [empty]
    assert left(a("List", "never", title="Problems"), empty) == [empty]


@pytest.mark.parametrize("entry_", ["x", [7], {"item": to(f"Condition/{LONG}")}])
def test_a_list_whose_lines_cannot_be_read_stands_or_falls_whole(entry_: Any) -> None:
    assert left(HIDDEN, OTHER, a("List", "l", entry=entry_)) == (
        [OTHER] if isinstance(entry_, dict) else [OTHER, a("List", "l", entry=entry_)]
    )


def test_a_list_whose_own_words_tell_what_went_goes_whole() -> None:
    lines = [{"item": to("Condition/other")}, {"item": to(f"Condition/{LONG}")}]
    for words in ("Asthma, something private", "Asthma"):
        listed = a("List", "l", title=words, entry=lines)
        kept = [{**listed, "entry": lines[:1]}] if words == "Asthma" else []
        assert left(HIDDEN, OTHER, listed) == [OTHER, *kept]
    named = [lines[0], {**lines[1], "item": {**lines[1]["item"], "display": "Unusual words"}}]
    assert left(HIDDEN, a("List", "l", title="Unusual words", entry=named)) == []


def test_sections_and_their_lines_go_and_a_section_in_which_nothing_is_left() -> None:
    hidden = to(f"Condition/{LONG}")
    sections = [
        {"title": "Problems", "entry": [to("Condition/other"), hidden]},
        {"title": "Only", "entry": [hidden]},
        {"title": "Around", "section": [{"title": "Only", "entry": [hidden]}]},
        {"title": "Safeguarding", "text": told("Nothing known"), "entry": [to("Condition/other")]},
        {"title": "In words", "text": told("All is well"), "entry": [hidden]},
    ]
    composed = a("Composition", "c", section=sections)
    assert left(composed, OTHER, HIDDEN) == [
        a("Composition", "c", section=[{"title": "Problems", "entry": [to("Condition/other")]}]),
        OTHER,
    ]


def test_who_is_named_by_hidden_entries_alone_goes_with_them() -> None:
    plan = a("CarePlan", "plan", category=[PLAN], careTeam=[to("CareTeam/team")])
    team = a("CareTeam", "team", managingOrganization=to("Organization/council"))
    council = a("Organization", "council", partOf=to("Organization/region"))
    region = a("Organization", "region", name="A region")
    assert left(plan, team, council, region, OTHER) == [OTHER]
    used = a("Condition", "used", recorder=to("Organization/council"))
    assert left(plan, team, council, region, used) == [council, region, used]
    assert left(team, council, region) == [team, council, region]


def test_who_is_named_in_a_hidden_line_or_section_alone_goes_with_it() -> None:
    section = {"title": "Safeguarding", "entry": [to("Organization/council")]}
    council = a("Organization", "council", name="A council")
    composed = a("Composition", "c", section=[section, {"title": "More", "text": told("x")}])
    kept = {**composed, "section": composed["section"][1:]}
    assert left(composed, council) == [kept]
    lines = [{"flag": PLAN, "item": to("Organization/council")}, {"item": to("Condition/other")}]
    listed = a("List", "l", entry=lines)
    assert left(listed, council, OTHER) == [{**listed, "entry": lines[1:]}, OTHER]


def test_what_a_search_included_for_hidden_matches_goes_with_them() -> None:
    patient = a("Patient", "p", identifier=[NHS])
    flag = a("Flag", "f", code=PLAN, subject=to("Patient/p"))
    included = entry(patient, search={"mode": "include"})
    match = entry(flag, search={"mode": "match"})
    record = {"resourceType": "Bundle", "type": "searchset", "entry": [match, included]}
    assert patient_view(record).shown == {"resourceType": "Bundle", "type": "searchset"}
    also = entry(a("Condition", "c", subject=to("Patient/p")), search={"mode": "match"})
    assert patient_view({**record, "entry": [match, also, included]}).shown["entry"] == [
        also,
        included,
    ]
    assert left(flag, patient) == [patient]


def test_what_hangs_from_a_document_goes_with_its_composition() -> None:
    hidden = {**COMPOSITION, "meta": label("NOPAT")}
    view = patient_view(bundle(hidden, *DOCUMENT[1:], type_="document"))
    assert view.shown == {"resourceType": "Bundle", "type": "document"}
    assert left(*DOCUMENT[1:], type_="document") == []
    assert left(a("MessageHeader", "h", meta=label("SDV", ACT)), OTHER, type_="message") == []
    assert left(a("MessageHeader", "h", focus=[to("Condition/other")]), OTHER, type_="message")


def test_in_a_document_what_only_hidden_entries_reach_goes_with_them() -> None:
    plan = a("CarePlan", "plan", category=[PLAN], supportingInfo=[to("Observation/note")])
    note = a("Observation", "note", valueString="As the school told it")
    assert left(*DOCUMENT, plan, note, type_="document") == list(DOCUMENT)
    assert left(plan, note) == [note]


def test_a_bundle_in_which_nothing_is_left_goes_unless_it_answers_a_request() -> None:
    inner = bundle(HIDDEN, type_="searchset", total=1)
    assert left(OTHER, inner) == [OTHER]
    assert left(OTHER, {"resourceType": "Bundle", "type": "searchset"}) == [OTHER]
    answered = {"resourceType": "Bundle", "type": "searchset"}
    assert left(OTHER, inner, type_="batch-response") == [OTHER, answered]


def test_what_is_hidden_around_a_bundle_hides_all_that_is_in_it() -> None:
    around = entry(bundle(OTHER), extension=[{"valueCode": "NOPAT"}])
    about = a("Basic", "b", subject=to("Condition/other"))
    record = {**bundle(about), "entry": [around, entry(about)]}
    view = patient_view(record)
    assert view.shown == {"resourceType": "Bundle", "type": "collection"}
    assert [one.reason for one in view.removals] == [
        HidingReason.LABEL,
        HidingReason.WHOLE,
        HidingReason.REFERENCE,
    ]


def test_what_stands_around_an_entry_is_read_too() -> None:
    linked = entry(a("Basic", "b"), link=[{"relation": "x", "url": f"Condition/{LONG}"}])
    coded = entry(a("Basic", "c"), response={"outcome": {"text": "342191000000101"}})
    record = {**bundle(HIDDEN, OTHER)}
    record["entry"] += [linked, coded]
    assert patient_view(record).shown == bundle(OTHER)
