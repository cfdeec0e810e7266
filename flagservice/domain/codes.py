"""The codes that a flag may carry: an explicit list, each with its source and its certainty.

GP systems raise and clear warnings by pairs of a start and an end code. A check digit proves
nothing about a code's meaning, so no code outside this list is ever emitted.
"""

from dataclasses import dataclass
from enum import StrEnum

from flagservice.domain.elements import Coding, PlanCategory

SNOMED_CT = "http://snomed.info/sct"
BARS_CATEGORY = "https://fhir.nhs.uk/CodeSystem/flag-categories-bars"
BARS_CODE = "https://fhir.nhs.uk/CodeSystem/safeguarding-codes-bars"
REQUEST_CODE = "https://flagservice.example/fhir/CodeSystem/safeguarding-request"
ODS_SYSTEM = "https://fhir.nhs.uk/Id/ods-organization-code"


class Certainty(StrEnum):
    """How well a code is known, by the catalogue's grades."""

    READ = "A"
    """read in a primary source"""
    REPORTED = "B"
    """read in a regional document"""
    UNCONFIRMED = "C"
    """seen in research code lists only: confirm in the UK Edition before go-live"""


class Bearer(StrEnum):
    """Whose record a code speaks of. On another record it is untrue, or gives away more."""

    CHILD = "a child"
    MOTHER = "the mother of an unborn child"
    VICTIM = "a victim"
    ANYBODY = "anybody"


@dataclass(frozen=True)
class Code:
    """One code, where it was seen, and the code that ends it where one is known."""

    coding: Coding
    source: str
    certainty: Certainty
    ended_by: str | None = None
    bearer: Bearer = Bearer.ANYBODY


RCGP = "RCGP Safeguarding toolkit, part 4, codes"
CP_IS = "England-ChildProtectionPlan value set (NHS England)"
ICB = "North East London ICB, child protection codes for EMIS"
RESEARCH = "ACE code lists mapped to CPRD and EMIS (research)"
BARS = "BaRS safeguarding-codes-bars 1.0.0 (NHS England)"


_A, _B, _C = Certainty.READ, Certainty.REPORTED, Certainty.UNCONFIRMED


@dataclass(frozen=True)
class _Seen:
    """Where a SNOMED CT code was seen, and how sure that makes it."""

    source: str
    certainty: Certainty
    bearer: Bearer = Bearer.ANYBODY

    def code(self, id_: str, display: str, ended_by: str | None = None) -> Code:
        coding = Coding(SNOMED_CT, id_, display)
        return Code(coding, self.source, self.certainty, ended_by, self.bearer)


_OF_A_CHILD = _Seen(RCGP, _A, Bearer.CHILD)
_OF_A_MOTHER = _Seen(RCGP, _A, Bearer.MOTHER)
_OF_FAMILY = _Seen(RCGP, _A)
_LISTED = (
    _OF_A_CHILD.code("342191000000101", "Subject to child protection plan", "342891000000105"),
    _Seen(ICB, _B, Bearer.CHILD).code(
        "342891000000105", "No longer subject to child protection plan"
    ),
    _OF_FAMILY.code(
        "375041000000100", "Family member subject of child protection plan", "375071000000106"
    ),
    _Seen(RESEARCH, _C).code(
        "375071000000106", "Family member no longer subject of child protection plan"
    ),
    _Seen(CP_IS, _A, Bearer.MOTHER).code(
        "818901000000100", "Unborn child subject to child protection plan", "1025431000000104"
    ),
    _Seen(RESEARCH, _C, Bearer.MOTHER).code(
        "1025431000000104", "Unborn child no longer subject to child protection plan"
    ),
    _OF_A_CHILD.code(
        "836881000000105", "Child is cause for safeguarding concern", "810771000000107"
    ),
    _Seen(RESEARCH, _C, Bearer.CHILD).code(
        "810771000000107", "Child no longer safeguarding concern"
    ),
    _OF_FAMILY.code("1064961000000107", "Child in family is safeguarding concern"),
    _OF_A_MOTHER.code("878111000000109", "Unborn child is cause for safeguarding concern"),
    _Seen(RESEARCH, _C, Bearer.CHILD).code("135891007", "Child in need", "135890008"),
    _Seen(RESEARCH, _C, Bearer.CHILD).code("135890008", "Child no longer in need"),
    _Seen(BARS, _A, Bearer.CHILD).code("881081000000100", "Domestic abuse victim in household"),
    _Seen(RESEARCH, _C, Bearer.VICTIM).code("879911000000102", "Victim of domestic abuse"),
    Code(Coding(BARS_CODE, "U", "Unspecified Safeguarding Concern Identified"), BARS, _A),
    Code(
        Coding(
            REQUEST_CODE,
            "contact-duty-desk",
            "Contact the safeguarding duty desk about this patient",
        ),
        "profiles/CodeSystem-safeguarding-request.json",
        _A,
    ),
)
CODES = {listed.coding.code: listed for listed in _LISTED}
"""Every code that a placement may choose, by its code."""

NEUTRAL = CODES["U"].coding
"""What a removal carries, and an alleged perpetrator's own record: nothing that was said."""

SAFEGUARDING = Coding(BARS_CATEGORY, "SG", "Safeguarding Concern")

CATEGORY_CODES = {
    PlanCategory.PHYSICAL: Coding(
        SNOMED_CT, "802311000000100", "Child protection category physical"
    ),
    PlanCategory.EMOTIONAL: Coding(
        SNOMED_CT, "802301000000102", "Child protection category emotional"
    ),
    PlanCategory.SEXUAL: Coding(SNOMED_CT, "802281000000103", "Child protection category sexual"),
    PlanCategory.NEGLECT: Coding(SNOMED_CT, "802271000000100", "Child protection category neglect"),
}
"""From the same research lists; physical and sexual confirmed by the ICB page's namespace (B)."""
