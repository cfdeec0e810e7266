"""The figures of `docs/measured.md` are written from the results that are kept, never by hand."""

from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.results import Results, Row
from tests.generated import HOME

PAGE = HOME / "docs/measured.md"
BEGIN, END = "<!-- written by make bench -->", "<!-- up to here -->"


def table(results: Results) -> str:
    """A line for each work and target, a column for each database."""
    databases = sorted({row.database for row in results.rows}, reverse=True)
    works = {(row.work, row.cells()[5]): None for row in results.rows}
    lines = [["work", "target", *databases], ["---"] * (2 + len(databases))]
    for work, target in works:
        found = {row.database: row for row in results.rows if _about(row) == (work, target)}
        lines.append([work, target, *(_told(found.get(database)) for database in databases)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _about(row: Row) -> tuple[str, str]:
    return row.work, row.cells()[5]


def _told(row: Row | None) -> str:
    if row is None:
        return ""
    middle = row.cells()[4].partition(" (")[0]
    return middle if row.met else f"**{middle}**, {row.verdict}"


def section(results: Results) -> str:
    """What stands between the two marks."""
    return "\n".join(_section(results))


def _section(results: Results) -> Iterator[str]:
    yield BEGIN
    yield f"Of {results.day}. {results.caption}"
    yield ""
    yield table(results)
    yield END


def write(results: Results, path: Path = PAGE) -> None:
    """In place of what stood there."""
    text = path.read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    path.write_text(f"{before}{section(results)}{rest.partition(END)[2]}", encoding="utf-8")
