"""Real processes on loopback: the service with its people, plans and clients, and a bare one."""

import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from flagservice.app import operating
from flagservice.app.building import Parts, build
from flagservice.audit.log import Actor, Work
from flagservice.directory.registrations import Registration
from flagservice.intake.lookups import registered
from flagservice.kit.demo.client import Client
from flagservice.settings import Settings
from tests.checked import a_registration, given_a_checked_system
from tests.generated import HOME
from tests.postgresql import wait_for
from tests.world import WIDE

PRACTICE, COUNCIL, BORN = "B83901", "E08000032", "2000-01-01"
_HELLO = """
import sys, uvicorn
from fastapi import FastAPI
app = FastAPI()
app.get("/_ping")(lambda: {"status": "pass"})
uvicorn.run(app, port=int(sys.argv[1]), access_log=False, log_config=None)
"""


@dataclass(frozen=True)
class Served:
    """A running service, and who may call it."""

    process: subprocess.Popen[bytes]
    url: str
    council: Client
    practice: Client

    def connection(self) -> http.client.HTTPConnection:
        """One connection that stays open: what is measured is the service, not the handshake."""
        return http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=30)


@contextlib.contextmanager
def serving(folder: Path, people: list[str]) -> Iterator[Served]:
    """The service in a process of its own; these people are registered at one practice."""
    parts = build(Settings(data=folder, synthetic=True, port=_free_port()))
    council, practice = Client(COUNCIL, "childrens-services"), Client(PRACTICE, "gp-system")
    for client in (council, practice):
        key = client.write_public_key(folder).read_bytes()
        new = operating.NewClient(client.ods, client.kind, key)
        client.client_id = operating.add_client(parts, new)
    url = "http://127.0.0.1:9/fhir"
    given_a_checked_system(parts.log)
    operating.register_practice(parts, a_registration(PRACTICE, url=url))
    for number in people:
        _register(parts, number)
    parts.database.close()
    words = ["-m", "flagservice", "serve", "--no-deliver", "--port", str(parts.settings.port)]
    environment = {
        **os.environ,
        "FLAGSERVICE_DATA": str(folder),
        "FLAGSERVICE_SYNTHETIC": "true",
        "FLAGSERVICE_LIMITS": json.dumps(WIDE),
    }
    with _process(words, parts.settings.port, environment=environment) as process:
        yield Served(process, parts.settings.base, council, practice)


def _register(parts: Parts, number: str) -> None:
    registration = Registration(date.fromisoformat(BORN), PRACTICE)

    def deed(work: Work) -> None:
        rulebook = parts.shelf.rulebook(work)
        registered(work, number, registration=registration, rulebook=rulebook)

    parts.log.perform(Actor("benchmark"), deed)


@contextlib.contextmanager
def hello() -> Iterator[subprocess.Popen[bytes]]:
    """A bare FastAPI process with one route."""
    port = _free_port()
    with _process(["-c", _HELLO, str(port)], port, environment=dict(os.environ)) as process:
        asked = http.client.HTTPConnection(f"127.0.0.1:{port}")
        asked.request("GET", "/_ping")
        asked.getresponse().read()
        yield process


@contextlib.contextmanager
def _process(
    words: list[str], port: int, *, environment: dict[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, *words], cwd=HOME, env=environment)
    try:
        wait_for(("127.0.0.1", port))
        yield process
    finally:
        process.terminate()
        process.wait(timeout=20)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def peak_memory(process: subprocess.Popen[bytes]) -> int | None:
    """The most resident memory that a process ever had, in bytes, where the system tells it."""
    status = Path(f"/proc/{process.pid}/status")
    if not status.exists():
        return None
    time.sleep(0.2)
    lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
    return int(lines["VmHWM"].split()[0]) * 1024
