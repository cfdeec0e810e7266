"""A profile that the checker could not enforce does not load: no rule is skipped in silence."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from flagservice.fhir.profile.check import Profile, UnusableProfile
from tests.fhir.profile.examples import PROFILES, definition, extensions, load, value_sets

Json = dict[str, Any]
Change = Callable[[Json], object]


def loading(data: Json, sets: list[str] | None = None, exts: list[str] | None = None) -> Profile:
    sets = value_sets() if sets is None else sets
    return Profile.load(json.dumps(data), sets, extensions() if exts is None else exts)


def row(data: Json, id_: str) -> Json:
    found: Json = next(one for one in data["snapshot"]["element"] if one["id"] == id_)
    return found


def on(id_: str, **change: object) -> Change:
    return lambda data: row(data, id_).update(copy.deepcopy(change))


def typed(id_: str, **change: object) -> Change:
    return lambda data: row(data, id_)["type"][0].update(copy.deepcopy(change))


def dropped(id_: str) -> Change:
    return lambda data: data["snapshot"]["element"].remove(row(data, id_))


def added(id_: str, **change: object) -> Change:
    new = {
        "id": id_,
        "path": id_.replace(":flag", ""),
        "min": 0,
        "max": "1",
        "base": {"path": id_, "min": 0, "max": "1"},
        "type": [{"code": "string"}],
    }
    return lambda data: data["snapshot"]["element"].append(new | change)


def sliced(id_: str, **change: object) -> Change:
    return lambda data: row(data, id_)["slicing"].update(copy.deepcopy(change))


REGEX = "http://hl7.org/fhir/StructureDefinition/regex"
REFUSED: dict[str, tuple[Change, str]] = {
    "of another FHIR version": (lambda d: d.update(fhirVersion="5.0.0"), "FHIR 4.0.1"),
    "that is not a constraint": (lambda d: d.update(derivation="specialization"), "constraint"),
    "without a snapshot": (lambda d: d.pop("snapshot"), "snapshot: an object"),
    "with an empty snapshot": (lambda d: d["snapshot"].update(element=[]), "not be empty"),
    "without an address": (lambda d: d.pop("url"), "url: text"),
    "that is another resource": (lambda d: d.update(resourceType="Basic"), "expected"),
    "with an invariant": (on("Flag.period", constraint=[{"key": "x"}]), "constraint is not"),
    "with a limit on length": (on("Flag.status", maxLength=5), "maxLength is not"),
    "with a least value": (on("Flag.period.start", minValueDate="2026-11-20"), "minValueDate"),
    "with an element twice": (added("Flag.status"), "may stand once"),
    "with an element that hangs in the air": (added("Flag.a.b"), "above it is missing"),
    "with a path that differs": (on("Flag.status", path="Flag.stat"), "id and path differ"),
    "with a minimum that is no count": (on("Flag.status", min="1"), "min must be a count"),
    "with a negative minimum": (on("Flag.status", min=-1), "min must be a count"),
    "with a maximum that is no count": (on("Flag.status", max="many"), "max must be"),
    "without a base": (lambda d: row(d, "Flag.status").pop("base"), "an object is needed"),
    "with two types": (on("Flag.status", type=[{"code": "code"}] * 2), "exactly one type"),
    "with no type": (on("Flag.status", type=[]), "exactly one type"),
    "with an empty type": (typed("Flag.status", code=""), "text is needed"),
    "with an unknown type": (typed("Flag.status", code="decimal"), "type is not understood"),
    "with an unnamed system type": (
        on("Flag.id", type=[{"code": "http://hl7.org/fhirpath/System.String"}]),
        "not understood",
    ),
    "with aggregation": (typed("Flag.subject", aggregation=["bundled"]), "part of its type"),
    "with a type extension it does not know": (
        typed("Flag.status", extension=[{"url": "x"}]),
        "an extension of its type",
    ),
    "with a broken regular expression": (
        typed("Flag.status", extension=[{"url": REGEX, "valueString": "("}]),
        "regular expression",
    ),
    "with a profiled coding": (
        typed("Flag.code.coding", profile=["https://example.org/x"]),
        "only an extension",
    ),
    "with an unknown extension": (
        typed("Flag.extension:duty-desk", profile=["https://example.org/x"]),
        "not at hand",
    ),
    "with a reference to anything": (
        lambda d: row(d, "Flag.subject")["type"][0].pop("targetProfile"),
        "a list is needed",
    ),
    "with a reference to nothing": (typed("Flag.subject", targetProfile=[]), "must say to what"),
    "with a reference to a profile": (
        typed("Flag.subject", targetProfile=["https://example.org/x"]),
        "target is not understood",
    ),
    "with a value fixed twice": (
        on("Flag.meta.profile", patternCanonical="x"),
        "may be fixed once",
    ),
    "with a whole concept fixed": (on("Flag.code", fixedCodeableConcept={}), "use a pattern"),
    "with an unknown value set": (
        on("Flag.status", binding={"strength": "required", "valueSet": "x"}),
        "not at hand",
    ),
    "with a bound concept": (
        on("Flag.code", binding={"strength": "required", "valueSet": "x"}),
        "can be bound",
    ),
    "with open slicing": (sliced("Flag.category", rules="open"), "only closed slicing"),
    "with another discriminator": (
        sliced("Flag.category", discriminator=[{"type": "exists", "path": "text"}]),
        "discriminator is not understood",
    ),
    "with slices of a single element": (
        lambda d: (
            on("Flag.code", slicing=row(d, "Flag.category")["slicing"])(d),
            added("Flag.code:flag", patternCodeableConcept={})(d),
        ),
        "only a list can be sliced",
    ),
    "with a needed slice of what may be absent": (
        on("Flag.extension:duty-desk", min=1),
        "slices need more entries",
    ),
    "with slices and no slicing": (
        lambda d: row(d, "Flag.category").pop("slicing"),
        "slicing needs slices",
    ),
    "with rules below a slice": (
        added("Flag.identifier:flag.system", path="Flag.identifier.system"),
        "on the slice itself",
    ),
    "with a slice that nothing marks": (
        lambda d: row(d, "Flag.identifier:flag").pop("patternIdentifier"),
        "nothing says which",
    ),
    "with a concept whose parts are not said": (
        added("Flag.more", type=[{"code": "CodeableConcept"}]),
        "is not said",
    ),
    "with free extensions": (added("Flag.more", type=[{"code": "Extension"}]), "is not said"),
    "with something below a primitive": (added("Flag.status.more"), "below a primitive"),
    "with a choice forbidden": (added("Flag.value[x]", max="0"), "a choice needs a type"),
    "with a period of instants": (
        on("Flag.period.start", type=[{"code": "dateTime"}]),
        "must be one of days",
    ),
}


@pytest.mark.parametrize(("change", "rule"), REFUSED.values(), ids=REFUSED)
def test_a_profile_is_refused(change: Change, rule: str) -> None:
    data = definition("SafeguardingFlag")
    change(data)
    with pytest.raises(UnusableProfile, match=rule):
        loading(data)


@pytest.mark.parametrize("text", ["{", "[]", '"x"'], ids=["broken", "a list", "a word"])
def test_a_text_that_is_no_resource_is_refused(text: str) -> None:
    with pytest.raises(UnusableProfile):
        Profile.load(text)


def test_a_profile_is_refused_without_what_it_points_to() -> None:
    data = definition("SafeguardingFlag")
    with pytest.raises(UnusableProfile, match="value set is not at hand"):
        loading(data, sets=[])
    with pytest.raises(UnusableProfile, match="profile is not at hand"):
        loading(data, exts=[])


VALUE_SETS: dict[str, Change] = {
    "a filter": lambda v: v["compose"]["include"][0].update(filter=[{}]),
    "an exclusion": lambda v: v["compose"].update(exclude=[{}]),
    "a whole code system": lambda v: v["compose"]["include"][0].pop("concept"),
    "a concept without a code": lambda v: v["compose"]["include"][0].update(concept=[{}]),
    "no content": lambda v: v.pop("compose"),
}


@pytest.mark.parametrize("change", VALUE_SETS.values(), ids=VALUE_SETS)
def test_a_value_set_with_anything_but_codes_is_refused(change: Change) -> None:
    name = "ValueSet-safeguarding-flag-status.json"
    data = json.loads((PROFILES / name).read_text(encoding="utf-8"))
    change(data)
    with pytest.raises(UnusableProfile):
        loading(definition("SafeguardingFlag"), sets=[json.dumps(data)])


def test_a_list_without_an_end_is_understood() -> None:
    data = definition("SafeguardingFlag")
    row(data, "Flag.category")["max"] = "*"
    row(data, "Flag.category:sexual")["max"] = "*"
    assert loading(data).problems({"resourceType": "Flag", "category": [1]}) != []


def test_every_profile_of_this_project_loads() -> None:
    for path in PROFILES.glob("StructureDefinition-*.json"):
        assert load(path.stem.partition("-")[2]).definition.url.endswith(
            path.stem.partition("-")[2]
        )
