"""Which codes are about safeguarding: many more than we emit, each group with where it was read.

A code counts by itself, under any system: BaRS sends SNOMED CT ids under its own address, and a
system that is missing or misspelt must not be a way past. Only short local codes, which mean
something else elsewhere, count with their system alone.

Some codes stand in a safeguarding list and are ordinary illness everywhere else: suspected alcohol
or drug abuse and a family history of them, self harm, frequent attendance, a delay in seeking
advice. They are left out, and hide under the list's own system only.
"""

from typing import Final

from flagservice.domain.codes import BARS_CATEGORY, BARS_CODE, CATEGORY_CODES, CODES, SAFEGUARDING

_RCGP: Final = """
342191000000101 375041000000100 836881000000105 1064961000000107 878111000000109
"""
"""RCGP Safeguarding toolkit part 4: plan, family member's plan, concern, in the family, unborn."""

_CP_IS: Final = "764841000000100 818901000000100"
"""England-ChildProtectionPlan (NHS England): looked after, unborn plan."""

_ICB: Final = """
342891000000105 764951000000107 802251000000109 802301000000102 802271000000100 802311000000100
802281000000103 160887007 160889005 1064311000000109 224353004
"""
"""North East London ICB, codes for EMIS: ends, categories, the older register, observations."""

_PROCESS: Final = """
135891007 135890008 326071000000101 1025431000000104 864491000000105 375071000000106
810771000000107 301831000000106 758741000000106 758771000000100 762931000000105 762761000000102
762781000000106 408770006 859441000000106 913841000000107 1036511000000100 160877008
"""
"""ACE code lists (research): child in need, ends, section 47, strategy meeting, conferences."""

_COURT: Final = """
922551000000109 294531000000101 512421000000101 294501000000107 512401000000105 512331000000106
"""
"""ACE code lists: care proceedings and orders under the Children Act 1989."""

_DOMESTIC_ABUSE: Final = """
879911000000102 205171000000107 429746005 850441000000102 697950003 707087005 759471000000102
759481000000100 881081000000100 895141000000105 983731000000107 758941000000108 978091000000105
1078361000000107 495021000000105 886191000000106 412732008 706893006
"""
"""ACE code lists: victim, household, MARAC, MAPPA, DASH; the last two: public CQL and SHIFT."""

_PERPETRATOR: Final = """
206411000000103 205181000000109 206401000000100 206381000000100 206391000000103
"""
"""ACE code lists: alleged perpetrator of domestic violence, of abuse, by its sort."""

_BARS: Final = """
297591000000108 736792008 702953007 702579009 838481000000106 697951004 697949003
1054321000000100 766969008 761571000000106 300731000000106 861931000000100 713201008
919461000000108 700254002 700253008 700255001 1076171000000100 416936003 766561000000109 417361000
771983008 771984002 417427001 417430008 771385008 104586100000100 129707006 248054003 162596006
777996001
"""
"""BaRS safeguarding-codes-bars 1.0.0 (NHS England), with its three corrupt ids as they are sent."""

_INTERWEAVE: Final = "514331000000104 65108000 1188261000000103 1098411000000108 401233007"
"""Interweave-FlagType 0.0.1 (Yorkshire and Humber): adult safeguarding, risk from others."""

_ACCESS: Final = "1364731000000104 1364751000000106 1290331000000103"
"""NHS England and BMA: enhanced review before access (104), its end (106), access declined (103).
The first tells a coercive reader that somebody is worried: RED-13, LT-33."""

_OTHER: Final = "902961000000107 999002381000000108"
"""FGM-IS: family history of FGM; GP Connect: the safeguarding issues reference set itself."""

SNOMED: Final = frozenset(
    " ".join(
        (
            *(_RCGP, _CP_IS, _ICB, _PROCESS, _COURT, _DOMESTIC_ABUSE, _PERPETRATOR),
            *(_BARS, _INTERWEAVE, _ACCESS, _OTHER),
        )
    ).split()
) | {
    coding.code
    for coding in (*(one.coding for one in CODES.values()), *CATEGORY_CODES.values())
    if coding.code.isdigit()
}
"""SNOMED CT ids, ours among them, whatever else is added to `domain/codes.py` later."""

_READ: Final = """
13Iv 13Iw 13Iy 13Iz 13WX 13If0 13IB1 9NgF 13IS 13IT 13WT 13WT0 13WT1 13WT2 13WT3 13WT4
13IM 13IO 8CM6
XaOnx XaOtl XaPkF XaPkG XaZJs XafeJ XaaNV XaIO8 XaIO7
"""
READ: Final = frozenset(_READ.split())
"""Read v2 (without its trailing dots) and CTV3, from the same sources; case matters in both."""

DISTINCT: Final = frozenset(
    {"alperp", "marac", "mappa", "abusive", "child-protection-information-system-flag"}
    | {"female-genital-mutilation-flag", "cp-is", "cpis"}
)
"""Local codes that mean one thing only: Interweave flag types, England-FlagCategoryPatient."""

SYSTEMS: Final = frozenset({BARS_CODE.casefold()})
"""Systems that hold nothing but safeguarding."""

LOCAL: Final = frozenset(
    {(SAFEGUARDING.system.casefold(), SAFEGUARDING.code.casefold())}
    | {
        (f"https://fhir.interweavedigital.nhs.uk/codesystem/interweave-flag{part}", code)
        for part, codes in (
            ("type", ("rtc", "rtw", "rtm", "rfo", "nvu", "varm")),
            ("category", ("sgc", "rto", "rso")),
        )
        for code in codes
    }
    | {("https://fhir.nhs.uk/england/codesystem/england-flagcategorypatient", "fgm")}
)
"""Short codes that count with their system alone (`SG` is also Singapore)."""

KNOWN_SYSTEMS: Final = frozenset(
    {
        "http://snomed.info/sct",
        "http://loinc.org",
        "http://hl7.org/fhir/sid/icd-10",
        "http://terminology.hl7.org/codesystem/flag-category",
        "http://hl7.org/fhir/flag-category",
        "https://fhir.nhs.uk/england/codesystem/england-flagcategorypatient",
        "https://fhir.nhs.uk/codesystem/reasonable-adjustment-codes-bars",
        "https://fhir.interweavedigital.nhs.uk/codesystem/interweave-flagtype",
        BARS_CATEGORY.casefold(),
    }
)
"""Vocabularies that are published: a Flag coded in one, and not above, is about something else."""
