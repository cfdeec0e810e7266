"""Many commands in one process: one a line, each a unit of work of its own, up to a failure."""

import io
import subprocess
import sys
from pathlib import Path

import pytest

from flagservice.app.commands.line import COMMANDS, run
from tests.patience import enough
from tests.world import COUNCIL, HOME, POLICE


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FLAGSERVICE_DATA", str(tmp_path / "var"))
    return tmp_path


def when_operated(monkeypatch: pytest.MonkeyPatch, *lines: str) -> int:
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(lines) + "\n"))
    return run(["operate"])


def test_each_line_is_a_command_and_its_output_follows_in_order(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    status = when_operated(
        monkeypatch,
        "# who may call",
        "",
        f"client add {COUNCIL} childrens-services  # without a key",
        f"  client add '{POLICE}' \"police\"",
    )
    assert status == 0
    ids = capsys.readouterr().out.splitlines()
    assert [len(one) for one in ids] == [32, 32]
    assert when_operated(monkeypatch, *(f"client revoke {one}" for one in ids)) == 0


def test_the_first_failure_ends_it_names_its_line_and_gives_its_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = (
        f"client add {COUNCIL} childrens-services",
        "",
        "client revoke nobody",
        f"client add {POLICE} police",
    )
    assert when_operated(monkeypatch, *lines) == 1
    said = capsys.readouterr()
    assert len(said.out.splitlines()) == 1
    assert said.err.splitlines() == [
        "flagservice: there is no such client",
        "flagservice: line 3 failed; what follows was not run",
    ]
    (done,) = said.out.splitlines()
    assert when_operated(monkeypatch, f"client revoke {done}") == 0, "what was done stays done"


def test_a_command_that_is_used_wrongly_gives_its_own_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert when_operated(monkeypatch, f"client add {COUNCIL} plumbers", "keys status") == 2
    said = capsys.readouterr()
    assert "plumbers" in said.err
    assert "line 1 failed" in said.err
    assert said.out == ""


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("policy status 'unclosed", "line 2: closes every quotation that it opens"),
        *(
            (f"{name} --help", f"line 2: `{name}` takes a process of its own")
            for name, entry in COMMANDS.items()
            if entry.alone
        ),
    ],
)
def test_what_cannot_be_one_of_many_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], line: str, why: str
) -> None:
    assert when_operated(monkeypatch, "keys init", line, "keys status") == 1
    said = capsys.readouterr()
    assert said.err.splitlines() == [f"flagservice: {why}"]
    assert said.out == ""


def test_as_a_process_it_reads_its_standard_input(data: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "flagservice", "operate"],
        input="keys init\nkeys status\nclient revoke nobody\n",
        cwd=HOME,
        env={"FLAGSERVICE_DATA": str(data / "var")},
        capture_output=True,
        text=True,
        timeout=enough(),
        check=False,
    )
    assert done.returncode == 1
    assert "key-encryption key k1, current" in done.stdout
    assert done.stderr.splitlines()[-1] == "flagservice: line 3 failed; what follows was not run"
