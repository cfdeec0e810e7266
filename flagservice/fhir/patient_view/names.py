"""An entry's names and the names in it, so that no reference to a hidden entry is left.

A reference may be relative, absolute, versioned, a urn, canonical, logical (by identifier) or a
link in a narrative. Any text that holds one counts. Names are compared without regard to case: the
national CP-IS example links to its own plan in another case than the plan's id has.
https://hl7.org/fhir/R4/references.html
"""

import re
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import unquote

from flagservice.domain.people import NHS_NUMBER_SYSTEM
from flagservice.fhir.patient_view.content import objects_in, texts_in
from flagservice.fhir.patient_view.types import RESOURCE_TYPES

ABSENT_FLAG: Final = "flag/"
"""How the name of every Flag starts: one that is not in the bundle counts as hidden."""

_LITERAL: Final = re.compile(
    r"(?<![A-Za-z])([A-Z][A-Za-z]{2,40})([/_-])([^\s\"'<>?#|/,;()]{1,128})"
)
_URN: Final = re.compile(r"urn:(?:uuid|oid):[0-9A-Za-z.-]+", re.IGNORECASE)
_LONG: Final = re.compile(r"(?<![0-9A-Za-z-])[0-9A-Za-z-]{20,64}(?![0-9A-Za-z-])")
_REFERENCE: Final = frozenset(
    {"reference", "type", "identifier", "display", "id", "extension", "_reference", "_display"}
)
_NHS_NUMBER: Final = f"{NHS_NUMBER_SYSTEM}|".casefold()
_PEOPLE: Final = frozenset({"Patient", "RelatedPerson", "Person"})


def own_names(entry: dict[str, Any], resource: dict[str, Any]) -> set[str]:
    """Returns what makes an entry the same as another: its type and id, and its full address."""
    type_, id_ = resource["resourceType"], resource.get("id")
    names = set(_literal(f"{type_}/{id_}")) if isinstance(id_, str) else set()
    if isinstance(id_, str) and _LONG.fullmatch(id_):
        names.add(id_.casefold())
    address = entry.get("fullUrl")
    if isinstance(address, str):
        names |= {_address(address), *_literal(address)}
    return names


def other_names(resource: dict[str, Any]) -> set[str]:
    """Returns its identifiers and its canonical address, by which it can be referred to.

    An NHS number is a person's name only. On anything else it says whose it is.
    """
    held = resource.get("identifier")
    names = {
        name
        for one in (held if isinstance(held, list) else [held])
        for name in _logical(one)
        if resource["resourceType"] in _PEOPLE or not name.startswith(_NHS_NUMBER)
    }
    url, id_ = resource.get("url"), resource.get("id")
    names |= {_address(url)} if isinstance(url, str) else set()
    return names | ({f"urn:uuid:{id_}".casefold()} if isinstance(id_, str) else set())


def named_in(content: Any) -> set[str]:
    """Returns every name that stands anywhere in it."""
    names = {name for text in texts_in(content) for name in _in_text(text)}
    for part in objects_in(content):
        if "identifier" in part and part.keys() <= _REFERENCE:
            names |= _logical(part["identifier"])
            if part.get("type") == "Flag" and "reference" not in part:
                names.add(ABSENT_FLAG)
    return names


def _in_text(text: str) -> Iterator[str]:
    yield from _literal(text)
    if "%" in text:
        yield from _literal(unquote(text))
    yield from (found.casefold() for found in _URN.findall(text))
    yield from (found.casefold() for found in _LONG.findall(text))
    if "://" in text:
        yield _address(text)


def _literal(text: str) -> Iterator[str]:
    """Yields `Type/id`, and as pages are named, `Type-id.html`."""
    for type_, joint, id_ in _LITERAL.findall(text):
        if type_ in RESOURCE_TYPES:
            yield f"{type_}-{id_.removesuffix('.html')}".casefold()
            if joint == "/":
                yield f"{type_}/{id_}".casefold()


def _address(text: str) -> str:
    """Returns an address without version and fragment."""
    plain = re.split(r"[|#]", text.strip(), maxsplit=1)[0]
    return plain.partition("/_history/")[0].casefold()


def _logical(identifier: Any) -> set[str]:
    if not isinstance(identifier, dict):
        return set()
    system, value = identifier.get("system", ""), identifier.get("value")
    if not isinstance(system, str) or not isinstance(value, str):
        return set()
    return {f"{system}|{value}".casefold()}
