"""`make mutants`: seeds the leaks one by one in a copy of the house, and prints the score.

`ARGS` may name some of them, or `blind`, `own` or `control` for all of that list.

1. Every named test passes in an untouched copy.
2. One leak at a time: its test must fail, and for a reason of its own: the code still imports.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.mutants.leaks import HOME, Leak, every_control, every_leak

LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", "var", ".*_cache", "__pycache__", ".hypothesis", ".coverage*", ".benchmarks"
)


_VERDICTS = {0: "NOT CAUGHT", 1: "caught"}
"""By how pytest ended; anything else means that no test ran, and is no verdict."""


def main(wanted: list[str]) -> int:
    """Seeds every leak, or those that are named; 1 if one was not caught."""
    leaks = [
        leak
        for leak in (*every_leak(), *every_control())
        if not wanted or {leak.name, leak.author} & set(wanted)
    ]
    with tempfile.TemporaryDirectory() as folder:
        house = Path(folder) / "house"
        shutil.copytree(HOME, house, ignore=LEFT_OUT)
        tests = sorted({test for leak in leaks for test in leak.caught_by.split()})
        if _pytest(house, tests):
            sys.exit("the named tests do not pass without a leak")
        _tell(f"{len(tests)} named tests pass without a leak")
        caught = {leak: _is_caught(house, leak) for leak in leaks}
    _tell_the_score(caught)
    return 0 if all(caught.values()) else 1


def _tell_the_score(caught: dict[Leak, bool]) -> None:
    controls = [was for leak, was in caught.items() if leak.asvs]
    leaks = [was for leak, was in caught.items() if not leak.asvs]
    blind = sum(leak.author == "blind" for leak in caught)
    if leaks:
        _tell(f"{sum(leaks)} of {len(leaks)} seeded leaks caught; {blind} by who saw no test")
    if controls:
        said = "broken controls caught by the test that asvs.toml names"
        _tell(f"{sum(controls)} of {len(controls)} {said}")


def _tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _is_caught(house: Path, leak: Leak) -> bool:
    with _seeded(house, leak):
        if not _imports(house, leak):
            verdict = "NO IMPORT"
        else:
            verdict = _VERDICTS.get(_pytest(house, leak.caught_by.split()), "NO VERDICT")
    _tell(f"{verdict:<12} {leak.author:<6} {leak.name}  by {leak.caught_by}")
    return verdict == "caught"


@contextmanager
def _seeded(house: Path, leak: Leak) -> Iterator[None]:
    path = house / leak.file
    before = path.read_text(encoding="utf-8")
    path.write_text(leak.patched(house), encoding="utf-8")
    try:
        yield
    finally:
        path.write_text(before, encoding="utf-8")


def _imports(house: Path, leak: Leak) -> bool:
    if not leak.file.endswith(".py"):
        return True
    module = leak.file.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
    return _run(house, ["-c", f"import {module}"]) == 0


def _pytest(house: Path, tests: list[str]) -> int:
    return _run(house, ["-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests])


def _run(house: Path, words: list[str]) -> int:
    environment = {**os.environ, "PYTHONPATH": str(house), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, *words], cwd=house, env=environment, capture_output=True, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
