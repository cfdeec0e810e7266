"""Which labels hide: NOPAT wherever it stands, what comes to the same, and every unreadable label.

How restricted an entry is (v3-Confidentiality R or V) says how professionals must handle it, not
that its own patient may not read it: depression and opioid use are labelled R. So neither hides.
https://hl7.org/fhir/R4/security-labels.html and https://hl7.org/fhir/uv/security-label-ds4p/
"""

import re
from typing import Any, Final

from flagservice.fhir.labels import NOPAT_SYSTEMS

SYSTEMS: Final = (*NOPAT_SYSTEMS, "urn:oid:2.16.840.1.113883.5.4")
"""Where NOPAT is defined. It hides under any other system, too, and under none."""

_HIDING: Final = frozenset({"sdv", "vio", "tboo", "nolist", "orcon"})
"""ActCode: abuse or domestic violence; violence; taboo, which triggers NOPAT; only to whom a list
or the originator allows, neither of which is known here."""
_TABOO: Final = frozenset({"t", "sdv"})
"""The retired codes of v3-Confidentiality for the same."""
_WITHHELD: Final = frozenset({"redacted", "masked"})
_CODING: Final = frozenset(
    {"id", "extension", "system", "version", "code", "display", "userSelected"}
    | {"_system", "_version", "_code", "_display", "_userSelected"}
)
_META: Final = frozenset(
    {"id", "extension", "versionId", "lastUpdated", "source", "profile", "security", "tag"}
    | {"_versionId", "_lastUpdated", "_source", "_profile"}
)
_NOT_A_LETTER: Final = re.compile(r"[\W_]+")
_INLINE: Final = re.compile(r"(?:inline-sec|sec|security)-label", re.IGNORECASE)


def says_no_patient(text: str) -> bool:
    """Returns whether a label's code is NOPAT, in any case and spacing."""
    return len(text) < 40 and _NOT_A_LETTER.sub("", text).casefold() == "nopat"


def is_no_patient(text: str) -> bool:
    """Returns whether any text is NOPAT, as one word: "No PAT" can be a short note."""
    return len(text.split()) == 1 and says_no_patient(text)


def releases(content: Any) -> bool:
    """Returns whether a resource says that it may be disclosed at its patient's request.

    A person has said so, of what cannot be read here. It outweighs no other reason to hide.
    https://terminology.hl7.org/CodeSystem-v3-ActReason.html
    """
    labels = labels_in(content) if isinstance(content, dict) else None
    return any(
        one.get("code") == "PATRQT" and "v3-actreason" in str(one.get("system")).casefold()
        for one in labels or ()
    )


def hides(coding: dict[str, Any]) -> bool:
    """Returns whether a readable label, in a place for labels, keeps its entry from the patient."""
    code = str(coding.get("code")).strip().casefold()
    system = str(coding.get("system", "")).casefold()
    taboo = "confidentiality" in system and code in _TABOO
    return says_no_patient(code) or code in _HIDING or taboo


def tells_of_withholding(coding: dict[str, Any]) -> bool:
    """Returns whether a label says that something was taken out."""
    return str(coding.get("code")).strip().casefold() in _WITHHELD


def labels_in(part: dict[str, Any]) -> list[Any] | None:
    """Returns every label that one object carries itself, or None if one is unreadable.

    Labels stand in `meta.security`, in `securityLabel` and in extensions on an element.
    """
    found: list[Any] = []
    for name in ("meta", "valueMeta", "securityLabel", "security"):
        if name not in part:
            continue
        held = _held(name, part)
        if held is None:
            return None
        found += held
    if _is_inline(part):
        found.append(part.get("valueCoding"))
    return found if all(_is_readable(one) for one in found) else None


def are_all_found(objects: list[dict[str, Any]]) -> bool:
    """Returns whether a resource that announces labels on its elements has some that we find."""
    announced = any(part.get("code") == "PROCESSINLINELABEL" for part in objects)
    return not announced or any(map(_is_inline, objects))


def _is_inline(part: dict[str, Any]) -> bool:
    return _INLINE.search(str(part.get("url", ""))) is not None and "resourceType" not in part


def _held(name: str, part: dict[str, Any]) -> list[Any] | None:
    value = part[name]
    if name in ("meta", "valueMeta"):
        return _of_meta(value)
    if name == "security":
        # A capability statement says there how a server is secured; elsewhere it is out of place.
        return None if "resourceType" in part else []
    if not isinstance(value, list):
        return None
    codings = [one.get("coding", [one]) if isinstance(one, dict) else [one] for one in value]
    return [one for held in codings for one in (held if isinstance(held, list) else [held])]


def _of_meta(meta: Any) -> list[Any] | None:
    if not isinstance(meta, dict) or not meta.keys() <= _META:
        return None
    labels = meta.get("security", [])
    return labels if isinstance(labels, list) else None


def _is_readable(label: Any) -> bool:
    if not isinstance(label, dict) or not label.keys() <= _CODING:
        return False
    texts = [label.get(name, "") for name in ("system", "version", "display")]
    code = label.get("code")
    whole = isinstance(code, str) and code.strip() != ""
    return whole and all(isinstance(text, str) for text in texts)
