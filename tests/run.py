"""Runs every test: `python -m tests.run`, with whatever arguments pytest takes.

Without arguments it is the whole suite, and the floors that decide what a record may be told are
held to full branch coverage. With arguments it is part of it, and nothing is measured.
With CI=true a skipped test is a failure; elsewhere skipped tests are named at the end.
"""

import os
import sys
import tempfile
from pathlib import Path

import pytest

HOME = Path(__file__).parents[1]
MEASURED = (
    "--cov",
    "--cov-branch",
    "--cov-config=pyproject.toml",
    "--cov-report=term-missing:skip-covered",
    "--cov-fail-under=100",
)


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


def run(arguments: list[str]) -> int:
    """Answers pytest's own exit status; its own summary is the last that is printed."""
    os.chdir(HOME)
    skips = SkipsByName(strict=os.environ.get("CI", "").lower() in ("1", "true"))
    with tempfile.TemporaryDirectory(prefix="flagservice-coverage-") as folder:
        os.environ["COVERAGE_FILE"] = str(Path(folder) / "coverage")
        return int(pytest.main([*(arguments or MEASURED)], plugins=[skips]))


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
