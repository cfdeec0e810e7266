"""The command line: its table says what each command says, and a command loads what it uses."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from flagservice.app.build import build
from flagservice.app.commands.line import COMMANDS, CommandLine, run
from flagservice.settings import Settings
from tests.patience import enough
from tests.world import COUNCIL, HOME

HEAVY = frozenset(
    {
        *("alembic", "fastapi", "fhir", "httpx", "mako", "prometheus_client", "psycopg", "rich"),
        *("starlette", "structlog", "uvicorn", "z3"),
    }
)
"""What an operator's command has no use for; each costs a tenth of a second or more."""
DATABASE = frozenset({"sqlalchemy", "sqlmodel"})
LOADED = """
import sys, json
from flagservice.app.commands.line import run
status = run(sys.argv[1:])
print(json.dumps([status, sorted({name.partition(".")[0] for name in sys.modules})]))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A service that was started before."""
    made = tmp_path_factory.mktemp("line")
    build(Settings(data=made / "var")).database.close()
    (made / "register.csv").write_text("nhs_number,date_of_birth,practice\n")
    return made


def loaded(folder: Path, *words: str) -> tuple[int, set[str]]:
    """The exit status, and the packages that the process had loaded at its end."""
    environment = {
        **{name: value for name, value in os.environ.items() if "FLAGSERVICE" not in name},
        "FLAGSERVICE_DATA": str(folder / "var"),
        "PYTHONPATH": str(HOME),
    }
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=enough(),
    )
    status, names = json.loads(done.stdout.splitlines()[-1])
    return status, set(names)


def test_a_register_of_people_about_whom_nothing_was_said_builds_no_flag(folder: Path) -> None:
    people = "nhs_number,date_of_birth,practice\n9990001111,2021-12-06,B83901\n"
    (folder / "people.csv").write_text(people)
    status, names = loaded(folder, "register", "load", "people.csv")
    assert status == 0
    assert names & HEAVY == set()


def test_the_help_loads_neither_a_command_nor_a_database(folder: Path) -> None:
    status, names = loaded(folder, "--help")
    assert status == 0
    assert names & (HEAVY | DATABASE | {"pydantic", "cryptography"}) == set()


@pytest.mark.parametrize(
    "words",
    [
        ("client", "add", COUNCIL, "childrens-services"),
        ("client", "key", "list", "nobody"),
        ("register", "load", "register.csv"),
        ("endpoint", "list"),
        ("checker", "revoke", "nobody", "--by", "x", "--reason", "y"),
        ("leak-check-result", "withdraw", "none", "--by", "x", "--reason", "y"),
        ("policy", "status"),
        ("policy", "prove", str(HOME / "policies/marac/v2.toml")),
        ("approver", "revoke", "nobody"),
        ("audit", "verify"),
        ("keys", "status"),
        ("sandbox", "scenarios"),
    ],
    ids=" ".join,
)
def test_a_command_loads_what_it_uses(folder: Path, words: tuple[str, ...]) -> None:
    status, names = loaded(folder, *words)
    assert status == ("nobody" in words or "none" in words)
    assert names & HEAVY == set()
    assert ("joserfc" in names) is (words[0] in ("client", "sandbox"))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_of_the_table_is_there_and_says_what_it_is_for(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = CommandLine().commands[name]
    assert command.name == name
    entry = COMMANDS[name]
    if not entry.alone or name in ("serve", "deliver", "operate"):
        assert run([name, "--help"]) == 0
        assert f"flagservice {name}" in capsys.readouterr().out
    assert entry.about.endswith(".")


def test_the_help_names_every_command_within_eighty_columns(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["--help"]) == 0
    said = capsys.readouterr().out
    for name, entry in COMMANDS.items():
        assert f"  {name} " in said
        assert entry.about in said
    assert max(map(len, said.splitlines())) <= 80


def test_a_name_that_is_nearly_right_is_guessed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["polcy", "status"]) == 2
    assert "Did you mean 'policy'?" in capsys.readouterr().err


def test_a_refusal_is_one_sentence_and_no_traceback(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLAGSERVICE_DATA", str(folder / "var"))
    assert run(["client", "revoke", "nobody"]) == 1
    assert capsys.readouterr().err == "flagservice: there is no such client\n"
    (folder / "var/keys/audit.pem").rename(folder / "audit.pem")
    assert run(["keys", "status"]) == 1
    (folder / "audit.pem").rename(folder / "var/keys/audit.pem")
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith("flagservice: there is a database, and audit.pem is gone")
