"""`python -m tests.run` passes arguments on, names what was skipped, and forbids it in CI."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import run
from tests.house.source import HOME


def when_run(*words: str, **environment: str) -> tuple[int, list[str]]:
    """In an empty environment but for PATH and HOME; the exit status and the lines printed."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.run", "-q", "-p", "no:cacheprovider", *words],
        cwd=HOME,
        env={"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout.splitlines()


@pytest.fixture
def one_is_skipped(tmp_path: Path) -> str:
    path = tmp_path / "test_of_the_runner.py"
    path.write_text(
        "import pytest\n"
        "def test_passes(): pass\n"
        "def test_leaves_out(): pytest.skip('this machine has none')\n"
    )
    return str(path)


def test_a_skipped_test_is_named_at_the_end_and_fails_nothing(one_is_skipped: str) -> None:
    status, lines = when_run(one_is_skipped)
    assert status == 0
    assert lines[-2].startswith("skipped: ")
    assert lines[-2].endswith("::test_leaves_out: this machine has none")
    assert lines[-1].startswith("1 passed, 1 skipped")


def test_in_ci_a_skipped_test_is_a_failure_by_name(one_is_skipped: str) -> None:
    status, lines = when_run(one_is_skipped, CI="true")
    assert status == 1
    assert lines[-2].startswith("skipped, and CI allows no skip: ")
    assert lines[-1].startswith("1 passed, 1 skipped")


def test_arguments_go_to_pytest(one_is_skipped: str) -> None:
    status, lines = when_run(one_is_skipped, "-k", "passes", CI="true")
    assert status == 0
    assert lines[-1].startswith("1 passed, 1 deselected")


def test_a_failing_test_fails_the_run(tmp_path: Path) -> None:
    (tmp_path / "test_of_the_runner.py").write_text("def test_fails(): assert False\n")
    status, lines = when_run(str(tmp_path))
    assert status == 1
    assert lines[-1].startswith("1 failed")


def test_a_parallel_run_forbids_a_skip_in_ci_also_of_a_whole_file(
    one_is_skipped: str, tmp_path: Path
) -> None:
    whole = tmp_path / "test_of_nothing.py"
    whole.write_text("import pytest\npytest.skip('no such system', allow_module_level=True)\n")
    status, lines = when_run("-n", "2", str(whole), one_is_skipped, CI="true")
    assert status == 1
    assert lines[-3].endswith("test_of_nothing.py: no such system")
    assert lines[-2].endswith("::test_leaves_out: this machine has none")
    assert lines[-1].startswith("1 passed, 2 skipped")


@pytest.mark.parametrize("words", run.RUNS, ids=lambda words: " ".join(words) or "nothing")
def test_each_whole_run_is_parallel(words: tuple[str, ...]) -> None:
    assert run.RUNS[words][: len(run.PARALLEL)] == run.PARALLEL


def test_the_short_run_and_the_long_one_are_every_test(tmp_path: Path) -> None:
    (tmp_path / "test_of_the_runner.py").write_text(
        "import pytest\n"
        "@pytest.mark.parametrize('size', [1, pytest.param(2, marks=pytest.mark.long)])\n"
        "def test_sized(size): assert False, f'the size is {size}'\n"
    )
    for more, run_, not_run in (((), 1, 2), (("-m", "long"), 2, 1)):
        assert set(more) <= {*run.RUNS[()], *run.RUNS["long",]}
        status, lines = when_run("-c", "pyproject.toml", str(tmp_path), *more)
        assert status == 1
        assert f"the size is {run_}" in "".join(lines)
        assert f"the size is {not_run}" not in "".join(lines)


def test_the_run_that_measures_demands_full_branch_coverage() -> None:
    assert {"--cov", "--cov-branch", "--cov-fail-under=100"} < set(run.RUNS["coverage",])
