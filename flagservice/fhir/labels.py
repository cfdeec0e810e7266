"""The security labels on every copy. They are the second line; the first is no route at all.

https://terminology.hl7.org/CodeSystem-v3-ActCode.html and CodeSystem-v3-Confidentiality.html
"""

from typing import Final

from flagservice.domain.copies import Label

ACT_CODE: Final = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
CONFIDENTIALITY: Final = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
NOPAT_SYSTEMS: Final = (
    ACT_CODE,
    "http://hl7.org/fhir/v3/ActCode",
    "urn:oid:2.16.840.1.113883.4.642.3.47",
)
"""Every address under which NOPAT is met in the wild; we send the first."""

_LABELS: Final = {
    Label.NOPAT: (
        ACT_CODE,
        "no disclosure to patient, family or caregivers without attending provider's authorization",
    ),
    Label.PERSISTLABEL: (ACT_CODE, "persist security label"),
    Label.RESTRICTED: (CONFIDENTIALITY, "restricted"),
    Label.VERY_RESTRICTED: (CONFIDENTIALITY, "very restricted"),
}


def security(labels: tuple[Label, ...]) -> list[dict[str, str]]:
    """Returns `meta.security` for a copy, in the policy's order."""
    return [
        {"system": _LABELS[label][0], "code": str(label), "display": _LABELS[label][1]}
        for label in labels
    ]
