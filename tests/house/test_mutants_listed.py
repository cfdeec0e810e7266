"""The seeded leaks are up to date: each still fits the house, and names the test that catches it.

To seed them takes a quarter of an hour (`make mutants`); that they still fit is seen here.
"""

import ast
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

from tests.mutants.leaks import HOME, Leak, every_control, every_leak

LEAKS = list(every_leak())
SEEDED = [*LEAKS, *every_control()]


@cache
def named_in(file: str) -> set[str]:
    """The tests of one file, by their names; none where there is no such file."""
    path = HOME / file
    tree = ast.parse(path.read_text("utf-8") if path.is_file() else "")
    functions = [one for one in tree.body if isinstance(one, ast.FunctionDef)]
    return {one.name for one in functions if one.name.startswith("test_")}


def test_there_are_forty_leaks_or_more_and_half_are_by_somebody_who_saw_no_test() -> None:
    blind = [leak for leak in LEAKS if leak.author == "blind"]
    assert len(LEAKS) >= 40
    assert 2 * len(blind) >= len(LEAKS)


def test_no_two_leaks_have_one_name() -> None:
    names = [leak.name for leak in SEEDED]
    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize("leak", SEEDED, ids=lambda leak: leak.name)
def test_a_leak_stands_once_in_shipping_code_and_changes_it(leak: Leak) -> None:
    assert leak.file.startswith("flagservice/")
    assert leak.patched(HOME) != (HOME / leak.file).read_text("utf-8")


def test_a_leak_uses_no_name_that_is_not_there(tmp_path: Path) -> None:
    """Else its test would catch a slip of the list, and never meet the leak."""
    for leak in SEEDED:
        (tmp_path / f"{leak.name}.py").write_text(leak.patched(HOME), "utf-8")
    lint = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "F821", "--quiet"]
    found = subprocess.run([*lint, tmp_path], check=False, capture_output=True, text=True)
    assert (found.returncode, found.stdout) == (0, "")


@pytest.mark.parametrize("leak", SEEDED, ids=lambda leak: leak.name)
def test_a_leak_names_a_test_that_there_is(leak: Leak) -> None:
    assert leak.caught_by, "caught_by.toml has no line for it"
    for test in leak.caught_by.split():
        file, _, name = test.partition("::")
        assert name in named_in(file), test


def test_no_line_names_a_leak_that_is_gone() -> None:
    lines = tomllib.loads((HOME / "tests/mutants/caught_by.toml").read_text("utf-8"))
    assert lines.keys() == {leak.name for leak in LEAKS if leak.author == "blind"}
