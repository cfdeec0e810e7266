"""What is about safeguarding is known by code, category or words, and nothing else is."""

import base64
from typing import Any

import pytest

from flagservice.fhir.patient_view.content import HidingReason
from flagservice.fhir.patient_view.view import patient_view
from tests.fhir.patient_view.records import SCT, Json, a, bundle, coded, told

BARS = "https://fhir.nhs.uk/CodeSystem"
INTERWEAVE = "https://fhir.interweavedigital.nhs.uk/CodeSystem/Interweave-Flag"
ENGLAND = "https://fhir.nhs.uk/England/CodeSystem/England-FlagCategoryPatient"
FLAG_CATEGORY = "http://terminology.hl7.org/CodeSystem/flag-category"


def reason(resource: Json) -> HidingReason | None:
    """Why one resource, alone in its bundle, is removed."""
    view = patient_view(bundle(resource))
    assert view.kept + len(view.removals) == 1
    return view.removals[0].reason if view.removals else None


def a_code(code: Any, system: str = SCT) -> Json:
    return {"coding": [{"system": system, "code": code}]}


@pytest.mark.parametrize(
    "code",
    [
        *("342191000000101", "764841000000100", "160887007", "762931000000105", "294501000000107"),
        *("758941000000108", "495021000000105", "206411000000103", "766561000000109"),
        *("1054321000000100", "1364731000000104", "1364751000000106", "1290331000000103"),
        *("902961000000107", "514331000000104", "412732008", "160877008", "861931000000100"),
        *("13Iv.", "13Iv", "13Iv.00", "13WX.", "13WT1", "XaOnx", "XafeJ"),
        *("ALPERP", "MARAC", "MAPPA", "child-protection-information-system-flag"),
    ],
)
@pytest.mark.parametrize(
    "more",
    [
        lambda code: {"code": a_code(code)},
        lambda code: {"code": a_code(code, "")},
        lambda code: {"category": [a_code(f" {code} ", "http://example.org/own")]},
        lambda code: {"component": [{"valueCodeableConcept": a_code(code)}]},
        lambda code: {"meta": {"tag": [{"code": code}]}},
        lambda code: {"extension": [{"url": "x", "valueCode": code}]},
        lambda code: {"contained": [a("Condition", "c", code=a_code(code))]},
    ],
)
def test_a_safeguarding_code_hides_wherever_it_stands(code: str, more: Any) -> None:
    assert reason(a("Observation", "o", **more(code))) in (HidingReason.CODE, HidingReason.WORDS)


@pytest.mark.parametrize(
    "code",
    [
        342191000000101,
        "342191000000101 |Subject to|",
        "http://snomed.info/id/342191000000101",
        "243796009:363589002=342191000000101",
    ],
)
def test_a_safeguarding_code_hides_however_it_is_written(code: Any) -> None:
    assert reason(a("Observation", "o", code=a_code(code))) is HidingReason.CODE


def test_a_safeguarding_code_hides_in_the_markup_of_a_narrative() -> None:
    titled = told('<span title="Codes:{http://snomed.info/sct 342191000000101}">A plan</span>')
    assert reason(a("Condition", "c", text=titled)) is HidingReason.CODE


@pytest.mark.parametrize(
    ("system", "code"),
    [
        (f"{BARS}/safeguarding-codes-bars", "U"),
        (f"{BARS}/safeguarding-codes-bars", "415685003"),
        (f"{BARS}/safeguarding-codes-bars|1.0.0", "new"),
        (f"{BARS}/flag-categories-bars", "SG"),
        (f"{INTERWEAVE}Type", "RTC"),
        (f"{INTERWEAVE}Category", "SGC"),
        (ENGLAND, "FGM"),
    ],
)
def test_a_local_code_hides_under_its_system_only(system: str, code: str) -> None:
    assert reason(a("Observation", "o", code=a_code(code, system))) is HidingReason.CODE
    assert reason(a("Observation", "o", code=a_code(code, "http://example.org/x"))) is None


@pytest.mark.parametrize(
    "code",
    [
        *("415685003", "162591001", "826931000000104", "401206008", "1342191000000101"),
        *("34219100000010", "13iv.", "SG", "U", "XaOnX", "226201008"),
    ],
)
def test_an_ordinary_code_does_not_hide(code: str) -> None:
    assert reason(a("Observation", "o", code=a_code(code))) is None


