"""Posting plans: three flags ruled, sealed, audited, owed and fed in each one's durable commit."""

import itertools
import sys
from collections.abc import Iterator
from statistics import median

from sqlmodel import func, select

from flagservice.store import tables
from tests.benchmarks.databases import Places
from tests.benchmarks.load import Answered, Load
from tests.benchmarks.measuring import Scale
from tests.benchmarks.processes import Served
from tests.benchmarks.results import Row
from tests.benchmarks.work.commits import THREADS, committing
from tests.benchmarks.work.population import plan, waiting
from tests.world import COUNCIL

CLIENTS = 16
OF_COMMITS, A_SECOND = 0.40, 421.0


def posts(served: Served, places: Iterator[int], count: int) -> list[str]:
    """Plans about people of whom nothing was said before: those who wait at these places."""
    taken = itertools.islice(places, count)
    bodies = [plan(f"CPP-W{place}", waiting(place)) for place in taken]
    return served.post("/plans", bodies, by=COUNCIL)


def figures(where: Places, served: Served, places: Iterator[int], *, scale: Scale) -> Iterator[Row]:
    """Plans, and commits of one row with a leaf by as many processes, round by round."""
    before, found, bare = _flags(served), [], []
    processes = len(served.ports)
    with committing(where.empty.url, processes=processes) as commits:
        for _ in range(scale.rounds):
            bare.append(commits.rate(scale.seconds))
            requests = posts(served, places, scale.posts)
            load = Load(served.ports, requests, scale.seconds, CLIENTS, once=True)
            found.append(load.run())
    each = (_flags(served) - before) / max(1, sum(len(one.latencies) for one in found))
    yield from _rows(where.name, found, bare, told=f"{processes} API, {each:.2f} flags each")


def _rows(name: str, found: list[Answered], bare: list[float], *, told: str) -> Iterator[Row]:
    failed = sum(one.failed for one in found)
    if failed:
        sys.stderr.write(f"{name}: {next(one.first_failure for one in found if one.failed)}\n")
    rates = [one.rate for one in found]
    work, ours = f"post a plan, {CLIENTS} clients", f"{median(rates):,.0f}/s, {told}"
    against = f"one-row commits, {THREADS} threads: {median(bare):,.0f}/s"
    ratios = [mine / other for mine, other in zip(rates, bare, strict=True)]
    yield Row(work, name, ours, against, ratios, OF_COMMITS, failed=failed)
    if name == "PostgreSQL":
        against = "the fastest public FHIR server measured"
        yield Row(work, name, ours, against, rates, A_SECOND, unit="/s", failed=failed)


def _flags(served: Served) -> int:
    return int(served.rows(select(func.count()).select_from(tables.VersionRow))[0])
