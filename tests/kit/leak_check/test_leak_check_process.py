"""The leak check as a supplier starts it: by itself, or as a command of the service's."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from flagservice.kit.leak_check import SupplierSystem, signed
from tests.kit.leak_check.leak_check_steps import EXAMPLES, FLAGGED, KEY, SIGNING, a_test_system

ITSELF, COMMAND = ("flagservice.kit.leak_check",), ("flagservice", "leak-check")
RUN_AT = "2022-01-04T09:00:00+00:00"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A key, and one kind's examples: flags and requests."""
    (tmp_path / "examples").mkdir()
    content = (EXAMPLES / "section-47.json").read_bytes()
    (tmp_path / "examples" / "section-47.json").write_bytes(content)
    pem = KEY.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / "checker.pem").write_bytes(pem)
    return tmp_path


def described(system: SupplierSystem) -> str:
    """The system as a supplier writes it down."""
    texts = {
        "system": system.name,
        "version": system.version,
        "patient_base": system.patient_base,
        "push_base": system.push.base,
        "push_token": system.push.token,
        "clinician_base": system.clinician.base,
        "clinician_token": system.clinician.token,
    }
    lines = [f"{name} = {json.dumps(value)}" for name, value in texts.items()]
    for name, twin in (("flagged", system.flagged), ("plain", system.plain)):
        lines += [f"[{name}]", f'nhs_number = "{twin.nhs_number}"', f'token = "{twin.token}"']
    return "\n".join(["pause_seconds = 0", *lines]) + "\n"


def when_started(
    folder: Path, *more: str, start: tuple[str, ...] = ITSELF
) -> subprocess.CompletedProcess[str]:
    words = [
        *(str(folder / "system.toml"), "--key", str(folder / "checker.pem")),
        *("--signer", SIGNING.name, "--out", str(folder / "result.note")),
        *("--examples", str(folder / "examples"), "--run-at", RUN_AT, *more),
    ]
    return subprocess.run(
        [sys.executable, "-m", *start, *words], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("broken", "status", "last"),
    [("", 0, "clean"), ("history", 1, "leaks: history"), ("clinician-blind", 2, "inconclusive")],
)
def test_the_exit_status_and_the_last_line_say_what_came_of_it(
    folder: Path, broken: str, status: int, last: str
) -> None:
    with a_test_system(folder / "gp", broken) as system:
        (folder / "system.toml").write_text(described(system))
        done = when_started(folder, "--transcript", str(folder / "transcript"))
    assert (done.returncode, done.stdout.splitlines()[-1]) == (status, last), done.stderr
    line = (folder / "result.note").read_text().partition("\n")[0] + "\n"
    assert (folder / "result.note").read_text() == signed(line, SIGNING)
    assert (json.loads(line)["verdict"], json.loads(line)["run_at"]) == (
        last.partition(":")[0],
        RUN_AT,
    )
    assert len((folder / "transcript").read_text().splitlines()) == json.loads(line)["requests"]
    assert FLAGGED not in done.stdout + done.stderr


@pytest.mark.parametrize("start", [ITSELF, COMMAND], ids=" ".join)
@pytest.mark.parametrize(
    ("system", "why"),
    [(None, "system.toml"), ("pause_seconds = ", "is TOML"), ('system = "A"\n', "version")],
)
def test_a_file_that_cannot_be_used_is_refused_in_one_sentence(
    folder: Path, system: str | None, why: str, start: tuple[str, ...]
) -> None:
    if system is not None:
        (folder / "system.toml").write_text(system)
    done = when_started(folder, start=start)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("flagservice: ")
    assert len(done.stderr.splitlines()) == 1
    assert why in done.stderr
    assert not (folder / "result.note").exists()
