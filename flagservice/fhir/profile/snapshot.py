"""Reads a profile's snapshot into rules, because a rule that is not understood is not enforced.

A rule that the checker in `profile` could not enforce is refused when the profile is loaded.
https://hl7.org/fhir/R4/elementdefinition.html and https://hl7.org/fhir/R4/profiling.html
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from flagservice.fhir.profile.text import (
    Codes,
    Json,
    UnusableProfile,
    count,
    insist,
    limit,
    listing,
    mapping,
    parsed,
    string,
)

PRIMITIVES: Final = frozenset(
    {"canonical", "code", "date", "dateTime", "id", "instant", "positiveInt", "string", "uri"}
)
COMPLEX: Final = frozenset(
    {"CodeableConcept", "Coding", "ContactDetail", "ContactPoint", "Extension", "Identifier"}
    | {"Meta", "Period", "Reference"}
)
DAY: Final = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CORE: Final = "http://hl7.org/fhir/StructureDefinition/"
_SYSTEM_STRING: Final = "http://hl7.org/fhirpath/System.String"
_SAYS_NO_RULE: Final = frozenset(
    {"id", "path", "sliceName", "short", "definition", "comment", "requirements", "alias"}
    | {"mustSupport", "isModifier", "isModifierReason", "isSummary", "mapping"}
)
_RULES: Final = frozenset({"slicing", "min", "max", "base", "type", "binding"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ElementDefinition:
    """The rules for one element, or for one slice of it."""

    name: str
    least: int
    most: int | None
    repeats: bool = False
    kind: str = ""
    regex: re.Pattern[str] | None = None
    targets: frozenset[str] = frozenset()
    pattern: object = None
    codes: Codes | None = None
    children: tuple["ElementDefinition", ...] = ()
    slices: tuple["ElementDefinition", ...] = ()
    ordered: bool = False
    definition: "StructureDefinition | None" = None


@dataclass(frozen=True, slots=True)
class StructureDefinition:
    """A StructureDefinition, read into rules."""

    url: str
    kind: str
    type: str
    root: ElementDefinition


@dataclass(frozen=True, slots=True)
class ConformanceResources:
    """The value sets and extension definitions that a profile may point to."""

    value_sets: Mapping[str, Codes] = field(default_factory=dict)
    extensions: Mapping[str, StructureDefinition] = field(default_factory=dict)


def read_definition(text: str, around: ConformanceResources) -> StructureDefinition:
    """Returns the rules of one StructureDefinition with a snapshot."""
    data = parsed(text, "StructureDefinition")
    insist(data.get("fhirVersion") == "4.0.1", "the profile must be for FHIR 4.0.1")
    insist(data.get("derivation") == "constraint", "the profile must be a constraint")
    snapshot = mapping(data.get("snapshot"), "snapshot")
    rows = [mapping(row, "element") for row in listing(snapshot.get("element"), "snapshot")]
    insist(bool(rows), "the snapshot must not be empty")
    root = _Snapshot(rows, around).root()
    url, kind, type_ = (string(data.get(name), name) for name in ("url", "kind", "type"))
    return StructureDefinition(url, kind, type_, root)


class _Snapshot:
    """Turns the flat rows of one snapshot into a tree of elements."""

    def __init__(self, rows: Sequence[Json], around: ConformanceResources) -> None:
        self._rows = {string(row.get("id"), "id"): row for row in rows}
        self._around = around
        insist(len(self._rows) == len(rows), "each element id may stand once")
        first, *others = self._rows
        for id_ in others:
            insist(_parent(id_) in self._rows, f"{id_}: the element above it is missing")
        for id_, row in self._rows.items():
            insist(re.sub(r":[^.]+", "", id_) == row.get("path"), f"{id_}: id and path differ")
        self._first = first

    def root(self) -> ElementDefinition:
        """Returns the tree."""
        return self._element(self._first)

    def _element(self, id_: str) -> ElementDefinition:
        row = self._rows[id_]
        kept = (key for key in row if not key.startswith(("fixed", "pattern")))
        unknown = [key for key in kept if key not in _SAYS_NO_RULE | _RULES]
        insist(not unknown, f"{id_}: {', '.join(unknown)} is not understood")
        base = mapping(row.get("base"), f"{id_}.base")
        least, most = count(row.get("min"), id_), limit(row.get("max"), id_)
        if most == 0:
            return ElementDefinition(name=_name(id_, ""), least=least, most=0)
        type_ = self._type(id_)
        kind = _kind(type_, id_)
        definition = self._definition(type_, id_)
        element = ElementDefinition(
            name=_name(id_, kind),
            least=least,
            most=most,
            repeats=base.get("max") != "1",
            kind=kind,
            regex=_regex(type_, id_),
            targets=_targets(type_, id_) if kind == "Reference" else frozenset(),
            pattern={"url": definition.url} if definition else _pattern(row, kind),
            codes=self._codes(row, kind),
            children=self._below(id_, "."),
            slices=self._below(id_, ":"),
            ordered=mapping(row.get("slicing", {}), id_).get("ordered") is True,
            definition=definition,
        )
        self._check(element, id_)
        return element

    def _below(self, id_: str, joint: str) -> tuple[ElementDefinition, ...]:
        starts = id_ + joint
        own = [other for other in self._rows if _parent(other) == id_ and other.startswith(starts)]
        return tuple(self._element(other) for other in own)

    def _type(self, id_: str) -> Json:
        if id_ == self._first:
            return {"code": ""}
        types = listing(self._rows[id_].get("type"), f"{id_}.type")
        insist(len(types) == 1, f"{id_}: exactly one type is understood")
        type_ = mapping(types[0], id_)
        known = {"code", "extension", "profile", "targetProfile"}
        insist(type_.keys() <= known, f"{id_}: a part of its type is not understood")
        string(type_.get("code"), f"{id_}.type.code")
        return type_

    def _codes(self, row: Json, kind: str) -> Codes | None:
        binding = mapping(row.get("binding", {}), "binding")
        fixed = any(key.startswith("fixed") for key in row)
        if binding.get("strength") != "required" or fixed:
            return None
        address = string(binding.get("valueSet"), "valueSet")
        insist(kind in {"code", "Coding"}, f"{address}: only a code or Coding can be bound")
        insist(address in self._around.value_sets, f"{address}: the value set is not at hand")
        return self._around.value_sets[address]

    def _definition(self, type_: Json, id_: str) -> StructureDefinition | None:
        profiles = listing(type_.get("profile", []), id_)
        if not profiles:
            return None
        insist(type_.get("code") == "Extension", f"{id_}: only an extension may have a profile")
        known = [self._around.extensions.get(string(address, id_)) for address in profiles]
        insist(len(known) == 1 and known[0] is not None, f"{id_}: its profile is not at hand")
        return known[0]

    def _check(self, element: ElementDefinition, id_: str) -> None:
        sliced = "slicing" in self._rows[id_]
        insist(sliced == bool(element.slices), f"{id_}: slicing needs slices, and slices slicing")
        if sliced:
            _check_slicing(mapping(self._rows[id_]["slicing"], id_), element, id_)
        if ":" in id_.rpartition(".")[2]:
            _check_slice(element, id_)
        elif element.kind in COMPLEX:
            opened = element.slices if element.kind == "Extension" else element.children
            insist(bool(opened), f"{id_}: what it may hold is not said")
        else:
            whole = element.kind == "" or not element.children
            insist(whole, f"{id_}: nothing can be below a primitive")
        if element.kind == "Period":
            _check_period(element, id_)


def _check_slicing(slicing: Json, element: ElementDefinition, id_: str) -> None:
    insist(slicing.get("rules") == "closed", f"{id_}: only closed slicing is understood")
    insist(element.repeats, f"{id_}: only a list can be sliced")
    needed = sum(one.least for one in element.slices)
    insist(needed <= element.least, f"{id_}: its slices need more entries than it does")
    found = [mapping(part, id_) for part in listing(slicing.get("discriminator"), id_)]
    kinds = [(part.get("type"), part.get("path")) for part in found]
    expected = ("value", "url") if element.kind == "Extension" else ("pattern", "$this")
    insist(kinds == [expected], f"{id_}: this discriminator is not understood")


def _check_slice(element: ElementDefinition, id_: str) -> None:
    insist(not element.children, f"{id_}: a slice's rules stand on the slice itself")
    insist(element.pattern is not None, f"{id_}: nothing says which entries are of this slice")


def _check_period(element: ElementDefinition, id_: str) -> None:
    """Refuses a period in anything but days: order is compared as text."""
    ends = [child for child in element.children if child.name in {"start", "end"} and child.most]
    days = all(end.regex is not None and end.regex.pattern == DAY for end in ends)
    insist(days, f"{id_}: a period must be one of days")


def _kind(type_: Json, id_: str) -> str:
    code = type_.get("code")
    if code == _SYSTEM_STRING:
        code = _annotation(type_, "structuredefinition-fhir-type", "valueUrl") or code
    if not isinstance(code, str) or code not in {""} | PRIMITIVES | COMPLEX:
        raise UnusableProfile(f"{id_}: its type is not understood")
    return code


def _regex(type_: Json, id_: str) -> re.Pattern[str] | None:
    known = {_CORE + "regex", _CORE + "structuredefinition-fhir-type"}
    urls = {mapping(part, id_).get("url") for part in listing(type_.get("extension", []), id_)}
    insist(urls <= known, f"{id_}: an extension of its type is not understood")
    pattern = _annotation(type_, "regex", "valueString")
    try:
        return re.compile(pattern, re.ASCII) if pattern else None
    except re.error as error:
        raise UnusableProfile(f"{id_}: its regular expression is not understood") from error


def _annotation(type_: Json, name: str, value: str) -> str | None:
    for part in listing(type_.get("extension", []), name):
        extension = mapping(part, name)
        if extension.get("url") == _CORE + name:
            return string(extension.get(value), name)
    return None


def _targets(type_: Json, id_: str) -> frozenset[str]:
    found = [string(address, id_) for address in listing(type_.get("targetProfile"), id_)]
    insist(bool(found), f"{id_}: a reference must say to what")
    insist(all(one.startswith(_CORE) for one in found), f"{id_}: its target is not understood")
    return frozenset(address.removeprefix(_CORE) for address in found)


def _pattern(row: Json, kind: str) -> object:
    keys = [key for key in row if key.startswith(("fixed", "pattern"))]
    insist(len(keys) <= 1, f"{row['id']}: it may be fixed once")
    if not keys:
        return None
    only_whole = keys[0].startswith("fixed") and kind not in PRIMITIVES
    insist(not only_whole, f"{row['id']}: only a primitive can be fixed; use a pattern")
    return row[keys[0]]


def _parent(id_: str) -> str:
    above, _, last = id_.rpartition(".")
    if ":" in last:
        return id_.rpartition(":")[0]
    return above


def _name(id_: str, kind: str) -> str:
    last = id_.rpartition(".")[2]
    if ":" in last:
        return last.partition(":")[2]
    if last.endswith("[x]"):
        insist(kind != "", f"{id_}: a choice needs a type")
        return last.removesuffix("[x]") + kind[0].upper() + kind[1:]
    return last
