"""Each part of the kit starts by itself, and loads no more of ours than it needs."""

import json
import os
import subprocess
import sys

import pytest

from tests.world import HOME

LOADED = """
import json, runpy, sys
module, sys.argv = sys.argv[1], [sys.argv[1], "--help"]
try:
    runpy.run_module(module, run_name="__main__")
except SystemExit as over:
    assert not over.code
print(json.dumps(sorted(sys.modules)))
"""
STORES = {"sqlalchemy", "sqlmodel", "psycopg", "alembic", "fastapi", "structlog", "typer"}
NEEDED = {
    "flagservice.kit.sandbox": {"kit"},
    "flagservice.kit.leak_check": {"kit", "domain"},
    "flagservice.kit.patient_view": {"kit", "domain", "policy", "fhir", "connections"},
    "flagservice.kit.demo": {"kit"},
}


def loaded(module: str) -> tuple[str, set[str]]:
    """What its help says, and every module that it took to say it."""
    environment = {**os.environ, "PYTHONPATH": str(HOME)}
    done = subprocess.run(
        [sys.executable, "-c", LOADED, module],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    *said, names = done.stdout.splitlines()
    return "\n".join(said), set(json.loads(names))


@pytest.mark.parametrize("module", NEEDED)
def test_a_part_of_the_kit_starts_by_itself_with_what_it_needs(module: str) -> None:
    said, names = loaded(module)
    assert said.startswith("usage: ")
    ours = {name.split(".")[1] for name in names if name.startswith("flagservice.")}
    assert ours <= NEEDED[module]
    assert names & STORES == set()


def test_the_sandbox_and_the_leak_check_never_meet() -> None:
    for one, other in (("sandbox", "leak_check"), ("leak_check", "sandbox")):
        _, names = loaded(f"flagservice.kit.{one}")
        assert f"flagservice.kit.{other}" not in names
