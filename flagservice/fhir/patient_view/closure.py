"""Follows what is hidden to the end: what refers to it, what is only for it, what is now empty.

Each step can only hide more, so it comes to rest, in whatever order entries stand. Entries are
found by name, so that a long chain of references costs no more than its length.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from flagservice.fhir.patient_view.content import HidingReason
from flagservice.fhir.patient_view.entries import HEADS, BundleEntry, BundleLevel
from flagservice.fhir.patient_view.parts import HiddenNames, Remainder, remainder_of, wording

_ANSWERS: Final = ("batch-response", "transaction-response")


class Closure:
    """What is hidden of a bundle's entries, and what is left of the others."""

    def __init__(self, entries: Sequence[BundleEntry], outermost: BundleLevel) -> None:
        self._entries = entries
        self._levels = [outermost, *(one.inner for one in entries if one.inner is not None)]
        self._inside: dict[BundleLevel, list[BundleEntry]] = {level: [] for level in self._levels}
        self._called: dict[str, list[BundleEntry]] = defaultdict(list)
        self._naming: dict[str, list[BundleEntry]] = defaultdict(list)
        for one in entries:
            self._inside[one.level].append(one)
            for name in one.all_names:
                self._called[name].append(one)
            for name in {*one.own_names, *_all_named(one)}:
                self._naming[name].append(one)
        present = {name for one in entries for name in one.own_names}
        self._hidden = HiddenNames(names=set(), firm=set(), words=defaultdict(set), present=present)
        self.reasons: dict[BundleEntry, HidingReason] = {}
        self.left: dict[BundleEntry, Remainder] = {}
        self._follow()

    def _follow(self) -> None:
        for one in self._entries:
            self._look_at(one)
        for level in self._levels:
            if level.reason is not None:
                self._hide(self._inside[level], level.reason)
        self._settle()
        for level in self._levels:
            if level.labelled and not self._explains(level):
                self._hide(self._inside[level], HidingReason.LABEL)
        self._settle()

    def _explains(self, level: BundleLevel) -> bool:
        """Returns whether an entry carries the label that its bundle repeats.

        A bundle's label may be the sum of its entries'. If no entry carries it, it is about all of
        them: https://hl7.org/fhir/R4/security-labels.html
        """
        return any(
            reason is HidingReason.LABEL and one.where.startswith(level.where)
            for one, reason in self.reasons.items()
        )

    def _settle(self) -> None:
        before = -1
        while len(self.reasons) != before:
            before = len(self.reasons)
            self._hide_what_is_empty()
            self._hide_what_is_only_for_hidden()
            if len(self.reasons) == before:
                self._hide_what_lost_its_head()

    def _hide(self, entries: Iterable[BundleEntry], reason: HidingReason) -> None:
        """Hides these entries, what is in them, and what refers to any of it."""
        waiting = [(one, reason) for one in entries]
        while waiting:
            one, why = waiting.pop()
            if one in self.reasons:
                continue
            self.reasons[one] = why
            self._hidden.add(
                one.all_names,
                words=wording(one.part.whole.get("code") if one.part else 0),
                is_firm=one.type != "Encounter" or why is not HidingReason.REFERENCE,
            )
            if one.inner is not None:
                waiting += [(below, HidingReason.WHOLE) for below in self._inside[one.inner]]
            for other in {other for name in one.all_names for other in self._naming[name]}:
                waiting += [(other, found) for found in self._reasons_of(other)]

    def _look_at(self, one: BundleEntry) -> None:
        for reason in self._reasons_of(one):
            self._hide([one], reason)

    def _reasons_of(self, one: BundleEntry) -> Iterable[HidingReason]:
        """Yields the reason to hide an entry now, or keeps what is left of it."""
        if one in self.reasons:
            return
        if one.reason is not None:
            yield one.reason
            return
        left = Remainder(names=set(one.around_names))
        if one.part is not None:
            left = remainder_of(one.part, self._hidden)
        self.left[one] = left
        if left.reason is not None:
            yield left.reason
        elif self._hidden.refers_to(one.own_names | one.around_names):
            yield HidingReason.REFERENCE

    def _hide_what_is_empty(self) -> None:
        """Hides a bundle without entries, unless it answers one of several requests."""
        for one in self._entries:
            if one.inner is None or one.level.type in _ANSWERS:
                continue
            if all(below in self.reasons for below in self._inside[one.inner]):
                self._hide([one], HidingReason.EMPTY)

    def _hide_what_is_only_for_hidden(self) -> None:
        shown = [one for one in self._entries if one not in self.reasons]
        named = {name for one in self.reasons for name in _all_named(one)} | {
            name
            for one in shown
            for _, gone, _ in self.left[one].gone
            for name in gone.names_below()
        }
        named |= {name for one in shown if one.speaks for name in one.own_names}
        supporting = {one for one in self._reached(named) if one.is_supporting}
        roots = {name for one in shown if one not in supporting for name in self._named(one)}
        self._hide(supporting - self._reached(roots), HidingReason.ONLY_FOR_HIDDEN)

    def _reached(self, names: set[str]) -> set[BundleEntry]:
        """Returns what is named and shown, and what supporting entries among it name in turn."""
        found: set[BundleEntry] = set()
        waiting = list(names)
        seen = set(names)
        while waiting:
            for one in self._called.get(waiting.pop(), ()):
                if one in self.reasons or one in found:
                    continue
                found.add(one)
                more = self._named(one) - seen if one.is_supporting else set()
                seen |= more
                waiting += more
        return found

    def _named(self, one: BundleEntry) -> set[str]:
        """Returns the names in what is left of an entry that is shown."""
        return self.left[one].names | one.around_names

    def _hide_what_lost_its_head(self) -> None:
        """Hides a document without its Composition, a message without its header."""
        for level in self._levels:
            shown = [one for one in self._inside[level] if one not in self.reasons]
            if level.type in HEADS and shown and shown[0].type != HEADS[level.type]:
                self._hide(shown, HidingReason.WHOLE)


def _all_named(one: BundleEntry) -> set[str]:
    """Returns every name in an entry."""
    return {*one.around_names, *(one.part.names_below() if one.part is not None else ())}
