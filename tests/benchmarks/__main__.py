"""Speed and memory, beside their targets (`make bench`): figures, and nothing asserted.

One table, which is also kept as `results.json`, drawn as `results.svg` and told in
`docs/measured.md`; `--quick` tries all of it with small numbers, and keeps nothing.
"""

import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.benchmarks import page
from tests.benchmarks.chart import drawn
from tests.benchmarks.databases import Places, on_postgresql, on_sqlite
from tests.benchmarks.measuring import FULL, QUICK, ROUNDS, Scale
from tests.benchmarks.processes import hello, serving
from tests.benchmarks.results import BELOW, CHART, Results, Row
from tests.benchmarks.work import deciding, growth, herd, plans, population, records
from tests.databases.postgresql import NoPostgreSQL
from tests.generated import HOME

MEGABYTES = 200.0
_COLUMNS = ("work", "database", "ours", "against", "median (least to most)", "target", "")


def main() -> None:
    """On the disk of the checkout: a temporary folder may lie in memory, where nothing lasts."""
    scale = QUICK if "--quick" in sys.argv[1:] else FULL
    started, missing = time.monotonic(), ""
    rows: list[Row] = []
    beside = HOME / ".benchmarks"
    beside.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=beside) as folder:
        little = population.settled(Path(folder) / "little", scale.little)
        much = population.grown(little, Path(folder) / "much", scale.much)
        os.sync()  # what is still on its way to the disk would slow whoever is measured first
        _tell("stored", started)
        try:
            with on_postgresql(little, much) as places:
                os.sync()
                _tell("copied", started)
                rows += _told(places, scale, started)
        except NoPostgreSQL:
            missing = " PostgreSQL is not measured: this machine has no programs of it."
        rows += _told(on_sqlite(little, much), scale, started)
    rows.sort(key=lambda row: row.database, reverse=True)
    took = time.monotonic() - started
    results = Results(f"{datetime.now(UTC):%Y-%m-%d}", _caption(scale, took) + missing, rows)
    if scale is FULL:
        results.keep()
        CHART.write_text(drawn(results), encoding="utf-8")
        page.write(results)
    _print(results)
    _print_deciding()


def _told(places: Places, scale: Scale, started: float) -> Iterator[Row]:
    for row in _measured(places, scale):
        _tell(" | ".join(row.cells()), started)
        yield row


def _measured(places: Places, scale: Scale) -> Iterator[Row]:
    """PostgreSQL is for more than one process, so it gets two where plans are posted."""
    waiting, memory = iter(range(scale.little.waiting)), []
    with hello() as bare, serving(places.little) as little, serving(places.much) as much:
        yield from records.figures(places.name, little, bare, scale=scale)
        later = list(growth.figures(places.name, little, much, waiting, scale=scale))
        later.insert(0, herd.figure(places.name, much, scale=scale))
        memory += [little.memory(), much.memory()]
    with serving(places.little, processes=2 if places.little.url else 1) as served:
        yield from plans.figures(places, served, waiting, scale=scale)
        memory.append(served.memory())
    yield from later
    yield Row(
        work="peak memory of an API process",
        database=places.name,
        ours=f"{len(memory)} services: " + ", ".join(f"{one:.0f}" for one in memory) + " MB",
        against="",
        values=[max(memory)],
        target=MEGABYTES,
        bound=BELOW,
        unit=" MB",
    )


def _caption(scale: Scale, took: float) -> str:
    return (
        f"Medians of {scale.rounds} rounds of {scale.seconds:g} s, ours and theirs in turn, on"
        f" {os.cpu_count()} cores that the service shares with the load generator and with"
        f" PostgreSQL; Python {platform.python_version()}; {took / 60:.1f} minutes in all."
        " Whole processes over loopback; audit, sealing and policy on; every commit durable;"
        " what is stored is in the machine's memory."
    )


def _print(results: Results) -> None:
    table = Table(*_COLUMNS, caption=results.caption)
    for row in results.rows:
        table.add_row(*row.cells(), style="" if row.met else "bold")
    _console().print(table)


def _print_deciding() -> None:
    table = Table("within one process", "against", "times", "least to most", "ours")
    for figure in deciding.figures():
        table.add_row(*figure.line())
    table.caption = f"medians of {ROUNDS} rounds"
    _console().print(table)


def _console() -> Console:
    return Console(width=None if sys.stdout.isatty() else 190)


def _tell(what: str, started: float) -> None:
    sys.stderr.write(f"{time.monotonic() - started:4.0f} s: {what}\n")


if __name__ == "__main__":
    main()
