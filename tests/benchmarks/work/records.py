"""What GP systems ask all day, beside a route that says hello; both are served alike, in turn."""

import sys
from collections import defaultdict
from collections.abc import Iterator
from statistics import median

from sqlmodel import col, select

from flagservice.api.records.cursors import Feed, cursor_of
from flagservice.store import tables
from tests.benchmarks.load import Load
from tests.benchmarks.measuring import Scale
from tests.benchmarks.processes import Served
from tests.benchmarks.results import Row
from tests.benchmarks.work.population import practice

CONNECTIONS, MORE = 32, 64
HELLO = ["GET /hello HTTP/1.1\r\nHost: bench\r\n\r\n"]
POLL, READ, PAGE = "poll with nothing new", "read by id", "page of 20 flags"
TARGETS = {POLL: 0.35, READ: 0.30, PAGE: 0.15}
_FEED = "/fhir/R4/Flag/_history"


def polls(served: Served, practices: list[str]) -> list[str]:
    """Of each practice, after the last that its feed has."""
    counters = served.rows(select(tables.FeedCounterRow))
    last = {one.practice: one.flags for one in counters}
    cursors = {ods: cursor_of(Feed(ods, "Flag"), last.get(ods, 0)) for ods in practices}
    return [
        served.get(ods, f"{_FEED}?_count=50&cursor={cursor}") for ods, cursor in cursors.items()
    ]


def _reads(served: Served, practices: list[str]) -> list[str]:
    asked = select(tables.CopyRow).where(col(tables.CopyRow.practice).in_(practices))
    ids = {one.practice: one.id for one in served.rows(asked)}
    return [served.get(ods, f"/fhir/R4/Flag/{ids[ods]}") for ods in practices]


def _pages(served: Served, practices: list[str]) -> list[str]:
    return [served.get(ods, f"{_FEED}?_count=20") for ods in practices]


def figures(name: str, served: Served, hello: int, *, scale: Scale) -> Iterator[Row]:
    """Rates as parts of hello's, in the same round and over as many connections."""
    practices = [practice(place) for place in range(scale.little.flags_at)]
    asking = {POLL: polls, READ: _reads, PAGE: _pages}
    rates: dict[tuple[str, int], list[float]] = defaultdict(list)
    failed: dict[tuple[str, int], int] = defaultdict(int)
    for _ in range(scale.rounds):
        for connections, works in ((CONNECTIONS, list(asking)), (MORE, [POLL])):
            bare = Load([hello], HELLO, scale.seconds, connections).run()
            rates["hello", connections].append(bare.rate)
            for work in works:
                requests = asking[work](served, practices)
                found = Load(served.ports[:1], requests, scale.seconds, connections).run()
                rates[work, connections].append(found.rate)
                failed[work, connections] += found.failed
                if found.failed:
                    sys.stderr.write(f"{name}, {work}: {found.first_failure}\n")
    for (work, connections), ours in rates.items():
        if work != "hello":
            theirs = rates["hello", connections]
            yield Row(
                work=f"{work}, {connections} connections",
                database=name,
                ours=f"{median(ours):,.0f}/s",
                against=f"hello-world: {median(theirs):,.0f}/s",
                values=[mine / other for mine, other in zip(ours, theirs, strict=True)],
                target=TARGETS[work],
                failed=failed[work, connections],
            )
