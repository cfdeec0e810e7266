"""Instants as callers give them: always with a zone.

A bare day or time has two readings. An instant to the second or the millisecond means the whole of
it, as in FHIR: https://hl7.org/fhir/R4/search.html#date
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from flagservice.domain.errors import Fault, Invalid

_INSTANT: Final = re.compile(
    r"[12]\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII
)
_PREFIXED: Final = re.compile(r"(?:(eq|ge|gt|le|lt)(?=[0-9]))?(.*)", re.DOTALL)
_MILLISECOND: Final = timedelta(milliseconds=1)
_SECOND: Final = timedelta(seconds=1)
SERVED: Final = "is an instant with its zone, after eq, ge, gt, le, lt or nothing"


@dataclass(frozen=True)
class Range:
    """From an instant on, up to another that is not within it."""

    since: datetime | None = None
    until: datetime | None = None

    def narrowed(self, other: "Range") -> "Range":
        """Returns what is in both ranges."""
        sinces = [one for one in (self.since, other.since) if one is not None]
        untils = [one for one in (self.until, other.until) if one is not None]
        return Range(max(sinces, default=None), min(untils, default=None))


def instant_of(name: str, text: str, rule: str = "is an instant with its zone") -> datetime:
    """Returns the instant in UTC; raises Invalid. A plus in a URL is a space by now."""
    instant = text.replace(" ", "+")
    try:
        if not _INSTANT.fullmatch(instant):
            raise ValueError
        return datetime.fromisoformat(instant).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid(Fault(name, rule)) from None


def range_of(name: str, text: str) -> Range:
    """Returns the range that a search by date asks for; raises Invalid.

    `gt` is after the instant itself: a caller that cuts an instant to its second gets that second
    once more, and loses nothing.
    """
    found = _PREFIXED.fullmatch(text)
    prefix, said = (found[1] or "eq", found[2]) if found else ("eq", text)
    at = instant_of(name, said, SERVED)
    return _range(prefix, at, end=at + (_MILLISECOND if "." in said else _SECOND))


def _range(prefix: str, at: datetime, *, end: datetime) -> Range:
    # `lastUpdated` has milliseconds: what is written inside one is not later than it.
    whole = at.replace(microsecond=at.microsecond // 1000 * 1000)
    return {
        "eq": Range(at, end),
        "ge": Range(since=at),
        "gt": Range(since=whole + _MILLISECOND),
        "le": Range(until=end),
        "lt": Range(until=at),
    }[prefix]
