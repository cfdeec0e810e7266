"""Takes a bundle apart into entries, at any level of bundles in bundles."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from flagservice.fhir.patient_view import labels
from flagservice.fhir.patient_view.content import (
    STAFF,
    HidingReason,
    is_shallow,
    reason_to_hide,
    speaks,
)
from flagservice.fhir.patient_view.names import named_in, other_names, own_names
from flagservice.fhir.patient_view.parts import ResourcePart, part_of
from flagservice.fhir.patient_view.types import BUNDLE_TYPES, RESOURCE_TYPES

Json = dict[str, Any]
_ENTRY: Final = frozenset(
    {"id", "extension", "modifierExtension", "link", "fullUrl", "_fullUrl", "resource"}
    | {"search", "request", "response"}
)
_SUPPORTING: Final = frozenset(
    {"Binary", "CareTeam", "Device", "Endpoint", "Group", "HealthcareService", "Location"}
    | {"Organization", "Person", "Practitioner", "PractitionerRole", "RelatedPerson"}
)
"""Who and where: they are in a record for the sake of what refers to them."""
_MOST_BUNDLES: Final = 8
HEADS: Final = {"document": "Composition", "message": "MessageHeader"}


@dataclass(frozen=True)
class BundleLevel:
    """One bundle: where it is, what sort it is, and whether its own label hides all of it."""

    where: str
    type: str
    reason: HidingReason | None
    labelled: bool


@dataclass(frozen=True, eq=False)
class BundleEntry:
    """One entry: where it is, its resource in parts, and its names."""

    where: str
    level: BundleLevel
    type: str
    around: Json
    reason: HidingReason | None
    part: ResourcePart | None
    own_names: frozenset[str]
    all_names: frozenset[str]
    around_names: frozenset[str]
    inner: BundleLevel | None = None
    speaks: bool = False
    """Whether it is staff with words of safeguarding: shown only if what is shown names it."""

    @property
    def is_supporting(self) -> bool:
        """Whether it is here only for what refers to it."""
        search = self.around.get("search")
        included = isinstance(search, dict) and search.get("mode") == "include"
        return included or self.type in _SUPPORTING or self.level.type in HEADS


def level_of(bundle: Json, where: str) -> BundleLevel:
    """Returns a bundle's level, from its type and labels. Nothing else around entries is shown."""
    type_ = bundle.get("type")
    known = isinstance(type_, str) and type_ in BUNDLE_TYPES
    held = labels.labels_in({"meta": bundle.get("meta", {}), "resourceType": "Bundle"})
    whole = known and held is not None and isinstance(bundle.get("entry", []), list)
    return BundleLevel(
        where=where,
        type=str(type_) if known else "searchset",
        reason=None if whole else HidingReason.UNREADABLE,
        labelled=any(map(labels.hides, held or ())),
    )


def entries_in(bundle: Json, level: BundleLevel, *, depth: int = 0) -> Iterator[BundleEntry]:
    """Yields every entry of a bundle, each followed by those of the bundle that it holds."""
    entries = bundle.get("entry", [])
    for number, raw in enumerate(entries if isinstance(entries, list) else []):
        entry = _entry(raw, level, where=f"{level.where}entry[{number}]", depth=depth)
        yield entry
        if entry.inner is not None:
            yield from entries_in(raw["resource"], entry.inner, depth=depth + 1)


def _entry(entry: Any, level: BundleLevel, *, where: str, depth: int) -> BundleEntry:
    resource = entry.get("resource") if isinstance(entry, dict) else None
    type_ = resource.get("resourceType") if isinstance(resource, dict) else None
    known = isinstance(type_, str) and type_ in RESOURCE_TYPES and entry.keys() <= _ENTRY
    if not isinstance(resource, dict) or not isinstance(type_, str) or not known:
        return _unreadable(entry, level, where=where)
    around = {name: value for name, value in entry.items() if name != "resource"}
    names = own_names(entry, resource)
    inner, part = None, None
    if type_ != "Bundle":
        part = part_of(resource, type_) if is_shallow(resource) else None
    elif depth < _MOST_BUNDLES:
        inner = level_of(resource, f"{where}.resource.")
    readable = part is not None or inner is not None
    return BundleEntry(
        where=where,
        level=level,
        type=type_,
        around=around,
        reason=reason_to_hide(around) if readable else HidingReason.UNREADABLE,
        part=part,
        own_names=frozenset(names),
        all_names=frozenset(names | other_names(resource)),
        around_names=frozenset(named_in(around)),
        inner=inner,
        speaks=type_ in STAFF and part is not None and speaks(resource),
    )


def _unreadable(entry: Any, level: BundleLevel, *, where: str) -> BundleEntry:
    """Returns an entry that cannot be read, or has no resource, such as a deletion.

    It is hidden. What refers to it is hidden only if there was a resource.
    """
    around = entry if isinstance(entry, dict) else {}
    names = own_names(around, {"resourceType": ""}) if "resource" in around else set()
    return BundleEntry(
        where=where,
        level=level,
        type="",
        around={},
        reason=HidingReason.UNREADABLE,
        part=None,
        own_names=frozenset(names),
        all_names=frozenset(names),
        around_names=frozenset(),
    )
