"""Checks a resource against a profile, because fhir.resources checks shape and not meaning.

It fails closed: an element that the profile does not name is a problem, and a profile with a rule
that is not enforced here does not load. Problems name an element and a rule, and quote nothing.
https://hl7.org/fhir/R4/profiling.html and https://hl7.org/fhir/R4/datatypes.html
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Self

from flagservice.fhir.profile.snapshot import (
    COMPLEX,
    PRIMITIVES,
    ConformanceResources,
    ElementDefinition,
    StructureDefinition,
    read_definition,
)
from flagservice.fhir.profile.text import UnusableProfile, read_value_set

__all__ = ["Profile", "UnusableProfile"]

_LONGEST: Final = 1_048_576
_LARGEST: Final = 2_147_483_647
_GRAMMAR: Final = {
    "canonical": re.compile(r"\S+"),
    "code": re.compile(r"\S+( \S+)*"),
    "date": re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?"),
    "id": re.compile(r"[A-Za-z0-9.\-]{1,64}"),
    "instant": re.compile(
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3])(:[0-5][0-9]){2}"
        r"(\.[0-9]{1,9})?(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])"
    ),
    "string": re.compile(r"[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*"),
    "uri": re.compile(r"\S+"),
}


@dataclass(frozen=True, slots=True)
class Profile:
    """One profile, ready to check resources of its type."""

    definition: StructureDefinition

    @classmethod
    def load(
        cls, text: str, value_sets: Iterable[str] = (), extensions: Iterable[str] = ()
    ) -> Self:
        """Reads the texts of a StructureDefinition and of all that it points to."""
        known = ConformanceResources(dict(read_value_set(one) for one in value_sets))
        found = [read_definition(one, known) for one in extensions]
        around = ConformanceResources(known.value_sets, {one.url: one for one in found})
        return cls(read_definition(text, around))

    def problems(self, resource: Mapping[str, object]) -> list[str]:
        """Returns what is wrong with the resource, one sentence each."""
        type_ = self.definition.type
        found = []
        content = dict(resource)
        if self.definition.kind == "resource" and content.pop("resourceType", None) != type_:
            found.append(f"{type_}: resourceType must be the type that the profile is for")
        found += _object(self.definition.root, content, type_)
        return list(dict.fromkeys(found))


def _object(element: ElementDefinition, content: object, where: str) -> Iterator[str]:
    """Yields what breaks the rules of an object and of everything in it."""
    if not isinstance(content, Mapping):
        yield f"{where}: must be an object"
        return
    if not content:
        yield f"{where}: must not be empty"
    known = [child for child in element.children if child.least or child.name in content]
    if not content.keys() <= {child.name for child in known}:
        yield f"{where}: holds an element that the profile does not know"
    for child in known:
        yield from _property(child, content, where)
    if element.kind == "Period":
        yield from _order_of_days(content, where)
    if element.kind == "Reference" and content.get("type") not in tuple(element.targets):
        yield f"{where}.type: the profile does not let it refer to this type of resource"


def _property(
    element: ElementDefinition, holder: Mapping[str, object], where: str
) -> Iterator[str]:
    """Yields what is wrong with a property that is there, or has to be."""
    here = f"{where}.{element.name}"
    if element.name not in holder:
        yield f"{here}: is required"
    elif element.most == 0:
        yield f"{here}: must be absent"
    elif element.repeats:
        yield from _entries(element, holder[element.name], here)
    else:
        yield from _value(element, holder[element.name], here)


def _entries(element: ElementDefinition, entries: object, where: str) -> Iterator[str]:
    if not isinstance(entries, list) or not entries:
        yield f"{where}: must be a list with at least one entry"
        return
    if len(entries) < element.least:
        yield f"{where}: needs at least {element.least} entries"
    if element.most is not None and len(entries) > element.most:
        yield f"{where}: may have at most {element.most}"
    for index, entry in enumerate(entries):
        yield from _value(element, entry, f"{where}[{index}]")
    if element.slices:
        yield from _slices(element, entries, where)


def _slices(element: ElementDefinition, entries: list[object], where: str) -> Iterator[str]:
    """Yields what breaks closed slicing.

    Each entry belongs to a slice, and each slice has its number of entries.
    """
    places = []
    for index, entry in enumerate(entries):
        place = next((n for n, one in enumerate(element.slices) if _like(one.pattern, entry)), None)
        if place is None:
            yield f"{where}[{index}]: is none of the entries that the profile permits"
        else:
            places.append(place)
            yield from _value(element.slices[place], entry, f"{where}[{index}]")
    if element.ordered and places != sorted(places):
        yield f"{where}: must stand in the profile's order"
    for place, one in enumerate(element.slices):
        if places.count(place) < one.least:
            yield f"{where}: the entry {one.name} is required"
        if one.most is not None and places.count(place) > one.most:
            yield f"{where}: the entry {one.name} may stand {one.most} time(s)"


def _value(element: ElementDefinition, value: object, where: str) -> Iterator[str]:
    if element.kind in PRIMITIVES and not _well_formed(element.kind, value):
        yield f"{where}: is not a well-formed {element.kind}"
    elif element.regex and not element.regex.fullmatch(str(value)):
        yield f"{where}: does not have the form that the profile asks for"
    if element.definition:
        yield from _object(element.definition.root, value, where)
    elif element.kind in COMPLEX and element.children:
        yield from _object(element, value, where)
    if element.pattern is not None and not _like(element.pattern, value):
        yield f"{where}: must be what the profile fixes"
    if element.codes is not None:
        yield from _listed(element, value, where)


def _listed(element: ElementDefinition, value: object, where: str) -> Iterator[str]:
    """Yields what breaks a required binding.

    A code is of any system listed; a coding has the words that are listed for it.
    """
    codes = element.codes or {}
    if element.kind == "code":
        if not any(code == value for _, code in codes):
            yield f"{where}: must be one of the listed codes"
        return
    coding = value if isinstance(value, Mapping) else {}
    key = coding.get("system"), coding.get("code")
    listed = {known: words for known, words in codes.items() if known == key}
    if not listed:
        yield f"{where}: must be one of the listed codes"
    for words in listed.values():
        if words is not None and coding.get("display", words) != words:
            yield f"{where}.display: must be the words listed for the code"


def _order_of_days(period: Mapping[str, object], where: str) -> Iterator[str]:
    start, end = period.get("start"), period.get("end")
    if isinstance(start, str) and isinstance(end, str) and start > end:
        yield f"{where}: must not start after its end"


def _like(pattern: object, value: object) -> bool:
    """Returns whether the value holds at least all that the pattern holds."""
    if isinstance(pattern, Mapping):
        return isinstance(value, Mapping) and all(
            key in value and _like(part, value[key]) for key, part in pattern.items()
        )
    if isinstance(pattern, list):
        return isinstance(value, list) and all(
            any(_like(part, entry) for entry in value) for part in pattern
        )
    return type(pattern) is type(value) and pattern == value


def _well_formed(kind: str, value: object) -> bool:
    if kind == "positiveInt":
        return type(value) is int and 0 < value <= _LARGEST
    if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST:
        return False
    if kind == "dateTime":
        kind = "instant" if "T" in value else "date"
    return _GRAMMAR[kind].fullmatch(value) is not None and _on_the_calendar(kind, value)


def _on_the_calendar(kind: str, value: str) -> bool:
    """Returns whether there is such a day. A year or month alone gets its first day."""
    try:
        if kind == "date":
            date.fromisoformat((value + "-01-01")[:10])
        if kind == "instant":
            datetime.fromisoformat(value)
    except ValueError:
        return False
    return True
