"""NOPAT hides wherever a system puts it, and so does a label whose shape is not known."""

from typing import Any

import pytest

from flagservice.fhir.patient_view.content import HidingReason
from flagservice.fhir.patient_view.view import patient_view
from tests.fhir.patient_view.records import ACT, SYSTEMS, Json, a, bundle, coded, label

CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
INLINE = "http://hl7.org/fhir/uv/security-label-ds4p/StructureDefinition/extension-inline-sec-label"


def reason(resource: Json, **around: Any) -> HidingReason | None:
    """Why one resource is removed beside another that is always shown."""
    other = a("Basic", "other")
    view = patient_view(bundle(other, resource, **around))
    assert view.shown["entry"][0]["resource"] == other
    assert view.kept + len(view.removals) == 2
    return view.removals[0].reason if view.removals else None


def condition(**more: Any) -> Json:
    return a("Condition", "c", code=coded("38341003", "Hypertension"), **more)


@pytest.mark.parametrize("system", [*SYSTEMS, "urn:oid:2.16.840.1.113883.4.642.3.47", "x", ""])
@pytest.mark.parametrize("code", ["NOPAT", "nopat", " NOPAT ", "NoPat\u200b", "NO-PAT"])
def test_nopat_hides_under_every_system_and_spelling(system: str, code: str) -> None:
    assert reason(condition(meta=label(code, system))) is HidingReason.LABEL


@pytest.mark.parametrize(
    "more",
    [
        {"meta": {"security": [{"code": "NOPAT"}]}},
        {"meta": {"security": {"coding": [{"code": "NOPAT"}]}}},
        {"meta": {"security": [{"coding": {"system": ACT, "code": "NOPAT"}}]}},
        {"meta": {"security": "NOPAT"}},
        {"meta": {"tag": [{"code": "NOPAT"}]}},
        {"Meta": {"Security": ["NOPAT"]}},
        {"securityLabel": [coded("NOPAT", "", ACT)]},
        {"securityLabel": [{"system": ACT, "code": "NOPAT"}]},
        {"confidentialityCode": "NOPAT"},
        {"note": [{"extension": [{"url": INLINE, "valueCoding": {"code": "NOPAT"}}]}]},
        {"extension": [{"url": "x", "valueCode": "NOPAT"}]},
        {"extension": [{"url": "x", "valueMeta": {"security": [{"code": "NOPAT"}]}}]},
        {"_recordedDate": {"extension": [{"url": "x", "valueCoding": {"code": "NOPAT"}}]}},
        {"contained": [a("Basic", "b", meta=label("NOPAT"))]},
        {"NOPAT": True},
    ],
    ids=str,
)
def test_nopat_hides_wherever_it_stands(more: Json) -> None:
    assert reason(condition(**more)) is HidingReason.LABEL


@pytest.mark.parametrize("code", ["SDV", "TBOO", "VIO", "NOLIST", "ORCON", "sdv"])
def test_labels_hide_that_come_to_the_same(code: str) -> None:
    assert reason(condition(meta=label(code))) is HidingReason.LABEL
    on_element = {"url": INLINE, "valueCoding": {"system": ACT, "code": code}}
    assert reason(condition(onsetAge={"value": 3, "extension": [on_element]})) is HidingReason.LABEL


def test_a_taboo_of_the_retired_confidentiality_codes_hides() -> None:
    assert reason(condition(meta=label("T", CONFIDENTIALITY))) is HidingReason.LABEL
    assert reason(condition(meta=label("T", "http://example.org/triage"))) is None


@pytest.mark.parametrize("code", ["R", "V", "N", "BH", "SUD", "42CFRPart2", "PSYTHPN", "HIV"])
def test_how_restricted_or_sensitive_an_entry_is_does_not_hide_it_from_its_patient(
    code: str,
) -> None:
    for system in (ACT, CONFIDENTIALITY):
        assert reason(condition(meta=label(code, system))) is None


