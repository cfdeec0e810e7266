"""Gives each difference a name from a closed list: what leaked, by its cause.

Where a search of a type shows a flag, everything else that shows one follows from that, and has the
same name with its own request line.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from flagservice.kit.leak_check.crawl.requests import HIDDEN, CrawlRequest, Door
from flagservice.kit.leak_check.differences.compare import Sign, SignKind


class LeakName(StrEnum):
    """What leaked. A difference that fits nowhere is `content`."""

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


class FilingStage(StrEnum):
    """What stood on the flagged twin when the difference was seen."""

    FILED = "filed as sent"
    STU3 = "filed with the label as STU3 spelt it"
    OID = "filed with the label as GP2GP spells it"
    TAKEN_BACK = "taken back"


SPELT: Final = frozenset({FilingStage.FILED, FilingStage.STU3, FilingStage.OID})


class ReaderRole(StrEnum):
    """Whose token was used."""

    PATIENT = "patient"
    PROXY = "proxy"


_BY_WAY_IN: Final = {
    Door.CAPABILITY: LeakName.CAPABILITY,
    Door.READ: LeakName.READ,
    Door.SEARCH: LeakName.LABEL_IGNORED,
    Door.COUNT: LeakName.COUNT,
    Door.INCLUDE: LeakName.INCLUDE,
    Door.HISTORY: LeakName.HISTORY,
    Door.EVERYTHING: LeakName.EVERYTHING,
    Door.DOCUMENT: LeakName.DOCUMENT,
    Door.OPERATION: LeakName.OPERATION,
    Door.EXPORT: LeakName.EXPORT,
    Door.SECURITY: LeakName.SECURITY_SEARCH,
    Door.UPDATED: LeakName.LAST_UPDATED,
    Door.UNCHANGED: LeakName.VERSION,
    Door.REVERSE_CHAIN: LeakName.REVERSE_CHAIN,
    Door.GUESS: LeakName.READ,
}
_BY_KIND: Final = {
    SignKind.TEXT: LeakName.NARRATIVE,
    SignKind.INSTANT: LeakName.LAST_UPDATED,
    SignKind.VERSION: LeakName.VERSION,
    SignKind.ISSUE: LeakName.ERROR_TEXT,
    SignKind.OTHER: LeakName.CONTENT,
}
_BY_STATUS: Final = {"401": LeakName.FORBIDDEN, "403": LeakName.FORBIDDEN, "410": LeakName.GONE}
_BY_HEADER: Final = {
    "last-modified": LeakName.LAST_UPDATED,
    "etag": LeakName.VERSION,
    "content-length": LeakName.SIZE,
}
_LISTING: Final = ("List", "Composition")


@dataclass(frozen=True)
class CrawlDifference:
    """One exchange in which something differs: every sign, who read, and when."""

    line: str
    request: CrawlRequest
    signs: tuple[Sign, ...]
    reader: ReaderRole
    stage: FilingStage


@dataclass(frozen=True)
class Finding:
    """A name, its request line, who read, and what stood on the twin then."""

    name: LeakName
    where: str
    readers: tuple[ReaderRole, ...]
    stages: tuple[FilingStage, ...]


def named(differences: Sequence[CrawlDifference]) -> list[Finding]:
    """Returns every difference under its name, once for each request line."""
    shown = _shown(differences)
    told = {(one.request.target, one.reader, one.stage) for one in differences if _is_get(one)}
    grown = {_case(one) for one in differences if any(s.kind is SignKind.NEW for s in one.signs)}
    seen: dict[tuple[LeakName, str], set[tuple[ReaderRole, FilingStage]]] = {}
    for one in differences:
        if one.request.method == "HEAD" and (one.request.target, one.reader, one.stage) in told:
            continue  # the size of what its GET already tells
        for name in _names(one, shown, grown=_case(one) in grown):
            seen.setdefault((name, one.line), set()).add((one.reader, one.stage))
    return _by_cause(seen)


def _case(one: CrawlDifference) -> tuple[str, ReaderRole, FilingStage]:
    return one.request.line, one.reader, one.stage


def _is_get(one: CrawlDifference) -> bool:
    return one.request.method == "GET" and not one.request.headers


def _shown(differences: Iterable[CrawlDifference]) -> dict[str, LeakName]:
    found: dict[str, LeakName] = {}
    for one in differences:
        for sign in one.signs:
            if (
                one.request.door is Door.SEARCH
                and sign.kind is SignKind.NEW
                and sign.of == one.request.kind
            ):
                is_flag = sign.of in HIDDEN
                found[sign.of] = LeakName.LABEL_IGNORED if is_flag else LeakName.NOTIFICATION
    return found


def _names(one: CrawlDifference, shown: dict[str, LeakName], *, grown: bool) -> set[LeakName]:
    """Returns an exchange's names, without what only follows from something new in it."""
    kinds = {sign.kind for sign in one.signs}
    consequences = {SignKind.TOTAL, SignKind.LINK} if grown else set()
    if SignKind.LINK in kinds and SignKind.MISSING in kinds:
        consequences |= {SignKind.MISSING}
    return {_name(one, sign, shown) for sign in one.signs if sign.kind not in consequences}


