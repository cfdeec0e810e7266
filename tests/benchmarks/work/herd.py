"""Every practice of England polls within five seconds, over a connection of its own."""

import sys
from statistics import median

from tests.benchmarks.load import Load
from tests.benchmarks.measuring import Scale
from tests.benchmarks.processes import Served
from tests.benchmarks.results import BELOW, Row
from tests.benchmarks.work.population import practice
from tests.benchmarks.work.records import polls

WITHIN, P99 = 5.0, 2.0
_ROUNDS = 3


def figure(name: str, served: Served, *, scale: Scale) -> Row:
    """The 99th percentile of what they wait, from the instant at which each wants to ask."""
    practices = [practice(place) for place in range(scale.little.practices)]
    found = []
    for _ in range(min(_ROUNDS, scale.rounds)):
        requests = polls(served, practices)
        found.append(Load(served.ports[:1], requests, WITHIN, arrivals=True).run())
    failed = sum(one.failed for one in found)
    if failed:
        sys.stderr.write(f"{name}: {next(one.first_failure for one in found if one.failed)}\n")
    half = median(one.within(0.5) for one in found)
    return Row(
        work=f"{len(practices):,} practices poll within {WITHIN:.0f} s: p99",
        database=name,
        ours=f"{failed} errors, median {half * 1000:,.0f} ms",
        against="",
        values=[one.within(0.99) for one in found],
        target=P99,
        bound=BELOW,
        unit=" s",
        failed=failed,
    )