@pytest.mark.parametrize(
    "meta",
    [
        "labelled",
        [],
        {"security": {"system": ACT, "code": "R"}},
        {"security": "R"},
        {"security": None},
        {"security": ["R"]},
        {"security": [{"coding": [{"system": ACT, "code": "R"}]}]},
        {"security": [{"system": ACT}]},
        {"security": [{"code": ""}]},
        {"security": [{"code": ["R"]}]},
        {"security": [{"code": 7}]},
        {"security": [{"system": [ACT], "code": "R"}]},
        {"security": [{"display": "restricted"}]},
        {"security": [{"code": "R", "level": "high"}]},
        {"Security": []},
        {"labels": ["R"]},
    ],
    ids=str,
)
def test_a_label_that_cannot_be_read_hides(meta: Any) -> None:
    assert reason(condition(meta=meta)) is HidingReason.UNREADABLE_LABEL


@pytest.mark.parametrize(
    "more",
    [
        {"securityLabel": "R"},
        {"securityLabel": ["R"]},
        {"securityLabel": [{"coding": "R"}]},
        {"security": [{"system": ACT, "code": "R"}]},
        {"note": [{"extension": [{"url": INLINE}]}]},
        {"note": [{"extension": [{"url": INLINE, "valueCode": "R"}]}]},
        {"meta": label("PROCESSINLINELABEL")},
    ],
    ids=str,
)
def test_a_label_in_a_place_of_its_own_that_cannot_be_read_hides(more: Json) -> None:
    assert reason(condition(**more)) is HidingReason.UNREADABLE_LABEL


def test_labels_on_elements_are_read_and_hide_only_for_what_they_say() -> None:
    on_element = {"url": INLINE, "valueCoding": {"system": ACT, "code": "BH"}}
    labelled = condition(meta=label("PROCESSINLINELABEL"), note=[{"extension": [on_element]}])
    assert reason(labelled) is None


def test_a_statement_of_how_a_server_is_secured_is_no_label() -> None:
    rest = [{"mode": "server", "security": {"cors": True}}]
    assert reason(a("CapabilityStatement", "s", rest=rest)) is None


@pytest.mark.parametrize("code", ["REDACTED", "MASKED"])
def test_a_label_that_tells_of_withholding_hides(code: str) -> None:
    system = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue"
    assert reason(condition(meta=label(code, system))) is HidingReason.WITHHOLDING


def test_a_bundles_label_that_is_the_sum_of_its_entries_hides_no_other() -> None:
    hidden = condition(meta=label("NOPAT"))
    assert reason(hidden, meta=label("NOPAT")) is HidingReason.LABEL


@pytest.mark.parametrize("code", ["NOPAT", "SDV"])
def test_a_bundles_label_that_no_entry_explains_hides_all_of_it(code: str) -> None:
    view = patient_view(bundle(condition(), meta=label(code)))
    assert view.shown == {"resourceType": "Bundle", "type": "collection"}
    assert [one.reason for one in view.removals] == [HidingReason.LABEL]


@pytest.mark.parametrize(
    "security", [{"code": "NOPAT"}, label("NOPAT", "x")["security"][0]], ids=str
)
def test_a_bundles_nopat_hides_all_of_it_under_any_system_or_none(security: Json) -> None:
    view = patient_view(bundle(condition(), meta={"security": [security]}))
    assert view.shown == {"resourceType": "Bundle", "type": "collection"}
    assert [one.reason for one in view.removals] == [HidingReason.LABEL]


def test_a_bundles_label_may_be_explained_in_a_bundle_within() -> None:
    inner = bundle(condition(meta=label("NOPAT")), a("Basic", "b"))
    view = patient_view(bundle(a("Basic", "other"), inner, meta=label("NOPAT")))
    assert view.shown == bundle(a("Basic", "other"), bundle(a("Basic", "b")))


def test_a_bundles_label_that_cannot_be_read_hides_all_of_it() -> None:
    view = patient_view(bundle(condition(), meta={"security": "R"}))
    assert view.shown == {"resourceType": "Bundle", "type": "collection"}
    assert {one.reason for one in view.removals} == {HidingReason.UNREADABLE}
