"""Measures two things in turn in one run, so that what is told is a ratio and not a machine."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from tests.benchmarks.work.population import Size

ROUNDS = 7
Deed = Callable[[], object]


@dataclass(frozen=True)
class Scale:
    """How long a round is, and how many there are; how much is stored, and how much more."""

    rounds: int
    seconds: float
    little: Size
    much: Size
    posts: int
    """Prepared for each round of posting."""


FULL = Scale(
    rounds=5,
    seconds=3.0,
    little=Size(practices=6_300, flags=1_000, flags_at=40, waiting=12_000),
    much=Size(practices=6_300, flags=1_000_000, flags_at=6_300, waiting=0),
    posts=2_300,
)
QUICK = Scale(
    rounds=2,
    seconds=0.5,
    little=Size(practices=100, flags=1_000, flags_at=40, waiting=1_200),
    much=Size(practices=100, flags=6_000, flags_at=100, waiting=0),
    posts=400,
)
"""To see that everything works; its figures say little."""


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
