"""Measures two things in turn in one run, so that what is told is a ratio and not a machine."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

ROUNDS = 7
Deed = Callable[[], object]


@dataclass(frozen=True)
class Figure:
    """How much more one thing takes than another, in each round."""

    what: str
    against: str
    ratios: tuple[float, ...]
    ours: str

    def line(self) -> tuple[str, str, str, str, str]:
        """As it stands in the table: the median, and the extremes."""
        low, high = _short(min(self.ratios)), _short(max(self.ratios))
        extremes = f"{low} to {high}" if len(self.ratios) > 1 else "measured once"
        return self.what, self.against, _short(median(self.ratios)), extremes, self.ours


def _short(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


@dataclass(frozen=True)
class Repeated:
    """A deed, and how often it is done in one round: enough to outlast the clock's grain."""

    deed: Deed
    times: int

    def seconds(self) -> float:
        """The mean of one round."""
        started = time.perf_counter()
        for _ in range(self.times):
            self.deed()
        return (time.perf_counter() - started) / self.times


def compare(what: str, ours: Repeated, *, against: str, theirs: Repeated) -> Figure:
    """Both, round by round, each once before that to warm up."""
    for one in (ours, theirs):
        one.deed()
    rounds = [(ours.seconds(), theirs.seconds()) for _ in range(ROUNDS)]
    spent = median(mine for mine, _ in rounds)
    return Figure(what, against, tuple(mine / other for mine, other in rounds), _duration(spent))


def _duration(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"
