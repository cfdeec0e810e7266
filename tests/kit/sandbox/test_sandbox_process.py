"""The sandbox as a process of its own, as a supplier's system would be."""

import ast
import http.client
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

import flagservice.kit.sandbox
from flagservice.kit.sandbox import server
from tests.kit.sandbox import sandbox_steps as steps
from tests.kit.sandbox.sandbox_steps import a_flag, when_asked, when_pushed
from tests.patience import enough

FOLDER = Path(flagservice.kit.sandbox.__file__).parent
SOURCES = sorted(FOLDER.rglob("*.py"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    steps.given_files(tmp_path)
    return tmp_path


def test_it_listens_on_the_loopback_address_only_and_ends_when_asked(folder: Path) -> None:
    with steps.a_practice_process(folder) as (gp, process):
        assert when_pushed(gp, a_flag()).status == 201
        assert when_asked(gp, "GET /patient/record", token=steps.PROXY).status == 200
        with pytest.raises((ConnectionRefusedError, TimeoutError)):
            socket.create_connection(("127.0.0.2", gp.port), 1).close()

        process.send_signal(signal.SIGTERM)
        rest, errors = process.communicate(timeout=enough())

    assert (process.returncode, rest, errors) == (0, "", "")


def test_it_says_where_it_listens_in_one_line(folder: Path) -> None:
    words = "--practice B83901 --store s --patients patients.json --journal j --token-file t.json"
    (folder / "tokens.json").rename(folder / "t.json")
    command = [sys.executable, "-m", "flagservice.kit.sandbox", *words.split()]
    environment = os.environ | {"PYTHONPATH": str(FOLDER.parents[2])}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, cwd=folder, env=environment, text=True
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        process.terminate()

    assert re.fullmatch(r"listening http://127\.0\.0\.1:[0-9]+\n", line)
    assert (folder / "s").stat().st_mode & 0o077 == 0


def test_what_was_answered_survives_a_kill(folder: Path) -> None:
    with steps.a_practice_process(folder) as (gp, process):
        pushed = when_pushed(gp, a_flag())
        process.kill()

    with steps.a_practice_process(folder) as (gp, _):
        assert when_asked(gp, f"GET /fhir/Flag/{pushed.json['id']}").body == pushed.body
        assert [line["status"] for line in steps.the_journal(gp)] == [201, 200]


def test_nothing_is_answered_that_was_not_written_down_first(folder: Path) -> None:
    (folder / "journal.jsonl").symlink_to("/dev/full")
    with steps.a_practice_process(folder) as (gp, _):
        with pytest.raises(http.client.RemoteDisconnected):
            when_pushed(gp, a_flag())

        assert len(steps.when_the_clinician_opens(gp)["flags"]) == 1


def test_a_person_who_registers_later_is_known_without_a_restart(folder: Path) -> None:
    with steps.a_practice_process(folder) as (gp, process):
        flag = a_flag(about=steps.ELSEWHERE)
        assert when_pushed(gp, flag).status == 404

        people = [*steps.PEOPLE, {"nhs_number": steps.ELSEWHERE, "name": "Sam Example"}]
        (folder / "patients.json").write_text(json.dumps(people)[:-1])
        assert when_pushed(gp, flag).status == 404  # half-written: the last good reading holds
        (folder / "patients.json").write_text(json.dumps(people))
        process.send_signal(signal.SIGHUP)

        assert when_pushed(gp, flag).status == 201


@pytest.mark.parametrize(
    "tokens",
    [
        "{}",
        "[]",
        "{",
        '{"push": "same", "clinician": "same"}',
        '{"push": "a", "clinician": "b", "patients": {"a": "9990001111"}}',
    ],
)
def test_it_does_not_start_on_tokens_that_cannot_be_told_apart(folder: Path, tokens: str) -> None:
    (folder / "tokens.json").write_text(tokens)
    command = [sys.executable, "-m", "flagservice.kit.sandbox", "--practice", "B83901"]
    for option, name in (("store", "s"), ("patients", "patients.json"), ("journal", "j")):
        command += [f"--{option}", str(folder / name)]

    ended = subprocess.run(
        [*command, "--token-file", str(folder / "tokens.json")],
        capture_output=True,
        text=True,
        timeout=enough(),
        check=False,
    )

    assert (ended.returncode, ended.stdout) == (1, "")
    assert "--token-file" in ended.stderr
    assert "same" not in ended.stderr


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(FOLDER)))
def test_it_imports_the_standard_library_and_nothing_of_the_service(source: Path) -> None:
    """Relative to itself it may reach every room of its own, and none above."""
    rooms = len(source.relative_to(FOLDER).parts)
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.ImportFrom):
            is_own = 1 <= node.level <= rooms
            assert is_own or str(node.module).split(".")[0] in sys.stdlib_module_names
        if isinstance(node, ast.Import):
            assert all(name.name.split(".")[0] in sys.stdlib_module_names for name in node.names)


HALVES = [
    b"",
    b"GET /fh",
    b"GET /fhir/metadata HTTP/1.1\r\nX-A: ",
    b"POST /fhir/Flag HTTP/1.1\r\nContent-Length: 1000\r\n\r\n",
]


@pytest.mark.parametrize("drop", [b"", b"a"])
@pytest.mark.parametrize("sent", HALVES)
def test_a_request_that_is_not_whole_in_its_time_is_let_go_also_if_it_drips(
    folder: Path, monkeypatch: pytest.MonkeyPatch, sent: bytes, drop: bytes
) -> None:
    monkeypatch.setattr(server, "_REQUEST_SECONDS", 0.2)
    with (
        steps.a_practice(folder) as gp,
        socket.create_connection(("127.0.0.1", gp.port), 30) as line,
        suppress(ConnectionResetError, BrokenPipeError),
    ):
        line.sendall(sent)
        drops = iter(range(1_000))
        while not select.select([line], [], [], 0.02)[0]:
            next(drops)
            line.sendall(drop)
        assert line.recv(1_000) == b""


def test_more_connections_than_there_are_threads_for_are_closed_at_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_MOST_CONNECTIONS", 2)
    with steps.a_practice(folder) as gp, ExitStack() as stack:
        lines = [
            stack.enter_context(socket.create_connection(("127.0.0.1", gp.port), 30))
            for _ in range(3)
        ]
        assert lines[2].recv(1_000) == b""
        lines[0].sendall(b"GET /fhir/metadata HTTP/1.1\r\nHost: a\r\n\r\n")
        assert lines[0].recv(1_000).startswith(b"HTTP/1.1 ")
