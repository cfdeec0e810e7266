"""Finds what differs between two answers, and of what kind it is, without quoting it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from flagservice.kit.leak_check.crawl.client import CrawlAnswer

Path = tuple[str, ...]
_NARRATIVE: Final = frozenset({"div", "text", "display", "title", "contentString"})


class SignKind(StrEnum):
    """The kind of a difference."""

    STATUS = "status"
    HEADER = "header"
    TOTAL = "total"
    LINK = "link"
    NEW = "new"
    MISSING = "missing"
    TEXT = "text"
    INSTANT = "instant"
    VERSION = "version"
    ISSUE = "issue"
    OTHER = "other"


@dataclass(frozen=True)
class Sign:
    """One difference: its kind, what it is of, and what that is inside.

    It is of a header by its name, or of something new by its type.
    """

    kind: SignKind
    of: str = ""
    inside: str = ""


def signs(expected: CrawlAnswer, met: CrawlAnswer, *, twins: bool) -> list[Sign]:
    """Returns every kind of difference between two answers, once.

    A body's length is a sign only where there is no body, since bodies are compared whole. Between
    twins it is none, since their own values may differ in length.
    """
    if expected.status != met.status:
        return [Sign(SignKind.STATUS, str(met.status))]
    bodiless = not met.body and not twins
    headers = {
        name
        for name, _ in {*expected.headers} ^ {*met.headers}
        if name != "content-length" or bodiless
    }
    parts = list(_parts(expected.body, met.body, (), ""))
    if not parts and json.dumps(expected.body) != json.dumps(met.body):
        parts = [Sign(SignKind.OTHER)]  # whatever is not thought of above is still a difference
    return list(dict.fromkeys([*(Sign(SignKind.HEADER, name) for name in sorted(headers)), *parts]))


def _parts(expected: Any, met: Any, place: Path, inside: str) -> Iterator[Sign]:
    if expected == met:
        return
    if isinstance(expected, dict) and isinstance(met, dict):
        kind = str(met.get("resourceType", inside))
        for name in sorted({*expected} | {*met}):
            yield from _field(expected, met, (*place, name), kind)
    elif isinstance(expected, list) and isinstance(met, list):
        yield from _lists(expected, met, place, inside)
    else:
        yield Sign(_kind_of(place), inside=inside)


def _field(expected: dict[str, Any], met: dict[str, Any], place: Path, kind: str) -> Iterator[Sign]:
    name = place[-1]
    if name in expected and name in met:
        if name in ("total", "link", "issue") and expected[name] != met[name]:
            yield Sign(_kind_of(place), inside=kind)
        else:
            yield from _parts(expected[name], met[name], place, kind)
    elif isinstance(met.get(name, expected.get(name)), list) and name != "link":
        yield from _lists(expected.get(name, []), met.get(name, []), place, kind)
    else:
        yield Sign(_kind_of(place), inside=kind)


def _lists(expected: list[Any], met: list[Any], place: Path, inside: str) -> Iterator[Sign]:
    """Pairs things by type and id; without them, only new and missing ones count."""
    before = [one for one in expected if one not in met]
    after = [one for one in met if one not in expected]
    if not before and not after and len(expected) == len(met):
        yield Sign(SignKind.OTHER, "order", inside)
    for one in after:
        twin = next((old for old in before if _key(old) == _key(one)), None)
        if twin is None or not _pairs(twin, one):
            yield Sign(SignKind.NEW, _kind(one), inside)
        else:
            before.remove(twin)
            yield from _parts(twin, one, place, inside)
    for one in before:
        yield Sign(SignKind.MISSING, _kind(one), inside)
    if not before and not after and len(expected) != len(met):
        yield Sign(SignKind.NEW if len(met) > len(expected) else SignKind.MISSING, inside=inside)


def _pairs(one: Any, other: Any) -> bool:
    """Returns whether two parts are the same part: without a type, by their fields."""
    if _key(one) is not None:
        return True
    if not isinstance(one, dict) or not isinstance(other, dict):
        return False
    return {*one} == {*other} and not {*one} & {"reference", "item", "type"}


def _key(part: Any) -> tuple[str, str] | None:
    held = part.get("resource", part) if isinstance(part, dict) else None
    if not isinstance(held, dict) or "resourceType" not in held:
        return None
    return str(held["resourceType"]), str(held.get("id", ""))


def _kind(part: Any) -> str:
    """Returns the type of what is new: itself, inside an entry, or what it refers to."""
    key = _key(part)
    if key is not None:
        return key[0]
    if isinstance(part, dict):
        if isinstance(part.get("type"), str):
            return str(part["type"])
        for held in (part, part.get("item")):
            if isinstance(held, dict) and isinstance(held.get("reference"), str):
                return str(held["reference"]).rstrip("/").rpartition("/")[0].rpartition("/")[2]
    return ""


def _kind_of(place: Path) -> SignKind:
    if "issue" in place:
        return SignKind.ISSUE
    if "link" in place:
        return SignKind.LINK
    match place[-1:]:
        case ("total",):
            return SignKind.TOTAL
        case ("lastUpdated" | "lastModified",):
            return SignKind.INSTANT
        case ("versionId" | "etag",):
            return SignKind.VERSION
        case (name,) if name in _NARRATIVE:
            return SignKind.TEXT
        case _:
            return SignKind.OTHER
