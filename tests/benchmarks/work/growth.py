"""Whether a poll and a post take longer once a million flags are stored: one caller, one by one."""

import sys
from collections.abc import Callable, Iterator
from statistics import median

from sqlmodel import func, select

from flagservice.store import tables
from tests.benchmarks.load import Load
from tests.benchmarks.measuring import Scale
from tests.benchmarks.processes import Served
from tests.benchmarks.results import BELOW, Row
from tests.benchmarks.work.plans import posts
from tests.benchmarks.work.population import practice
from tests.benchmarks.work.records import polls

MOST = 1.5
_PRACTICES = 400
_POSTS = 40
"""In each round: few, so that the thousand flags stay about a thousand."""
_POLLING = 1.0


def figures(
    name: str, little: Served, much: Served, places: Iterator[int], *, scale: Scale
) -> Iterator[Row]:
    """Median latencies with much stored as parts of those with little, round by round."""
    step = max(1, scale.little.practices // _PRACTICES)
    practices = [practice(place) for place in range(0, scale.little.practices, step)]
    sizes = [_flags(little), _flags(much)]

    def polling(served: Served) -> Load:
        return Load(served.ports[:1], polls(served, practices), _POLLING)

    def posting() -> Callable[[Served], Load]:
        taken = [next(places) for _ in range(_POSTS)]
        return lambda served: Load(
            served.ports[:1], posts(served, iter(taken), _POSTS), 60.0, once=True
        )

    for work, loads in (
        ("poll", [polling] * (scale.rounds + 1)),
        ("post", [posting() for _ in range(scale.rounds + 1)]),
    ):
        rounds = [(_median(load(little)), _median(load(much))) for load in loads][1:]
        few, many = (median(one[side] for one in rounds) * 1000 for side in (0, 1))
        yield Row(
            work=f"{work}, latency with {_round(sizes[1])} flags stored",
            database=name,
            ours=f"{many:.2f} ms with {sizes[1]:,}",
            against=f"{few:.2f} ms with {sizes[0]:,}",
            values=[large / small for small, large in rounds],
            target=MOST,
            bound=BELOW,
        )


def _median(load: Load) -> float:
    found = load.run()
    if found.failed:
        sys.stderr.write(f"{found.first_failure}\n")
    return float("inf") if found.failed else found.within(0.5)


def _flags(served: Served) -> int:
    return int(served.rows(select(func.count()).select_from(tables.VersionRow))[0])


def _round(count: int) -> str:
    return f"{count / 1e6:.0f} million" if count >= 500_000 else f"{count:,}"
