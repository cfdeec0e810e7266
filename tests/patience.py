"""How long tests wait: until nothing moves any more, for a time that this machine's speed scales.

Ask `until` for what will be so at some time, and name what shows that something moves meanwhile.
Give `enough` to what takes a time-out itself: a thread, a process, an event, a barrier.
"""

import time
from collections.abc import Callable
from functools import cache
from typing import TypeVar

T = TypeVar("T")
_LOOP = 200_000
_LOOPS = 10
_REFERENCE = 0.009
"""Seconds that one such loop takes on the machine on which the tests' times were chosen."""
_LOAD = 3
"""Whoever else uses the machine may come after its speed was measured."""
STILL = 20.0
"""Seconds for which nothing may move, on that machine and alone on it."""


class StoodStill(AssertionError):
    """What was waited for has not come, and nothing has moved for long enough."""


@cache
def slowness(clock: Callable[[], float] = time.perf_counter) -> float:
    """How many times slower this machine is, with whatever else runs on it now; at least 1.

    Measured once in each process. By the clock and not by processor time, so that load counts.
    """
    begun = clock()
    for _ in range(_LOOPS):
        sum(number * number % 7 for number in range(_LOOP))
    return max(1.0, (clock() - begun) / (_LOOPS * _REFERENCE))


def enough(seconds: float = STILL) -> float:
    """Returns a time-out that means at least so much on any machine, under load as well."""
    return seconds * slowness() * _LOAD


def until(
    question: Callable[[], T | None],
    *,
    progress: Callable[[], object] = lambda: None,
    what: str = "it did not come about",
    still: float = STILL,
    every: float = 0.05,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] = time.sleep,
) -> T:
    """Returns the answer to a question once it is true; raises StoodStill.

    It is asked `every` so many seconds. Whenever `progress` answers otherwise than it did before,
    the patience of `still` seconds (scaled as in `enough`) begins anew.
    """
    longest, seen, moved = enough(still), progress(), clock()
    while True:
        answer = question()
        if answer:
            return answer
        now = progress()
        if now != seen:
            seen, moved = now, clock()
        elif clock() - moved > longest:
            raise StoodStill(f"{what}: nothing moved for {longest:.0f} s; last: {now}")
        sleep(every)