@pytest.mark.parametrize(
    "words",
    [
        "Safeguarding",
        "SAFE&shy;GUARDING",
        "Subject to a child-protection plan",
        "child\n protection",
        "child <b>protec</b>tion plan",
        "child&#32;protection",
        "\uff43hild protection",
        "domestic\u00a0abuse",
        "the alleged perpetrator",
        "seen at MARAC on Monday",
        "Security Labels: sexual assault, abuse, or domestic violence information",
        "Section 47 enquiry",
        "a looked-after child",
        "Victim of intimate partner abuse",
        "non-accidental injury",
        "History of child sexual abuse",
        "a child in need plan",
    ],
)
@pytest.mark.parametrize(
    "more",
    [
        lambda words: {"text": told(words)},
        lambda words: {"note": [{"text": words}]},
        lambda words: {"code": {"text": words}},
        lambda words: {"valueAttachment": {"data": base64.b64encode(words.encode()).decode()}},
        lambda words: {words: True},
    ],
)
def test_words_of_safeguarding_hide_wherever_they_stand(words: str, more: Any) -> None:
    assert reason(a("Observation", "o", **more(words))) is HidingReason.WORDS


@pytest.mark.parametrize(
    "words",
    [
        "Opioid abuse, in remission",
        "Alcohol abuse",
        "Visual neglect after a stroke",
        "Self neglect of diet",
        "The patient is in need of glasses; a child in need of glasses, too",
        "Marathon runner",
        "Takes care in order to sleep",
        "Protection from the sun; a child of five",
        "Section 4.7 of the leaflet",
        "Fall at home",
    ],
)
def test_ordinary_words_do_not_hide(words: str) -> None:
    assert reason(a("Observation", "o", text=told(words), note=[{"text": words}])) is None


@pytest.mark.parametrize(
    "words", ["Some items were withheld", "[REDACTED]", "Not to be shown to the patient"]
)
def test_what_tells_of_withholding_is_removed(words: str) -> None:
    assert (
        reason(a("List", "l", note=[{"text": words}], emptyReason={})) is HidingReason.WITHHOLDING
    )


@pytest.mark.parametrize("code", ["suppressed", "security", "forbidden"])
def test_an_outcome_that_tells_of_withholding_is_removed(code: str) -> None:
    outcome = a("OperationOutcome", "o", issue=[{"severity": "warning", "code": code}])
    assert reason(outcome) is HidingReason.WITHHOLDING
    assert reason(a("Observation", "o", code=a_code(code, "x"))) is None


def test_an_audit_entry_that_names_the_flags_service_is_removed() -> None:
    agent = [{"who": {"identifier": {"value": "patient-flag"}}}]
    assert reason(a("AuditEvent", "e", agent=agent)) is HidingReason.WITHHOLDING
    assert reason(a("AuditEvent", "e", agent=[{"name": "The flag of a country"}])) is None


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"code": {}},
        {"code": {"text": "See notes"}},
        {"code": a_code("P17", "http://example.org/own")},
        {"code": coded("P17", "Contact the team", "http://example.org/own")},
        {"category": [a_code("alert", "http://example.org/own")], "code": {"text": "Alert"}},
        {"code": {"coding": [{"system": SCT}]}},
    ],
    ids=str,
)
def test_a_flag_that_does_not_say_what_it_is_about_is_removed(more: Json) -> None:
    assert reason(a("Flag", "f", **more)) is HidingReason.UNKNOWN_FLAG
    assert reason(a("Basic", "b", **more)) is None


@pytest.mark.parametrize(
    "more",
    [
        {"code": a_code("226201008")},
        {"category": [a_code("diet", FLAG_CATEGORY)], "code": {"text": "No nuts"}},
        {"category": [coded("RA", "Reasonable Adjustment", f"{BARS}/flag-categories-bars")]},
        {"code": a_code("NRAF", ENGLAND)},
        {"category": [{"text": "Diet"}], "code": a_code("P17", "http://example.org/own")},
        {"category": {"text": "Diet"}},
    ],
    ids=str,
)
def test_a_flag_that_is_about_something_else_is_shown(more: Json) -> None:
    assert reason(a("Flag", "f", **more)) is None


@pytest.mark.parametrize(
    "more",
    [
        {"meta": {"profile": ["https://flagservice.example/fhir/StructureDefinition/New"]}},
        {"identifier": [{"system": "https://flagservice.example/Id/flag", "value": "1"}]},
        {"extension": [{"url": "https://flagservice.example/fhir/StructureDefinition/duty-desk"}]},
    ],
    ids=str,
)
def test_what_carries_anything_of_ours_is_removed(more: Json) -> None:
    assert reason(a("Task", "t", **more)) is HidingReason.OURS
