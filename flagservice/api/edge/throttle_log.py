"""Records what is refused for its rate, in one leaf a minute however much is sent.

The first refusal of a minute has its leaf at once. The others are counted, and stand in the next
leaf of the same caller and audience: with its next refusal, or once `settle` finds the minute over.
A killed process loses a minute's count at most.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from flagservice.api.edge.limits import MINUTE, Audience
from flagservice.audit.log import Actor, Deed, Log


@dataclass(frozen=True)
class ThrottledCaller:
    """The refused caller and the bucket. All outsiders are one: they could have any name."""

    name: str
    ods: str
    audience: Audience


@dataclass
class _Minute:
    until: float
    untold: int = 0


class ThrottleLog:
    """The refusals of one process that have no leaf yet."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._turn = threading.Lock()
        self._minutes: dict[ThrottledCaller, _Minute] = {}

    def record(self, throttled: ThrottledCaller, log: Log) -> None:
        """Counts one more refusal; its leaf, if one is due, is durable on return."""
        with self._turn:
            now = self._clock()
            minute = self._minutes.get(throttled)
            if minute is not None and minute.until > now:
                minute.untold += 1
                return
            count = 1 + (minute.untold if minute else 0)
            self._minutes[throttled] = _Minute(now + MINUTE)
        self._tell(throttled, count, log=log)

    def settle(self, log: Log, *, at_end: bool = False) -> int:
        """Records each minute that is over and has a count; returns the number of leaves."""
        with self._turn:
            now = self._clock()
            over = [one for one, minute in self._minutes.items() if at_end or minute.until <= now]
            told = {throttled: self._minutes.pop(throttled).untold for throttled in over}
        counted = {throttled: count for throttled, count in told.items() if count}
        for throttled, count in counted.items():
            self._tell(throttled, count, log=log)
        return len(counted)

    def _tell(self, throttled: ThrottledCaller, count: int, *, log: Log) -> None:
        """Records a count; where the audit cannot be written, it waits for the next leaf."""
        written = False
        try:
            log.perform(
                Actor(throttled.name, throttled.ods),
                lambda work: work.record(
                    Deed.THROTTLED, audience=throttled.audience, count=count, status=429
                ),
            )
            written = True
        finally:
            if not written:
                self._give_back(throttled, count)

    def _give_back(self, throttled: ThrottledCaller, count: int) -> None:
        with self._turn:
            minute = self._minutes.setdefault(throttled, _Minute(0.0))
            minute.until, minute.untold = 0.0, minute.untold + count
