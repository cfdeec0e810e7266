"""What a patient may see of a Bundle: as if safeguarding had never been.

It is pure, and closed when in doubt: what cannot be understood is not shown. What is shown is the
same, to the byte, as for a record in which nothing hidden had ever been written. So no total, link,
label or signature of the bundle itself is shown, whether something went or not.
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
    """One thing that is not shown: its place, type and reason. It quotes nothing."""

    place: str
    type: str
    reason: HidingReason


@dataclass(frozen=True)
class FilteredBundle:
    """What may be shown and, for the operator alone, what was kept and removed."""

    shown: Json
    kept: int
    removals: tuple[Removal, ...]


def patient_view(bundle: Any) -> FilteredBundle:
    """Returns every entry that may be shown, whole and in its order. It never raises.

    What cannot be read as a Bundle gets the answer for a patient without a record.
    """
    if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle":
        return FilteredBundle(dict(_NOTHING), 0, (Removal("", "", HidingReason.UNREADABLE),))
    outermost = level_of(bundle, "")
    entries = list(entries_in(bundle, outermost))
    closure = Closure(entries, outermost)
    removals = [Removal("", "Bundle", outermost.reason)] if outermost.reason is not None else []
    for one in entries:
        removals += _removals(one, closure)
    kept = sum(one not in closure.reasons for one in entries)
    return FilteredBundle(_Shown(entries, closure).bundle(bundle, outermost), kept, tuple(removals))


def _removals(entry: BundleEntry, closure: Closure) -> list[Removal]:
    if entry in closure.reasons:
        return [Removal(entry.where, entry.type, closure.reasons[entry])]
    left = closure.left[entry]
    lost = [(where, reason) for where, _, reason in left.gone]
    lost += [(name, HidingReason.REFERENCE) for name in left.unlinked]
    return [
        Removal(f"{entry.where}.resource.{where}", entry.type, reason) for where, reason in lost
    ]


class _Shown:
    """Puts together what is left, bundles in bundles included."""

    def __init__(self, entries: list[BundleEntry], closure: Closure) -> None:
        self._left = closure.left
        self._inside: dict[str, list[BundleEntry]] = {}
        for one in entries:
            if one not in closure.reasons:
                self._inside.setdefault(one.level.where, []).append(one)

    def bundle(self, bundle: Mapping[str, Any], level: BundleLevel) -> Json:
        """Returns a bundle of the same type. Nothing around its entries could count or date."""
        shown: Json = {"resourceType": "Bundle", "type": level.type}
        for name in _NEEDED.get(level.type, ()):
            value = bundle.get(name)
            if value is not None and is_shallow(value) and reason_to_hide(value) is None:
                shown[name] = value
        entries = [self._entry(one, bundle) for one in self._inside.get(level.where, ())]
        return {**shown, "entry": entries} if entries else shown

    def _entry(self, one: BundleEntry, bundle: Mapping[str, Any]) -> Json:
        number = int(one.where.rpartition("[")[2].removesuffix("]"))
        entry = bundle["entry"][number]
        if one.inner is not None:
            resource = self.bundle(entry["resource"], one.inner)
        else:
            resource = self._left[one].shown
            entry = _undated(entry) if self._left[one].gone else entry
        return {name: resource if name == "resource" else value for name, value in entry.items()}


def _undated(entry: Json) -> Json:
    """Returns an entry without what says when its list was last changed: it lost a line."""
    around = dict(entry)
    if isinstance(around.get("response"), dict):
        said = around["response"].items()
        around["response"] = {name: value for name, value in said if name not in _DATES}
    return around
