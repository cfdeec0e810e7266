"""Decides what a patient may not see, by the label: the only sign that a GP system is sent.

NOPAT has three spellings in use: http://terminology.hl7.org/CodeSystem/v3-ActCode (R4),
http://hl7.org/fhir/v3/ActCode (STU3) and the OID 2.16.840.1.113883.4.642.3.47 with or without
urn:oid: (GP2GP). A reader that matches only one of them leaks, as does one that drops an unreadable
label. So NOPAT under any system, and any unreadable label, hides. A flag is shown only if it says
that it is ordinary.

https://hl7.org/fhir/R4/security-labels.html
"""

import re

NEVER_SHOWN = ("Flag", "Task")

_POINTS_AT_HIDDEN = re.compile(r"(?:^|/)(?:Flag|Task)/")


def shown(entry: dict[str, object]) -> bool:
    """Returns whether a patient may see an entry of the record."""
    return is_ordinary_flag(entry) or not withheld(entry)


def is_ordinary_flag(resource: dict[str, object]) -> bool:
    """Returns whether it is a flag labelled N and not NOPAT, such as a reasonable adjustment."""
    if resource.get("resourceType") != "Flag" or _is_labelled(resource.get("meta", {})):
        return False
    meta = resource.get("meta", {})
    security = meta.get("security", []) if isinstance(meta, dict) else []
    said = any(label.get("code") == "N" for label in security)
    return said and not any(withheld(held) for held in resource.values())


def withheld(part: object) -> bool:
    """Returns whether a patient may not see this; one hidden part hides the whole."""
    if isinstance(part, list):
        return any(withheld(held) for held in part)
    if not isinstance(part, dict):
        return False
    return (
        _is_flag_or_task(part)
        or _is_labelled(part.get("meta", {}))
        or any(withheld(held) for held in part.values())
    )


def _is_flag_or_task(part: dict[str, object]) -> bool:
    reference = part.get("reference")
    return (
        part.get("resourceType") in NEVER_SHOWN
        or part.get("type") in NEVER_SHOWN
        or (isinstance(reference, str) and _POINTS_AT_HIDDEN.search(reference) is not None)
    )


def _is_labelled(meta: object) -> bool:
    if not isinstance(meta, dict):
        return True
    security = meta.get("security", [])
    if not isinstance(security, list):
        return True
    return any(_says_no_patient(label) for label in security)


def _says_no_patient(label: object) -> bool:
    code = label.get("code") if isinstance(label, dict) else None
    if not isinstance(code, str):
        return True
    return code.strip().upper() == "NOPAT"