def _name(one: CrawlDifference, sign: Sign, shown: dict[str, LeakName]) -> LeakName:
    match sign.kind:
        case SignKind.STATUS:
            return _status(one, sign, shown)
        case SignKind.HEADER:
            return _BY_HEADER.get(sign.of, LeakName.HEADER)
        case SignKind.TOTAL:
            return _follows(one, shown) or LeakName.COUNT
        case SignKind.LINK:
            return _follows(one, shown) or LeakName.PAGING
        case SignKind.NEW:
            return _new(one, sign, shown)
        case SignKind.MISSING:
            return LeakName.CONTENT
        case SignKind.TEXT | SignKind.INSTANT | SignKind.VERSION | SignKind.ISSUE | SignKind.OTHER:
            return _BY_KIND[sign.kind]


def _follows(one: CrawlDifference, shown: dict[str, LeakName]) -> LeakName | None:
    if one.request.kind:
        return shown.get(one.request.kind)
    return next(iter(shown.values()), None)


def _status(one: CrawlDifference, sign: Sign, shown: dict[str, LeakName]) -> LeakName:
    if one.request.door is Door.UNCHANGED:
        by_tag = any(header == "If-None-Match" for header, _ in one.request.headers)
        return LeakName.VERSION if by_tag else LeakName.LAST_UPDATED
    if sign.of in _BY_STATUS:
        return _BY_STATUS[sign.of]
    if one.request.door is Door.GUESS:
        history = "/_history" in one.request.target
        return shown.get(one.request.kind) or (LeakName.HISTORY if history else LeakName.READ)
    return LeakName.STATUS


def _new(one: CrawlDifference, sign: Sign, shown: dict[str, LeakName]) -> LeakName:
    if sign.of == "OperationOutcome":
        return LeakName.WARNING
    if sign.of in shown:
        return shown[sign.of]
    if sign.inside in _LISTING:
        return LeakName.LIST
    if one.request.door is Door.REVERSE_CHAIN and shown:
        return next(iter(shown.values()))
    if sign.of in HIDDEN or one.request.door in (Door.UPDATED, Door.REVERSE_CHAIN):
        return _BY_WAY_IN[one.request.door]
    if one.request.door is Door.HISTORY and "_since" in one.request.target:
        return LeakName.LAST_UPDATED
    return LeakName.NOTIFICATION if sign.of else LeakName.CONTENT


def _by_cause(
    seen: dict[tuple[LeakName, str], set[tuple[ReaderRole, FilingStage]]],
) -> list[Finding]:
    """Finds two causes that show only in the whole: who sees it, and under which spelling."""
    readers: dict[LeakName, set[ReaderRole]] = {}
    stages: dict[LeakName, set[FilingStage]] = {}
    for (name, _), cases in seen.items():
        readers.setdefault(name, set()).update(reader for reader, _ in cases)
        stages.setdefault(name, set()).update(stage for _, stage in cases)
    found = []
    for (name, where), cases in seen.items():
        cause = name
        if readers[name] == {ReaderRole.PROXY}:
            cause = LeakName.PROXY
        elif name is LeakName.LABEL_IGNORED and not stages[name] >= SPELT:
            cause = LeakName.ONE_NOPAT_SYSTEM
        found.append(
            Finding(
                cause,
                where,
                tuple(sorted({reader for reader, _ in cases})),
                tuple(stage for stage in FilingStage if any(stage is met for _, met in cases)),
            )
        )
    return sorted(found, key=lambda one: (one.name, one.where))
