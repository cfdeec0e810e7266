"""The steps that the sandbox's tests are told in: given a practice, when asked, then so."""

import http.client
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from flagservice.kit.sandbox import files
from flagservice.kit.sandbox.journal import SandboxJournal
from flagservice.kit.sandbox.practice import SandboxPractice
from flagservice.kit.sandbox.server import SandboxServer
from flagservice.kit.sandbox.store import SandboxStore
from tests.patience import enough

NHS_NUMBER = "https://fhir.nhs.uk/Id/nhs-number"
COPY = "https://flagservice.example/Id/copy"
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"

CHILD, MOTHER, ELSEWHERE = "9990001111", "9990002258", "9990002517"

PUSH, CLINICIAN, CHILD_READER, PROXY, MOTHER_READER = "p-1", "c-1", "r-1", "x-1", "r-2"
TOKENS = {
    "push": PUSH,
    "clinician": CLINICIAN,
    "patients": {CHILD_READER: CHILD, MOTHER_READER: MOTHER},
    "proxies": {PROXY: CHILD},
}
PEOPLE = [
    {"nhs_number": CHILD, "name": "Robin Example"},
    {"nhs_number": MOTHER, "name": "Ashley Example"},
]


@dataclass(frozen=True)
class Running:
    """A practice that answers, and the files it runs on."""

    port: int
    folder: Path

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}/fhir"


@dataclass(frozen=True)
class RouteAnswer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def given_files(folder: Path) -> None:
    (folder / "patients.json").write_text(json.dumps(PEOPLE))
    (folder / "tokens.json").write_text(json.dumps(TOKENS))


def a_clock_that_ticks() -> Iterator[datetime]:
    now = datetime(2025, 3, 1, 9, 0, tzinfo=UTC)
    while True:
        yield now
        now += timedelta(seconds=1)


@contextmanager
def a_practice(folder: Path) -> Iterator[Running]:
    """A practice on a real socket, within this process."""
    given_files(folder)
    clock = a_clock_that_ticks()
    practice = SandboxPractice(
        ods_code="B83901",
        store=SandboxStore(folder / "store.sqlite"),
        register=files.WatchedFile(folder / "patients.json", parse=files.patients),
        callers=files.WatchedFile(folder / "tokens.json", parse=files.tokens),
        clock=lambda: next(clock),
    )
    journal = SandboxJournal(folder / "journal.jsonl")
    with SandboxServer(practice, journal=journal, port=0) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield Running(server.server_port, folder)
        server.shutdown()
        thread.join()
    practice.store.close()
    journal.close()


@contextmanager
def a_practice_process(folder: Path) -> Iterator[tuple[Running, subprocess.Popen[str]]]:
    """A practice as a process of its own, started as anybody would start it."""
    options = {
        "--practice": "B83901",
        "--port": "0",
        "--store": str(folder / "store.sqlite"),
        "--patients": str(folder / "patients.json"),
        "--journal": str(folder / "journal.jsonl"),
        "--token-file": str(folder / "tokens.json"),
    }
    words = [word for pair in options.items() for word in pair]
    process = subprocess.Popen(
        [sys.executable, "-m", "flagservice.kit.sandbox", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            yield Running(int(line.rpartition(":")[2]), folder), process
        finally:
            process.kill()


def when_asked(
    gp: Running,
    asked: str,
    *,
    token: str | None = PUSH,
    body: Any = None,
    headers: dict[str, str] | None = None,
) -> RouteAnswer:
    """One request; a body that is not yet bytes is sent as FHIR JSON."""
    method, target = asked.split(" ", maxsplit=1)
    sent = {"Connection": "close"}
    if token is not None:
        sent["Authorization"] = f"Bearer {token}"
    if body is not None:
        sent["Content-Type"] = "application/fhir+json"
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
    connection = http.client.HTTPConnection("127.0.0.1", gp.port, timeout=enough())
    try:
        connection.request(method, target, body, sent | (headers or {}))
        reply = connection.getresponse()
        return RouteAnswer(reply.status, dict(reply.getheaders()), reply.read())
    finally:
        connection.close()


def when_sent_raw(gp: Running, sent: bytes) -> bytes:
    """Every byte that comes back until the server closes."""
    with socket.create_connection(("127.0.0.1", gp.port), timeout=enough()) as line:
        line.sendall(sent)
        line.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: line.recv(65536), b""))


def a_flag(value: str = "copy-1", *, about: str = CHILD, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Flag",
        "meta": {"security": [{"system": ACT_CODE, "code": "NOPAT"}]},
        "identifier": [{"system": COPY, "value": value}],
        "status": "active",
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "342191000000101"}]},
        "subject": {"identifier": {"system": NHS_NUMBER, "value": about}},
    } | more


def a_task(value: str = "task-1", *, about: str = CHILD, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Task",
        "meta": {"security": [{"system": ACT_CODE, "code": "NOPAT"}]},
        "identifier": [{"system": COPY, "value": value}],
        "status": "requested",
        "intent": "order",
        "for": {"identifier": {"system": NHS_NUMBER, "value": about}},
    } | more


def an_entry(kind: str = "Condition", *, about: str = CHILD, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": kind,
        "code": {"text": "Asthma"},
        "subject": {"identifier": {"system": NHS_NUMBER, "value": about}},
    } | more


def by_identifier(value: str = "copy-1", *, kind: str = "Flag") -> str:
    return f"/fhir/{kind}?identifier={quote(f'{COPY}|{value}', safe='')}"


def when_pushed(gp: Running, resource: dict[str, Any], **more: Any) -> RouteAnswer:
    """A conditional update by the resource's first identifier."""
    target = by_identifier(resource["identifier"][0]["value"], kind=resource["resourceType"])
    return when_asked(gp, f"PUT {target}", body=resource, **more)


def when_entered(gp: Running, resource: dict[str, Any]) -> RouteAnswer:
    return when_asked(gp, f"POST /fhir/{resource['resourceType']}", body=resource)


def when_the_clinician_opens(gp: Running, nhs_number: str = CHILD) -> Any:
    body = {"nhs_number": nhs_number}
    return when_asked(gp, "POST /clinician/record", token=CLINICIAN, body=body).json


def the_journal(gp: Running) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (gp.folder / "journal.jsonl").read_text().splitlines()]


def then_it_is_refused(answer: RouteAnswer, *, status: int) -> None:
    """With that status, and an OperationOutcome that says why."""
    assert answer.status == status
    assert answer.headers["Content-Type"] == "application/fhir+json"
    assert answer.json["resourceType"] == "OperationOutcome"
    assert answer.json["issue"][0]["severity"] == "error"
