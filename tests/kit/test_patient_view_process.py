"""The patient's view as a user runs it: over a pipe, and as a process that has no store."""

import http.client
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from flagservice.kit.patient_view import MOST_BYTES
from tests.patience import enough

HOME = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "flagservice", "patient-view"]
ASTHMA = {"resource": {"resourceType": "Condition", "id": "c", "code": {"text": "Asthma"}}}
FLAG = {"resource": {"resourceType": "Flag", "id": "f", "code": {"text": "Safeguarding"}}}
NOTHING = b'{"resourceType":"Bundle","type":"searchset"}\n'


def record(*entries: Any) -> bytes:
    body = {"resourceType": "Bundle", "type": "searchset", "total": len(entries)}
    return json.dumps({**body, "entry": list(entries)}).encode()


def environment(folder: Path) -> dict[str, str]:
    """No setting of the service, and a home in which nothing of it can be found."""
    kept = {name: value for name, value in os.environ.items() if "FLAGSERVICE" not in name}
    return {**kept, "PYTHONPATH": str(HOME), "HOME": str(folder)}


def when_filtered(folder: Path, given: bytes, *options: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*COMMAND, *options],
        input=given,
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        timeout=enough(),
        check=False,
    )


def told(done: subprocess.CompletedProcess[bytes]) -> tuple[int, bytes, bytes]:
    return done.returncode, done.stdout, done.stderr


def test_a_pipe_tells_nothing_of_what_was_removed(tmp_path: Path) -> None:
    plain = told(when_filtered(tmp_path, record(ASTHMA)))
    flagged = told(when_filtered(tmp_path, record(FLAG, ASTHMA, FLAG)))
    assert flagged == plain
    assert plain[0] == 0
    assert plain[2] == b""
    assert json.loads(plain[1])["entry"] == [ASTHMA]


def test_the_report_is_the_operators_and_quotes_nothing(tmp_path: Path) -> None:
    report = tmp_path / "report"
    options = ("--report", str(report))
    plain = told(when_filtered(tmp_path, record(ASTHMA), *options))
    assert told(when_filtered(tmp_path, record(FLAG, ASTHMA), *options)) == plain
    assert [json.loads(line) for line in report.read_text().splitlines()] == [
        {"kept": 1, "removed": 0, "removals": []},
        {
            "kept": 1,
            "removed": 1,
            "removals": [{"place": "entry[0]", "type": "Flag", "reason": "words"}],
        },
    ]
    assert report.stat().st_mode & 0o077 == 0


def test_a_report_that_cannot_be_written_stops_it_before_anything_is_read(tmp_path: Path) -> None:
    options = ("--report", str(tmp_path / "none" / "report"))
    done = told(when_filtered(tmp_path, record(FLAG), *options))
    assert done == told(when_filtered(tmp_path, record(ASTHMA), *options))
    assert done[:2] == (1, b"")
    assert b"--report" in done[2]


@pytest.mark.parametrize("given", [b"", b"{", b"[]", b'{"resourceType": "Flag"}'])
def test_what_is_no_bundle_is_answered_as_an_empty_record(given: bytes, tmp_path: Path) -> None:
    assert told(when_filtered(tmp_path, given)) == (0, NOTHING, b"")


@contextmanager
def a_process(folder: Path, *options: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The process, and the host and port at which it listens."""
    with subprocess.Popen(
        [*COMMAND, "--serve", *options],
        cwd=folder,
        env=environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline().decode()
            found = re.fullmatch(r"listening http://(127\.0\.0\.1:[0-9]+)\n", line)
            assert found is not None
            yield found[1], process
        finally:
            process.terminate()


def when_asked(
    address: str, method: str, path: str, body: bytes | None = None
) -> tuple[int, list[tuple[str, str]], bytes]:
    connection = http.client.HTTPConnection(address, timeout=enough())
    connection.request(method, path, body=body)
    reply = connection.getresponse()
    answer = reply.status, reply.getheaders(), reply.read()
    connection.close()
    return answer


def test_a_process_answers_both_worlds_alike(tmp_path: Path) -> None:
    report = tmp_path / "report"
    with a_process(tmp_path, "--report", str(report)) as (address, _):
        plain = when_asked(address, "POST", "/", record(ASTHMA))
        assert when_asked(address, "POST", "/", record(FLAG, ASTHMA, FLAG)) == plain
    assert plain[0] == 200
    assert json.loads(plain[2])["entry"] == [ASTHMA]
    assert plain[1] == [
        ("content-length", str(len(plain[2]))),
        ("cache-control", "no-store"),
        ("content-type", "application/fhir+json"),
    ]
    assert [json.loads(line)["removed"] for line in report.read_text().splitlines()] == [0, 2]


def test_a_process_answers_all_else_alike_and_says_nothing_more(tmp_path: Path) -> None:
    with a_process(tmp_path) as (address, process):
        assert when_asked(address, "POST", "/", b"{")[0::2] == (200, NOTHING)
        assert when_asked(address, "POST", "/", None)[0::2] == (200, NOTHING)
        not_found = when_asked(address, "GET", "/")
        assert not_found[0::2] == (404, b"")
        for method, path in (("GET", "/Flag/f"), ("POST", "/Flag"), ("PUT", "/"), ("GET", "/docs")):
            assert when_asked(address, method, path) == not_found
        upgrade = http.client.HTTPConnection(address, timeout=enough())
        upgrade.request("GET", "/", headers={"Connection": "upgrade", "Upgrade": "websocket"})
        assert upgrade.getresponse().status == 404
        upgrade.close()
        process.terminate()
        rest, errors = process.communicate(timeout=enough())
    assert (rest, errors) == (b"", b"")


def test_a_record_that_is_too_long_is_not_filtered_in_half(tmp_path: Path) -> None:
    with a_process(tmp_path) as (address, _):
        longest = record(ASTHMA).ljust(MOST_BYTES)
        assert when_asked(address, "POST", "/", longest)[0] == 200
        connection = http.client.HTTPConnection(address, timeout=enough())
        connection.putrequest("POST", "/")
        connection.putheader("Content-Length", str(MOST_BYTES + 1))
        connection.endheaders(longest + b" ")
        reply = connection.getresponse()
        assert (reply.status, reply.read()) == (413, b"")
        connection.close()


def test_a_header_without_an_end_is_refused_as_empty_as_all_else(tmp_path: Path) -> None:
    with a_process(tmp_path) as (address, _):
        endless = {"X-A": "a" * 1_000_000}
        connection = http.client.HTTPConnection(address, timeout=enough())
        connection.request("POST", "/", headers=endless)
        reply = connection.getresponse()
        assert (reply.status, reply.read()) == (431, b"")
        assert ("cache-control", "no-store") in reply.getheaders()
        connection.close()


def test_the_process_has_loaded_no_store(tmp_path: Path) -> None:
    asks = (
        "import sys, flagservice.kit.patient_view\n"
        "print(sorted(name for name in sys.modules if name.startswith(('flagservice.', 'sql'))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", asks],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=True,
    )
    floors = set(re.findall(r"'flagservice\.(\w+)", done.stdout))
    assert floors == {"kit", "connections", "fhir", "policy", "domain"}
    assert "sqlite" not in done.stdout
    assert list(tmp_path.iterdir()) == []
