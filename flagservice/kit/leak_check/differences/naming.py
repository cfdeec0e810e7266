"""Gives each difference a name from a closed list: what leaked, by its cause rather than its door.

Where a type's own search shows a flag, everything else that shows one follows from that, and is
told under the same name with its own request line. A name never hides a request: each is listed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from flagservice.kit.leak_check.crawl.requests import HIDDEN, Ask, Door
from flagservice.kit.leak_check.differences.compare import Sign, Sort


class Name(StrEnum):
    """What leaked. A closed list: a difference that fits nowhere is `content`, and counts."""

    LABEL_IGNORED = "label-ignored"
    ONE_NOPAT_SYSTEM = "one-nopat-system"
    READ = "read"
    COUNT = "count"
    HISTORY = "history"
    INCLUDE = "include"
    EVERYTHING = "everything"
    DOCUMENT = "document"
    OPERATION = "operation"
    EXPORT = "export"
    NARRATIVE = "narrative"
    FORBIDDEN = "forbidden"
    GONE = "gone"
    ERROR_TEXT = "error-text"
    STATUS = "status"
    LAST_UPDATED = "last-updated"
    VERSION = "version"
    PAGING = "paging"
    SECURITY_SEARCH = "security-search"
    REVERSE_CHAIN = "reverse-chain"
    WARNING = "warning"
    NOTIFICATION = "notification"
    LIST = "list"
    PROXY = "proxy"
    CAPABILITY = "capability"
    HEADER = "header"
    SIZE = "size"
    CONTENT = "content"


class Wave(StrEnum):
    """What stood on the flagged twin when it was seen."""

    FILED = "filed as sent"
    STU3 = "filed with the label as STU3 spelt it"
    OID = "filed with the label as GP2GP spells it"
    TAKEN_BACK = "taken back"


SPELT: Final = frozenset({Wave.FILED, Wave.STU3, Wave.OID})


class Reader(StrEnum):
    """Whose token it was."""

    PATIENT = "patient"
    PROXY = "proxy"


_BY_WAY_IN: Final = {
    Door.CAPABILITY: Name.CAPABILITY,
    Door.READ: Name.READ,
    Door.SEARCH: Name.LABEL_IGNORED,
    Door.COUNT: Name.COUNT,
    Door.INCLUDE: Name.INCLUDE,
    Door.HISTORY: Name.HISTORY,
    Door.EVERYTHING: Name.EVERYTHING,
    Door.DOCUMENT: Name.DOCUMENT,
    Door.OPERATION: Name.OPERATION,
    Door.EXPORT: Name.EXPORT,
    Door.SECURITY: Name.SECURITY_SEARCH,
    Door.UPDATED: Name.LAST_UPDATED,
    Door.UNCHANGED: Name.VERSION,
    Door.REVERSE_CHAIN: Name.REVERSE_CHAIN,
    Door.GUESS: Name.READ,
}
_BY_SORT: Final = {
    Sort.TEXT: Name.NARRATIVE,
    Sort.INSTANT: Name.LAST_UPDATED,
    Sort.VERSION: Name.VERSION,
    Sort.ISSUE: Name.ERROR_TEXT,
    Sort.OTHER: Name.CONTENT,
}
_BY_STATUS: Final = {"401": Name.FORBIDDEN, "403": Name.FORBIDDEN, "410": Name.GONE}
_BY_HEADER: Final = {
    "last-modified": Name.LAST_UPDATED,
    "etag": Name.VERSION,
    "content-length": Name.SIZE,
}
_LISTING: Final = ("List", "Composition")


@dataclass(frozen=True)
class Difference:
    """One exchange in which something differs: every sign, who read, and when."""

    line: str
    ask: Ask
    signs: tuple[Sign, ...]
    reader: Reader
    wave: Wave


@dataclass(frozen=True)
class Finding:
    """A name, the request line that shows it, who read, and what stood on the twin then."""

    name: Name
    where: str
    readers: tuple[Reader, ...]
    waves: tuple[Wave, ...]


def named(differences: Sequence[Difference]) -> list[Finding]:
    """Every difference under its name, once for each request line."""
    shown = _shown(differences)
    told = {(one.ask.target, one.reader, one.wave) for one in differences if _is_get(one)}
    grown = {_case(one) for one in differences if any(s.sort is Sort.NEW for s in one.signs)}
    seen: dict[tuple[Name, str], set[tuple[Reader, Wave]]] = {}
    for one in differences:
        if one.ask.method == "HEAD" and (one.ask.target, one.reader, one.wave) in told:
            continue  # the size of what its GET already tells
        for name in _names(one, shown, grown=_case(one) in grown):
            seen.setdefault((name, one.line), set()).add((one.reader, one.wave))
    return _by_cause(seen)


def _case(one: Difference) -> tuple[str, Reader, Wave]:
    return one.ask.line, one.reader, one.wave


def _is_get(one: Difference) -> bool:
    return one.ask.method == "GET" and not one.ask.headers


def _shown(differences: Iterable[Difference]) -> dict[str, Name]:
    """The types of which an ordinary search shows something new."""
    found: dict[str, Name] = {}
    for one in differences:
        for sign in one.signs:
            if one.ask.door is Door.SEARCH and sign.sort is Sort.NEW and sign.of == one.ask.kind:
                is_flag = sign.of in HIDDEN
                found[sign.of] = Name.LABEL_IGNORED if is_flag else Name.NOTIFICATION
    return found


def _names(one: Difference, shown: dict[str, Name], *, grown: bool) -> set[Name]:
    """A total, a link or a further page only follows from what is new in the same answer."""
    sorts = {sign.sort for sign in one.signs}
    consequences = {Sort.TOTAL, Sort.LINK} if grown else set()
    if Sort.LINK in sorts and Sort.MISSING in sorts:
        consequences |= {Sort.MISSING}
    return {_name(one, sign, shown) for sign in one.signs if sign.sort not in consequences}


def _name(one: Difference, sign: Sign, shown: dict[str, Name]) -> Name:
    match sign.sort:
        case Sort.STATUS:
            return _status(one, sign, shown)
        case Sort.HEADER:
            return _BY_HEADER.get(sign.of, Name.HEADER)
        case Sort.TOTAL:
            return _follows(one, shown) or Name.COUNT
        case Sort.LINK:
            return _follows(one, shown) or Name.PAGING
        case Sort.NEW:
            return _new(one, sign, shown)
        case Sort.MISSING:
            return Name.CONTENT
        case Sort.TEXT | Sort.INSTANT | Sort.VERSION | Sort.ISSUE | Sort.OTHER:
            return _BY_SORT[sign.sort]


def _follows(one: Difference, shown: dict[str, Name]) -> Name | None:
    """The cause, where a count or a page only follows from what a search shows anyway."""
    if one.ask.kind:
        return shown.get(one.ask.kind)
    return next(iter(shown.values()), None)


def _status(one: Difference, sign: Sign, shown: dict[str, Name]) -> Name:
    if one.ask.door is Door.UNCHANGED:
        by_tag = any(header == "If-None-Match" for header, _ in one.ask.headers)
        return Name.VERSION if by_tag else Name.LAST_UPDATED
    if sign.of in _BY_STATUS:
        return _BY_STATUS[sign.of]
    if one.ask.door is Door.GUESS:
        history = "/_history" in one.ask.target
        return shown.get(one.ask.kind) or (Name.HISTORY if history else Name.READ)
    return Name.STATUS


def _new(one: Difference, sign: Sign, shown: dict[str, Name]) -> Name:
    if sign.of == "OperationOutcome":
        return Name.WARNING
    if sign.of in shown:
        return shown[sign.of]
    if sign.inside in _LISTING:
        return Name.LIST
    if one.ask.door is Door.REVERSE_CHAIN and shown:
        return next(iter(shown.values()))
    if sign.of in HIDDEN or one.ask.door in (Door.UPDATED, Door.REVERSE_CHAIN):
        return _BY_WAY_IN[one.ask.door]
    if one.ask.door is Door.HISTORY and "_since" in one.ask.target:
        return Name.LAST_UPDATED
    return Name.NOTIFICATION if sign.of else Name.CONTENT


def _by_cause(seen: dict[tuple[Name, str], set[tuple[Reader, Wave]]]) -> list[Finding]:
    """Two causes show only in the whole: by whom it is seen, and under which spelling."""
    readers: dict[Name, set[Reader]] = {}
    waves: dict[Name, set[Wave]] = {}
    for (name, _), cases in seen.items():
        readers.setdefault(name, set()).update(reader for reader, _ in cases)
        waves.setdefault(name, set()).update(wave for _, wave in cases)
    found = []
    for (name, where), cases in seen.items():
        cause = name
        if readers[name] == {Reader.PROXY}:
            cause = Name.PROXY
        elif name is Name.LABEL_IGNORED and not waves[name] >= SPELT:
            cause = Name.ONE_NOPAT_SYSTEM
        found.append(
            Finding(
                cause,
                where,
                tuple(sorted({reader for reader, _ in cases})),
                tuple(wave for wave in Wave if any(wave is met for _, met in cases)),
            )
        )
    return sorted(found, key=lambda one: (one.name, one.where))
