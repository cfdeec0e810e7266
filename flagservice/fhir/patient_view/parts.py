"""Takes an entry apart into what stands or falls alone, and puts together what is left.

An entry is shown whole or not at all. Only the lines of a List, and the sections and lines of a
Composition, are parts that can go without the rest. The list then loses what could count or tell
its lines, or date the loss: narrative, note, version and date. A Composition keeps its `date`,
which R4 demands. It says when the whole document was put together, and to hide every document in
which one line is hidden would cost too much. https://hl7.org/fhir/R4/list.html and
https://hl7.org/fhir/R4/composition.html

`encounter` or `context` goes alone from an entry if it leads to an Encounter that is hidden for
what it refers to. Three ordinary readings, taken at a visit of which one reason is hidden, lose
nothing that a clinician found, and no reference dangles. If the Encounter is hidden for what it
says itself, all that was done there goes: it was about that.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, Final

from flagservice.fhir.patient_view.content import HidingReason, objects_in, reason_to_hide, texts_in
from flagservice.fhir.patient_view.names import ABSENT_FLAG, named_in
from flagservice.fhir.patient_view.words import folded, readings

_LISTS: Final = {"List": ("entry",), "Composition": ("section",), "section": ("entry", "section")}
_SECTION_SAYS: Final = ("text", "entry", "section")
_LEAST_WORD: Final = 6
_ABOUT_LINES: Final = frozenset({"text", "_text", "note"})
_DATES: Final = {"List": frozenset({"date", "_date"})}
_DATES_OF_META: Final = frozenset({"versionId", "_versionId", "lastUpdated", "_lastUpdated"})
_VISITS: Final = ("encounter", "context")
"""Where R4 says during which Encounter something was done; always 0..1, and nothing clinical."""


@dataclass(frozen=True)
class ResourcePart:
    """A resource, a section or a line: why it is hidden by itself, and its own parts."""

    kind: str
    whole: Mapping[str, Any]
    own: Mapping[str, Any]
    reason: HidingReason | None
    names: frozenset[str]
    below: Mapping[str, tuple["ResourcePart", ...]]
    visits: Mapping[str, frozenset[str]]
    """Whom its references to an Encounter name, by their element; `names` has the others."""

    def own_names(self) -> Iterator[str]:
        """Yields the names in it, outside its parts."""
        yield from self.names
        for held in self.visits.values():
            yield from held

    def names_below(self) -> Iterator[str]:
        """Yields the names in it and in all its parts."""
        yield from self.own_names()
        for held in self.below.values():
            for one in held:
                yield from one.names_below()


@dataclass(frozen=True)
class HiddenNames:
    """The names of what is hidden so far, their wording, and every name in the bundle.

    `firm` are the names of everything but Encounters that are hidden for what they refer to.
    """

    names: set[str]
    firm: set[str]
    words: defaultdict[str, set[str]]
    present: AbstractSet[str]

    def add(self, names: AbstractSet[str], *, words: Iterable[str], is_firm: bool) -> None:
        """Adds names of what is hidden, with its wording."""
        self.names.update(names)
        self.firm.update(names if is_firm else ())
        said = set(words)
        for name in names:
            self.words[name].update(said)

    def refers_to(self, names: AbstractSet[str]) -> bool:
        """Returns whether a name is of something hidden, or of a Flag that is not here."""
        return not names.isdisjoint(self.names) or any(
            name.startswith(ABSENT_FLAG) and name not in self.present for name in names
        )


@dataclass
class Remainder:
    """What is left of a part, the names in it, and which parts of it went, where and why."""

    shown: dict[str, Any] = field(default_factory=dict)
    reason: HidingReason | None = None
    names: set[str] = field(default_factory=set)
    gone: list[tuple[str, ResourcePart, HidingReason]] = field(default_factory=list)
    unlinked: list[str] = field(default_factory=list)
    """The elements that it lost because they led to a hidden Encounter."""


def part_of(whole: Mapping[str, Any], kind: str) -> ResourcePart:
    """Returns a resource by its type, or a `section` or `line`, with its parts."""
    lists = {name: whole[name] for name in _LISTS.get(kind, ()) if _is_listing(whole.get(name))}
    own = {name: value for name, value in whole.items() if name not in lists}
    below = {
        name: tuple(part_of(one, "section" if name == "section" else "line") for one in held)
        for name, held in lists.items()
    }
    visits = {name: frozenset(named_in(own[name])) for name in _VISITS if _is_link(own.get(name))}
    rest = {name: value for name, value in own.items() if name not in visits}
    return ResourcePart(
        kind, whole, own, reason_to_hide(own), frozenset(named_in(rest)), below, visits
    )


def _is_link(value: Any) -> bool:
    return isinstance(value, dict) and "reference" in value


def _is_listing(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, dict) for one in value)


def remainder_of(part: ResourcePart, hidden: HiddenNames) -> Remainder:
    """Returns what a patient may see of a part, or the reason if they may see none of it."""
    if part.reason is not None:
        return Remainder(reason=part.reason)
    if hidden.refers_to(part.names) or not hidden.firm.isdisjoint(part.own_names()):
        return Remainder(reason=HidingReason.REFERENCE)
    left = Remainder(names=set(part.names))
    for name, value in part.whole.items():
        if name in part.below:
            _add(left, part.below[name], name=name, hidden=hidden)
        elif hidden.refers_to(part.visits.get(name, frozenset())):
            left.unlinked.append(name)
        else:
            left.shown[name] = value
            left.names |= part.visits.get(name, frozenset())
    if left.gone:
        left.shown = _without_traces(left.shown, kind=part.kind)
    left.reason = _afterwards(part, left, hidden=hidden)
    return left


def _without_traces(shown: Mapping[str, Any], *, kind: str) -> dict[str, Any]:
    dropped = _ABOUT_LINES | _DATES.get(kind, frozenset())
    kept = {name: value for name, value in shown.items() if name not in dropped}
    if "meta" in kept:
        meta = {name: value for name, value in kept["meta"].items() if name not in _DATES_OF_META}
        kept["meta"] = meta
    return {name: value for name, value in kept.items() if name != "meta" or value}


def _add(
    left: Remainder, parts: tuple[ResourcePart, ...], *, name: str, hidden: HiddenNames
) -> None:
    kept = []
    for number, one in enumerate(parts):
        held = remainder_of(one, hidden)
        where = f"{name}[{number}]"
        if held.reason is not None:
            left.gone.append((where, one, held.reason))
            continue
        kept.append(held.shown)
        left.names |= held.names
        left.gone += [(f"{where}.{below}", gone, reason) for below, gone, reason in held.gone]
    if kept:
        left.shown[name] = kept


def _afterwards(part: ResourcePart, left: Remainder, *, hidden: HiddenNames) -> HidingReason | None:
    """Returns why a list is hidden after all: nothing is left, or its words tell what went.

    R4 knows no empty section (cmp-1). A List that says why it is empty says something.
    """
    if part.kind == "section" and not any(name in left.shown for name in _SECTION_SAYS):
        return HidingReason.EMPTY
    if part.kind == "List" and not left.shown.keys() & {"entry", "emptyReason"}:
        return HidingReason.EMPTY
    gone = {word for _, one, _ in left.gone for word in wording(one.whole)}
    names = {name for _, one, _ in left.gone for name in one.names_below()}
    meant = {word for name in names & hidden.words.keys() for word in hidden.words[name]}
    if left.gone and _tells(part, left, words=gone | meant):
        return HidingReason.REFERENCE
    return None


def _tells(part: ResourcePart, left: Remainder, *, words: AbstractSet[str]) -> bool:
    own = {name: value for name, value in left.shown.items() if name not in part.below}
    told = [one for text in texts_in(own) for one in readings(text)]
    return any(word in one for word in words for one in told)


def wording(content: Any) -> Iterator[str]:
    """Yields the displays and texts of codes and references, as a narrative repeats them."""
    for one in objects_in(content):
        for name in ("display", "text", "title"):
            word = one.get(name)
            if isinstance(word, str) and len(word) >= _LEAST_WORD:
                yield folded(word)
