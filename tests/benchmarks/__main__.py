"""Speed and memory as ratios measured in one run (`make bench`): figures, and nothing asserted."""

import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.benchmarks import deciding, posting, serving
from tests.benchmarks.measuring import ROUNDS
from tests.generated import HOME


def main() -> None:
    """On the disk of the checkout: a temporary folder may lie in memory, where nothing lasts."""
    started = time.monotonic()
    table = Table("what", "against", "times", "least to most", "ours")
    for column in table.columns[2:]:
        column.justify = "right"
    beside = HOME / ".benchmarks"
    beside.mkdir(exist_ok=True)
    for one in (posting, serving, deciding):
        with tempfile.TemporaryDirectory(dir=beside) as folder:
            for figure in one.figures(Path(folder)):
                table.add_row(*figure.line())
                sys.stderr.write(f"measured: {figure.what}\n")
    table.caption = f"medians of {ROUNDS} rounds; {time.monotonic() - started:.0f} s in all"
    Console(width=None if sys.stdout.isatty() else 130).print(table)


if __name__ == "__main__":
    main()
