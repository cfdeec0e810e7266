"""What a patient, or who reads for one, may see of a Bundle: as if safeguarding had never been.

Pure, and closed when in doubt: what cannot be understood is not shown. What is shown is the same,
to the byte, as for the same record in which nothing that is hidden had ever been written; so no
total, link, label or signature of the bundle itself is shown, whether something went or not.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from flagservice.fhir.patient_view.closure import Closure
from flagservice.fhir.patient_view.content import HidingReason, is_shallow, reason_to_hide
from flagservice.fhir.patient_view.entries import (
    BundleEntry,
    BundleLevel,
    Json,
    entries_in,
    level_of,
)

_NOTHING: Final = {"resourceType": "Bundle", "type": "searchset"}
_NEEDED: Final = {"document": ("identifier", "timestamp"), "message": ("timestamp",)}
"""What R4 demands of these bundles (bdl-9, bdl-10); they are of the bundle, not of an entry."""
_DATES: Final = frozenset({"etag", "_etag", "lastModified", "_lastModified"})


@dataclass(frozen=True)
class Removal:
    """One thing that is not shown. It names a place, a type and a reason, and quotes nothing."""

    place: str
    type: str
    reason: HidingReason


@dataclass(frozen=True)
class FilteredBundle:
    """What may be shown; and, for the operator alone, how much was kept and what was removed."""

    shown: Json
    kept: int
    removals: tuple[Removal, ...]


def patient_view(bundle: Any) -> FilteredBundle:
    """Every entry that may be shown, whole and in its order. It never raises.

    What is no Bundle that can be read is answered as the record of somebody who has none.
    """
    if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle":
        return FilteredBundle(dict(_NOTHING), 0, (Removal("", "", HidingReason.UNREADABLE),))
    outermost = level_of(bundle, "")
    places = list(entries_in(bundle, outermost))
    closure = Closure(places, outermost)
    removals = [Removal("", "Bundle", outermost.reason)] if outermost.reason is not None else []
    for place in places:
        removals += _removals(place, closure)
    kept = sum(one not in closure.reasons for one in places)
    return FilteredBundle(_Shown(places, closure).bundle(bundle, outermost), kept, tuple(removals))


def _removals(place: BundleEntry, closure: Closure) -> list[Removal]:
    if place in closure.reasons:
        return [Removal(place.where, place.type, closure.reasons[place])]
    left = closure.left[place]
    lost = [(where, reason) for where, _, reason in left.gone]
    lost += [(name, HidingReason.REFERENCE) for name in left.unlinked]
    return [
        Removal(f"{place.where}.resource.{where}", place.type, reason) for where, reason in lost
    ]


class _Shown:
    """Puts together what is left, bundles in bundles included."""

    def __init__(self, places: list[BundleEntry], closure: Closure) -> None:
        self._left = closure.left
        self._inside: dict[str, list[BundleEntry]] = {}
        for one in places:
            if one not in closure.reasons:
                self._inside.setdefault(one.level.where, []).append(one)

    def bundle(self, bundle: Mapping[str, Any], level: BundleLevel) -> Json:
        """A bundle of the same type, with nothing around its entries that could count or date."""
        shown: Json = {"resourceType": "Bundle", "type": level.type}
        for name in _NEEDED.get(level.type, ()):
            value = bundle.get(name)
            if value is not None and is_shallow(value) and reason_to_hide(value) is None:
                shown[name] = value
        entries = [self._entry(one, bundle) for one in self._inside.get(level.where, ())]
        return {**shown, "entry": entries} if entries else shown

    def _entry(self, place: BundleEntry, bundle: Mapping[str, Any]) -> Json:
        number = int(place.where.rpartition("[")[2].removesuffix("]"))
        entry = bundle["entry"][number]
        if place.inner is not None:
            resource = self.bundle(entry["resource"], place.inner)
        else:
            resource = self._left[place].shown
            entry = _undated(entry) if self._left[place].gone else entry
        return {name: resource if name == "resource" else value for name, value in entry.items()}


def _undated(entry: Json) -> Json:
    """An entry of a list that lost a line, without what says when its list was last changed."""
    around = dict(entry)
    if isinstance(around.get("response"), dict):
        said = around["response"].items()
        around["response"] = {name: value for name, value in said if name not in _DATES}
    return around
