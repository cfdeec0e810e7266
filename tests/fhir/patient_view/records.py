"""Records for the tests of the patient's view: ordinary ones, and what safeguarding adds to them.

All of it is made up, in the shapes of public R4 examples: among them a GP record, a labelled record
as security labelling services write it, diet and reasonable adjustment flags, and a document.
"""

from datetime import UTC, date, datetime
from typing import Any, Final

from flagservice.domain.elements import Desk, Element, Kind, Organisation, PlanCategory
from flagservice.fhir.flags import CopyIdentity, build
from flagservice.policy.case import every_case
from flagservice.policy.disclosure import disclose, removal
from flagservice.policy.ruling import rule_on
from tests.world import the_rulebook

Json = dict[str, Any]
ACT: Final = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
SCT: Final = "http://snomed.info/sct"
SYSTEMS: Final = (ACT, "http://hl7.org/fhir/v3/ActCode", "urn:oid:2.16.840.1.113883.5.4")
NHS: Final = {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9990001111"}
PLAN: Final = {"coding": [{"system": SCT, "code": "342191000000101"}]}


def a(type_: str, id_: str, **more: Any) -> Json:
    """One resource."""
    return {"resourceType": type_, "id": id_, **more}


def to(reference: str) -> Json:
    """A literal reference."""
    return {"reference": reference}


def coded(code: str, display: str, system: str = SCT) -> Json:
    """A codeable concept."""
    return {"coding": [{"system": system, "code": code, "display": display}], "text": display}


def told(words: str) -> Json:
    """A narrative."""
    div = f'<div xmlns="http://www.w3.org/1999/xhtml">{words}</div>'
    return {"status": "generated", "div": div}


def label(code: str, system: str = ACT, **more: Any) -> Json:
    """`meta` with one security label."""
    return {"security": [{"system": system, "code": code, **more}]}


def bundle(*resources: Json, type_: str = "collection", **more: Any) -> Json:
    """A bundle of these, each at its own address."""
    return {
        "resourceType": "Bundle",
        "type": type_,
        **more,
        "entry": [entry(one) for one in resources],
    }


def entry(resource: Json, **more: Any) -> Json:
    """One entry of a bundle."""
    base = "https://gp.example/fhir"
    return {
        "fullUrl": f"{base}/{resource.get('resourceType')}/{resource.get('id')}",
        "resource": resource,
        **more,
    }


_OF: Final = {"subject": to("Patient/p")}
_FLAG_CATEGORY: Final = "http://terminology.hl7.org/CodeSystem/flag-category"
_ADJUSTMENT: Final = "https://fhir.nhs.uk/England/CodeSystem/England-FlagCategoryPatient"

ORDINARY: Final[tuple[Json, ...]] = (
    a("Patient", "p", identifier=[NHS], name=[{"family": "Example", "given": ["Ann"]}]),
    a("Practitioner", "gp", name=[{"text": "Dr Example"}], photo=[{"data": "iVBORw0KGgo="}]),
    a("Organization", "practice", name="An example surgery"),
    a(
        "PractitionerRole",
        "role",
        practitioner=to("Practitioner/gp"),
        code=[{"text": "GP, safeguarding lead"}],
    ),
    a("RelatedPerson", "kin", patient=to("Patient/p"), relationship=[coded("WIFE", "wife")]),
    a(
        "Encounter",
        "visit",
        status="finished",
        **_OF,
        participant=[{"individual": to("PractitionerRole/role")}],
        serviceProvider=to("Organization/practice"),
    ),
    a(
        "Condition",
        "asthma",
        **_OF,
        code=coded("195967001", "Asthma"),
        encounter=to("Encounter/visit"),
    ),
    a(
        "Condition",
        "opioids",
        meta=label("R", "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"),
        text=told("Security labels: restricted, substance use. Opioid abuse, in remission"),
        **_OF,
        code=coded("5602001", "Opioid abuse"),
    ),
    a(
        "Condition",
        "depression",
        meta={"security": [{"system": ACT, "code": "BH"}, {"system": ACT, "code": "42CFRPart2"}]},
        **_OF,
        code=coded("310496002", "Moderate depression"),
    ),
    a("Condition", "neglect", **_OF, code=coded("95452008", "Visual neglect of the left side")),
    a(
        "Condition",
        "alcohol",
        **_OF,
        code=coded("15167005", "Alcohol abuse, and drug abuse denied"),
    ),
    a(
        "Observation",
        "pressure",
        status="final",
        **_OF,
        performer=[to("Practitioner/gp")],
        code=coded("85354-9", "Blood pressure panel", "http://loinc.org"),
        component=[{"valueQuantity": {"value": 120.5, "unit": "mmHg"}}],
    ),
    a("MedicationRequest", "fluoxetine", **_OF, reasonReference=[to("Condition/depression")]),
    a("Condition", "palsy", **_OF, note=[{"text": "Reviewed in CP clinic; DV 6/9, no pat."}]),
    a("Condition", "liver", **_OF, code={"text": "MASH with fibrosis: see hepatology"}),
    a("Condition", "jab", **_OF, code={"text": "Vulnerable adult: flu vaccine"}),
    a("ServiceRequest", "form", **_OF, code={"text": "Diabetes care order form"}),
    a("AllergyIntolerance", "nuts", patient=to("Patient/p"), code=coded("91935009", "Peanuts")),
    a("Immunization", "mmr", patient=to("Patient/p"), status="completed"),
    a("Procedure", "x-ray", **_OF, status="completed"),
    a("DiagnosticReport", "report", **_OF, status="final", result=[to("Observation/pressure")]),
    a(
        "DocumentReference",
        "letter",
        **_OF,
        securityLabel=[
            coded("N", "normal", "http://terminology.hl7.org/CodeSystem/v3-Confidentiality")
        ],
        content=[{"attachment": {"contentType": "text/plain", "data": "R2Vu6HZlIGNsaW5pYw=="}}],
    ),
    a("Binary", "bytes", contentType="text/plain", data="U2VlIG1lIGluIHR3byB3ZWVrcw=="),
    a("CarePlan", "diabetes", **_OF, careTeam=[to("CareTeam/team")], status="active"),
    a("CareTeam", "team", **_OF, name="The diabetes team"),
    a("Appointment", "next", participant=[{"actor": to("Patient/p")}], status="booked"),
    a("Task", "call", **{"for": to("Patient/p")}, code={"text": "Ring the pharmacy"}),
    a("Communication", "message", **_OF, about=[to("Condition/asthma")]),
    a("Provenance", "made", target=[to("Condition/asthma/_history/2")], recorded="2024-01-01"),
    a("AuditEvent", "read", entity=[{"what": to("Observation/pressure")}]),
    a(
        "QuestionnaireResponse",
        "sleep",
        **_OF,
        item=[{"linkId": "1", "answer": [{"valueInteger": 7}]}],
    ),
    a("List", "problems", **_OF, text=told("Asthma"), entry=[{"item": to("Condition/asthma")}]),
    a("List", "none", **_OF, emptyReason={"text": "Nothing known"}),
    a(
        "Flag",
        "diet",
        text=told("An example to illustrate a flag regarding a food allergy"),
        category=[coded("diet", "Diet", _FLAG_CATEGORY)],
        code=coded("226201008", "Peanut-free diet"),
        **_OF,
    ),
    a(
        "Flag",
        "adjustment",
        meta={
            "profile": ["https://fhir.nhs.uk/England/StructureDefinition/England-Flag-PatientFlag"]
        },
        code=coded("national-reasonable-adjustment-flag", "Reasonable Adjustment", _ADJUSTMENT),
        **_OF,
    ),
    a(
        "Flag",
        "infection",
        category=[coded("infection", "Infection Control Level", "http://example.org/local")],
        code=coded("l3", "Follow Level 3 Protocol", "http://example.org/local/if1"),
        **_OF,
    ),
    a("OperationOutcome", "slow", issue=[{"severity": "warning", "code": "timeout"}]),
    a("Parameters", "asked", parameter=[{"name": "one", "resource": a("Patient", "other")}]),
    a("Basic", "held", contained=[a("Organization", "o", name="Hospital")], author=to("#o")),
    bundle(a("Condition", "old", code=coded("38341003", "Hypertension")), type_="searchset"),
)
"""Every one of them has nothing to do with safeguarding."""

COMPOSITION: Final = a(
    "Composition",
    "doc",
    status="final",
    **_OF,
    date="2024-01-01",
    author=[to("PractitionerRole/role")],
    section=[
        {"title": "Problems", "text": told("Asthma"), "entry": [to("Condition/asthma")]},
        {
            "title": "Observations",
            "section": [{"title": "Now", "entry": [to("Observation/pressure")]}],
        },
    ],
)
_REACHED: Final = ("p", "gp", "role", "asthma", "pressure", "visit", "practice")
DOCUMENT: Final = (COMPOSITION, *(one for one in ORDINARY if one.get("id") in _REACHED))
"""A document: everything in it can be reached from its Composition."""

_RULEBOOK: Final = the_rulebook()
_SAID: Final = {
    Element.START: date(2022, 1, 1),
    Element.PLACED: date(2022, 1, 4),
    Element.END: date(2022, 6, 1),
    Element.EXPIRES: date(2023, 1, 4),
    Element.REVIEW_DUE: date(2022, 3, 1),
    Element.REVIEW_BY: date(2022, 4, 4),
    Element.EXPECTED_DATE: date(2022, 5, 1),
    Element.PLAN_CATEGORY: (PlanCategory.NEGLECT, PlanCategory.SEXUAL),
    Element.DUTY_DESK: Desk("A duty desk", "01632 960100"),
    Element.AGENCY: Organisation("E08000032", "A council"),
}
_COPY: Final = CopyIdentity("c" * 32, "d" * 32, "9990001111", datetime(2022, 1, 4, 9, tzinfo=UTC))


def ours(kind: Kind) -> list[Json]:
    """Every flag and request that the policy of a kind can give, and every removal."""
    rulings = [rule_on(_RULEBOOK.policies[kind], case) for case in every_case(kind)]
    told_ = [disclose(ruling, _SAID) for ruling in rulings if ruling.remains]
    ends = [
        removal(one.form, one.labels, in_error=in_error)
        for one in told_
        for in_error in (True, False)
    ]
    different = {str(built): built for one in (*told_, *ends) if (built := build(one, _COPY))}
    return list(different.values())


ALONE: Final[tuple[Json, ...]] = (
    *(ours(kind)[0] for kind in Kind),
    a("Flag", "s-plan", meta=label("NOPAT"), code=PLAN, **_OF, encounter=to("Encounter/visit")),
    a("Flag", "s-unsaid", code={"text": "See notes"}, **_OF),
    a(
        "Condition",
        "s-victim",
        code=coded("879911000000102", ""),
        evidence=[{"detail": [to("Condition/asthma")]}],
    ),
    a("Condition", "s-taboo", meta=label("TBOO"), code=coded("38341003", "Hypertension")),
    a(
        "Observation",
        "s-note",
        note=[{"text": "Discussed at MARAC"}],
        performer=[to("Practitioner/gp")],
    ),
    a("CarePlan", "s-care", category=[PLAN], careTeam=[to("CareTeam/s-team")], **_OF),
    a("Basic", "s-held", contained=[a("Condition", "c", code=PLAN)], subject=to("#c")),
    a("Parameters", "s-asked", parameter=[{"name": "x", "resource": a("Flag", "f", code=PLAN)}]),
    a("DocumentReference", "s-letter", securityLabel=[coded("NOPAT", "", ACT)], **_OF),
    a("OperationOutcome", "s-left-out", issue=[{"severity": "warning", "code": "suppressed"}]),
    {"resourceType": "Condition", "id": "s-odd", "meta": {"security": {"code": "R"}}},
    {"id": "s-nothing"},
    bundle(a("Flag", "s-inner", code=PLAN), type_="searchset", id="s-bundle", total=1),
)
"""What safeguarding adds to a record, each of which is hidden for what it is."""

BESIDE: Final[tuple[Json, ...]] = (
    a(
        "CareTeam",
        "s-team",
        name="A city council",
        managingOrganization=[to("Organization/s-council")],
    ),
    a("Organization", "s-council", name="A city council"),
    a("Provenance", "s-made", target=[to("Condition/asthma"), to("Flag/s-plan/_history/1")]),
    a("AuditEvent", "s-read", entity=[{"what": to("https://gp.example/fhir/Flag/s-plan")}]),
    a("Communication", "s-about", about=[to("Provenance/s-made")]),
    a("List", "s-list", title="Concerns", entry=[{"item": to("Flag/s-plan")}]),
    a("Encounter", "s-visit", reasonReference=[to("Condition/s-victim")], **_OF),
    a("Task", "s-task", focus=to("Encounter/s-visit")),
)
"""What comes with it, all of which is hidden for whom it names or who names it."""
