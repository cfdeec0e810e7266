"""The security labels on every copy: the second line of defence, the first being no route at all.

https://terminology.hl7.org/CodeSystem-v3-ActCode.html and CodeSystem-v3-Confidentiality.html
"""

from typing import Final

ACT_CODE: Final = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
CONFIDENTIALITY: Final = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
NOPAT_SYSTEMS: Final = (
    ACT_CODE,
    "http://hl7.org/fhir/v3/ActCode",
    "urn:oid:2.16.840.1.113883.4.642.3.47",
)
"""Every address under which NOPAT is met in the wild; we send the first."""

_LABELS: Final = {
    "NOPAT": (
        ACT_CODE,
        "no disclosure to patient, family or caregivers without attending provider's authorization",
    ),
    "PERSISTLABEL": (ACT_CODE, "persist security label"),
    "R": (CONFIDENTIALITY, "restricted"),
    "V": (CONFIDENTIALITY, "very restricted"),
}


def security(labels: tuple[str, ...]) -> list[dict[str, str]]:
    """`meta.security` for a copy, in the policy's order."""
    return [
        {"system": _LABELS[code][0], "code": code, "display": _LABELS[code][1]} for code in labels
    ]
