"""What is refused too often is recorded, and costs a leaf a minute however much is sent.

The first refusal of a minute has its leaf at once; the others of that minute are counted, and the
count stands in the next leaf of the same caller and audience: with its next refusal, or once the
minute is over and somebody asks for what is left to be told. Only a process that is killed takes a
count of at most a minute with it.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from flagservice.api.edge.limits import MINUTE, Audience
from flagservice.audit.log import Actor, Deed, Log


@dataclass(frozen=True)
class ThrottledCaller:
    """Whose, and of what. Outsiders are one: they could have any number of names."""

    name: str
    ods: str
    audience: Audience


@dataclass
class _Minute:
    until: float
    untold: int = 0


class ThrottleLog:
    """The refusals of one process that have no leaf of their own."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._turn = threading.Lock()
        self._minutes: dict[ThrottledCaller, _Minute] = {}

    def met(self, flood: ThrottledCaller, log: Log) -> None:
        """One more refusal of this flood; its leaf, if one is due, is durable on return."""
        with self._turn:
            now = self._clock()
            minute = self._minutes.get(flood)
            if minute is not None and minute.until > now:
                minute.untold += 1
                return
            count = 1 + (minute.untold if minute else 0)
            self._minutes[flood] = _Minute(now + MINUTE)
        self._tell(flood, count, log=log)

    def settle(self, log: Log, *, at_end: bool = False) -> int:
        """A leaf for each minute that is over and has something untold; answers how many."""
        with self._turn:
            now = self._clock()
            over = [f for f, minute in self._minutes.items() if at_end or minute.until <= now]
            told = {flood: self._minutes.pop(flood).untold for flood in over}
        counted = {flood: count for flood, count in told.items() if count}
        for flood, count in counted.items():
            self._tell(flood, count, log=log)
        return len(counted)

    def _tell(self, flood: ThrottledCaller, count: int, *, log: Log) -> None:
        """Where the audit cannot be written, the count waits for the next leaf."""
        written = False
        try:
            log.perform(
                Actor(flood.name, flood.ods),
                lambda work: work.record(
                    Deed.THROTTLED, audience=flood.audience, count=count, status=429
                ),
            )
            written = True
        finally:
            if not written:
                self._give_back(flood, count)

    def _give_back(self, flood: ThrottledCaller, count: int) -> None:
        with self._turn:
            minute = self._minutes.setdefault(flood, _Minute(0.0))
            minute.until, minute.untold = 0.0, minute.untold + count
