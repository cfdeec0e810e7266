"""Runs the tests: `python -m tests.run`, with whatever arguments pytest takes.

Without arguments it is every test but the long ones. `long` is those, and `coverage` holds the
floors that decide what a record may be told to full branch coverage. These run in parallel.
With CI=true a skipped test is a failure; elsewhere skipped tests are named at the end.
"""

import os
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.databases import places

HOME: Final = Path(__file__).parents[1]
PARALLEL: Final = ("-n", "auto", "--maxprocesses=4", "--dist=worksteal")
MEASURED: Final = (
    *("tests/domain", "tests/policy", "tests/fhir", "tests/intake", "tests/audit", "tests/api"),
    "tests/house/test_generated.py",
    "--cov",
    "--cov-branch",
    "--cov-config=pyproject.toml",
    "--cov-report=term-missing:skip-covered",
    "--cov-fail-under=100",
)
RUNS: Final = {
    (): PARALLEL,
    ("long",): (*PARALLEL, "-m", "long"),
    ("coverage",): (*PARALLEL, *MEASURED),
}
"""What pytest is told, by what we are told; other words go on to it as they are."""


class SkipsByName:
    """Remembers what was skipped, and says so where nobody overlooks it."""

    def __init__(self, *, strict: bool) -> None:
        self._strict = strict
        self._skipped: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped and not hasattr(report, "wasxfail"):
            self._skipped[report.nodeid] = _why(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.skipped:
            self._skipped[report.nodeid] = _why(report)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._strict and self._skipped:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for name, why in sorted(self._skipped.items()):
            verdict = "skipped, and CI allows no skip" if self._strict else "skipped"
            terminalreporter.write_line(f"{verdict}: {name}: {why}")


def _why(report: pytest.TestReport | pytest.CollectReport) -> str:
    """What the skip said for itself."""
    told = report.longrepr
    return str(told[-1] if isinstance(told, tuple) else told).removeprefix("Skipped: ")


def run(words: list[str]) -> int:
    """Answers pytest's own exit status; its own summary is the last that is printed."""
    os.chdir(HOME)
    skips = SkipsByName(strict=os.environ.get("CI", "").lower() in ("1", "true"))
    told = RUNS.get(tuple(words), tuple(words))
    with places.a_folder("flagservice-tests-") as folder:
        os.environ["COVERAGE_FILE"] = str(folder / "coverage")
        return int(pytest.main([f"--basetemp={folder / 'tests'}", *told], plugins=[skips]))


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
