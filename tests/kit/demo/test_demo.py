"""The demonstration as it is run: every expectation of the families, by a client alone."""

import json
import subprocess
import sys

import pytest

from tests.patience import enough
from tests.world import HOME


@pytest.mark.long
def test_the_families_are_played_and_every_expectation_is_met() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "flagservice", "demo", "--json"],
        cwd=HOME,
        capture_output=True,
        text=True,
        timeout=enough(120),
        check=False,
    )
    assert done.returncode == 0, done.stderr
    counts = json.loads(done.stdout)
    assert (counts["passed"], counts["failed"], counts["not_yet"]) == (24, 0, 0)
    assert all(counts["also"].values())


def test_the_command_says_what_may_be_asked_of_it() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "flagservice", "demo", "--help"],
        cwd=HOME,
        capture_output=True,
        text=True,
        timeout=enough(),
        check=True,
    )
    assert "--all" in done.stdout
    assert "--json" in done.stdout
