"""How often each may ask: a bucket for each caller and audience, and none that they share.

Buckets are in memory, so several processes let through as many times more. An unproven caller is
counted by address, and only where it was refused: a thousand practices may stand behind one
supplier's address. Windows are a fixed minute, so at most twice the rate passes in any minute.
"""

import ipaddress
import threading
import time
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final

from flagservice.domain.errors import Refusal

MINUTE: Final = 60
_MOST_BUCKETS: Final = 65_536
_PRIVATE_BITS: Final = 64
"""Of an IPv6 address: one subscriber has all of them."""


class Audience(StrEnum):
    """Whose bucket a request is counted in."""

    RECORDS = "records"
    AUDIT = "audit"
    """a practice's searches of its own trace: each is a walk through all practices' leaves"""
    SOCIAL_CARE = "social-care"
    GOVERNANCE = "governance"
    SERVICE = "service"
    TOKENS = "tokens"
    OUTSIDERS = "outsiders"
    PAGE = "page"
    """the API's page and what it loads, by address: one file is as large as a thousand answers"""


DEFAULTS: Final[Mapping[Audience, int]] = {
    Audience.RECORDS: 600,
    Audience.AUDIT: 30,
    Audience.SOCIAL_CARE: 600,
    Audience.GOVERNANCE: 300,
    Audience.SERVICE: 600,
    Audience.TOKENS: 60,
    Audience.OUTSIDERS: 600,
    Audience.PAGE: 120,
}
"""Requests a minute. A practice polls once, and searches as often as its doors open."""


class Throttled(Refusal):
    """The bucket is used up. `wait` is in seconds, at least one."""

    def __init__(self, audience: Audience, *, wait: int) -> None:
        super().__init__("asked too often: wait as long as Retry-After says")
        self.audience = audience
        self.wait = wait


class Limits:
    """The buckets of one process. `clock` only ever goes forward."""

    def __init__(
        self,
        rates: Mapping[Audience, int] = DEFAULTS,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.clock = clock
        self._windows = _Windows(clock)
        self._rates = {**DEFAULTS, **rates}

    def take(self, audience: Audience, *who: str) -> None:
        """Counts one request; raises Throttled where none is left."""
        if self._windows.add((audience, *who)) > self._rates[audience]:
            raise self._throttled(audience, *who)

    def check(self, audience: Audience, *who: str) -> None:
        """Raises Throttled where none is left, and counts nothing."""
        if self._windows.count((audience, *who)) >= self._rates[audience]:
            raise self._throttled(audience, *who)

    def _throttled(self, audience: Audience, *who: str) -> Throttled:
        over = self._windows.closes((audience, *who))
        return Throttled(audience, wait=max(1, int(over - self.clock()) + 1))


def audience_of(path: str) -> Audience:
    """Returns the audience of an address, so that a route need not name it."""
    match path.split("/")[1:]:
        case ["fhir", _, "AuditEvent", *_]:
            return Audience.AUDIT
        case ["fhir", *_]:
            return Audience.RECORDS
        case ["governance", *_]:
            return Audience.GOVERNANCE
        case ["_status" | "metrics" | "_ping", *_]:
            return Audience.SERVICE
        case ["oauth2", *_]:
            return Audience.TOKENS
    return Audience.SOCIAL_CARE


def peer_of(address: str) -> str:
    """Returns the address, or an IPv6 subscriber's whole network; "" where it is no address."""
    try:
        read = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if isinstance(read, ipaddress.IPv4Address):
        return address
    return str(ipaddress.ip_network((int(read), 128 - _PRIVATE_BITS), strict=False))


class _Windows:
    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._turn = threading.Lock()
        self._counts: dict[tuple[str, ...], tuple[int, float]] = {}

    def add(self, key: tuple[str, ...]) -> int:
        """Counts one more in the open window, or in a new one; returns the count."""
        with self._turn:
            now = self._clock()
            count, until = self._counts.get(key, (0, 0.0))
            if until <= now:
                self._counts.pop(key, None)
                self._make_room(now)
                count, until = 0, now + MINUTE
            self._counts[key] = count + 1, until
            return count + 1

    def count(self, key: tuple[str, ...]) -> int:
        """Returns the count of the open window."""
        count, until = self._counts.get(key, (0, 0.0))
        return count if until > self._clock() else 0

    def closes(self, key: tuple[str, ...]) -> float:
        """Returns when the window closes, in seconds of the clock."""
        return self._counts.get(key, (0, self._clock()))[1]

    def _make_room(self, now: float) -> None:
        """Removes windows that are over, and the oldest where there are too many."""
        while self._counts:
            oldest = next(iter(self._counts))
            if self._counts[oldest][1] > now and len(self._counts) < _MOST_BUCKETS:
                return
            del self._counts[oldest]
