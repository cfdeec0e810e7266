"""Sets the stage: the service, a GP system for each practice, and everybody's credentials."""

import contextlib
import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx

from flagservice.kit.demo.family import Family, Member
from flagservice.kit.demo.stage import gp_system
from flagservice.kit.demo.stage.client import KeyedClient
from flagservice.kit.demo.stage.received import PracticeJournal
from flagservice.kit.demo.stage.supplier import (
    BROKEN,
    GOOD,
    MISTAKE,
    SIGNER,
    SYSTEM,
    CheckedVersion,
    Supplier,
)

COUNCIL, POLICE = "E08000032", "Q0WYP"
_PATIENCE = 60.0
_LEFT_OUT = "B83998"
_A_RESULT_LASTS = timedelta(days=300)
"""It is valid for a year; a supplier does not wait for the last day."""
Tell = Callable[[str], None]


class StageFailed(Exception):
    """Something did not start, or did not settle."""


@dataclass
class GpPractice:
    """One practice: its GP system's process, its safeguarding lead, and their clients of ours."""

    code: str
    folder: Path
    client: KeyedClient
    lead: KeyedClient
    tokens: dict[str, Any]
    version: str = GOOD
    process: subprocess.Popen[str] | None = None
    url: str = ""

    @property
    def journal(self) -> PracticeJournal:
        """What arrived there."""
        return PracticeJournal(self.folder / "journal.jsonl")

    def take_on(self, members: Iterable[Member]) -> None:
        """Registers patients, each with an app of their own. Nobody is ever struck off the list."""
        for member in members:
            self.tokens["patients"][secrets.token_hex(24)] = member.nhs_number
        listed = [
            {"nhs_number": number, "name": f"Patient {place}"}
            for place, number in enumerate(self.tokens["patients"].values())
        ]
        (self.folder / "patients.json").write_text(json.dumps(listed))
        (self.folder / "tokens.json").write_text(json.dumps(self.tokens))

    def patient_view(self, nhs_number: str) -> str:
        """What the patient's own app is shown, whole."""
        token = next(t for t, n in self.tokens["patients"].items() if n == nhs_number)
        reply = httpx.get(
            f"{self.url}/patient/record",
            headers={"Authorization": f"Bearer {token}"},
            trust_env=False,
        )
        reply.raise_for_status()
        return reply.text


@dataclass
class Stage:
    """Everything that runs, in one folder that goes when the play is over."""

    folder: Path
    families: list[Family]
    tell: Tell
    url: str = ""
    submitters: dict[str, KeyedClient] = field(default_factory=dict)
    practices: dict[str, GpPractice] = field(default_factory=dict)
    running: list[subprocess.Popen[str]] = field(default_factory=list)
    supplier: Supplier = field(init=False)
    failing: CheckedVersion = field(init=False)
    unadmitted: GpPractice = field(init=False)
    """Its system is of a version that shows flags to patients."""
    _day: date = date.min
    _checked: date | None = None

    def set_up(self) -> None:
        """Starts it all; whatever fails is a StageFailed."""
        self.submitters = {
            "children's services": KeyedClient(COUNCIL, "childrens-services"),
            "police": KeyedClient(POLICE, "police"),
            "governance": KeyedClient("X26", "governance"),
            "operator": KeyedClient("X26", "operator"),
        }
        self.set_day(date(2021, 6, 1))
        self._practices()
        self.tell("GP systems start, one process for each practice")
        with ThreadPoolExecutor(4) as hands:
            list(hands.map(self._start_practice, self._every_practice()))
        self.tell("the service makes its keys and its database")
        self.register(self._everybody())
        self.tell("organisations hand over public keys; practices' systems are registered")
        clients = [
            *self.submitters.values(),
            *(p.client for p in self._every_practice()),
            *(p.lead for p in self._every_practice()),
        ]
        with ThreadPoolExecutor(2) as hands:
            list(hands.map(self._add_client, clients))
            list(hands.map(self._register_practice, self._every_practice()))
        self.supplier = Supplier(self.folder / "supplier", self.environment)
        self.operate(
            *("checker", "add", SIGNER, str(self.supplier.public_key)),
            *("--by", "IG lead", "--reason", "the supplier's own test team"),
        )
        with ThreadPoolExecutor(2) as hands:
            failing = hands.submit(self.supplier.check, BROKEN, leak=MISTAKE)
            self._check(self._day)
            self.failing = failing.result()
        self._serve()

    def set_day(self, day: date) -> None:
        """What day it is for the service."""
        fresh = self.folder / "day.new"
        fresh.write_text(day.isoformat())
        fresh.replace(self.folder / "day")
        self._day = day
        if self._checked is not None and day - self._checked > _A_RESULT_LASTS:
            self._check(day)

    def _check(self, day: date) -> None:
        """The supplier of all practices but one checks the version that they run."""
        checked = self.supplier.check(GOOD)
        self.tell(f"the supplier's leak check of version {GOOD} says: {checked.said}")
        if not checked.clean:
            raise StageFailed("the practices' system does not pass the leak check")
        self.accept(checked)
        self._checked = day

    def accept(self, checked: CheckedVersion) -> None:
        """Hands a result in; raises StageFailed where the service refuses it."""
        self.operate(
            *("leak-check-result", "accept", str(checked.result)),
            *("--by", "IG lead", "--reason", "the result was looked at"),
        )

    def register(self, members: Iterable[tuple[Member, str]]) -> None:
        """Tells the service where people are registered, as a register's file does."""
        path = self.folder / "register.csv"
        rows = [f"{m.nhs_number},{m.born},{practice}" for m, practice in members]
        path.write_text("\n".join(["nhs_number,date_of_birth,practice", *rows]) + "\n")
        self.operate("register", "load", str(path))

    def operate(self, *words: str) -> str:
        """One command of the operator."""
        done = subprocess.run(
            [sys.executable, "-m", "flagservice", *words],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise StageFailed(f"flagservice {words[0]} {words[1]}: {done.stderr.strip()[-400:]}")
        return done.stdout.strip()

    @property
    def environment(self) -> dict[str, str]:
        """For every process of the service."""
        return {
            **os.environ,
            "FLAGSERVICE_DATA": str(self.folder / "service"),
            "FLAGSERVICE_SYNTHETIC": "true",
            "FLAGSERVICE_CLOCK_FILE": str(self.folder / "day"),
            "FLAGSERVICE_DATABASE_URL": "",
        }

    def settle(self, *, left: int = 0) -> None:
        """Waits until nothing is owed any more, but for what no system may be sent."""
        until = time.monotonic() + _PATIENCE
        operator = self.submitters["operator"]
        while time.monotonic() < until:
            owed = operator.call("GET", f"{self.url}/_status").json()["owed"]
            if sum(owed.values()) == left:
                return
            time.sleep(0.1)
        raise StageFailed("deliveries did not settle in time")

    def tear_down(self) -> None:
        """Stops every process."""
        for process in self.running:
            process.terminate()
        for process in self.running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=10)

    def _everybody(self) -> list[tuple[Member, str]]:
        return [(m, m.practice) for f in self.families for m in f.members.values()]

    def _practices(self) -> None:
        codes = {member.practice for member, _ in self._everybody()}
        codes |= {e.practice for f in self.families for e in f.expectations if e.practice[0] == "B"}
        for code in sorted({*codes, _LEFT_OUT}):
            folder = self.folder / code
            folder.mkdir()
            push = secrets.token_hex(24)
            (folder / "push-token").write_text(push)
            tokens = {
                "push": push,
                "clinician": secrets.token_hex(24),
                "patients": {},
                "proxies": {},
            }
            self.practices[code] = GpPractice(
                code,
                folder,
                KeyedClient(code, "gp-system"),
                KeyedClient(code, "practice-lead"),
                tokens,
            )
            self.practices[code].take_on(m for m, where in self._everybody() if where == code)
        self.unadmitted = self.practices.pop(_LEFT_OUT)
        self.unadmitted.version = BROKEN

    def _every_practice(self) -> list[GpPractice]:
        return [*self.practices.values(), self.unadmitted]

    def _start_practice(self, practice: GpPractice) -> None:
        leak = MISTAKE if practice.version == BROKEN else ""
        try:
            process, practice.url = gp_system.start(practice.folder, practice.code, leak=leak)
        except gp_system.NotStarted as fault:
            raise StageFailed(str(fault)) from None
        self.running.append(process)

    def _add_client(self, client: KeyedClient) -> None:
        key = client.write_public_key(self.folder)
        client.client_id = self.operate("client", "add", client.ods, client.kind, str(key))

    def _register_practice(self, practice: GpPractice) -> None:
        self.operate(
            *("endpoint", "register", practice.code, f"{practice.url}/fhir"),
            *(str(practice.folder / "push-token"), "--system", SYSTEM),
            *("--version", practice.version, "--by", "IG lead", "--reason", "a sandbox"),
        )

    def _serve(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        with (self.folder / "service.log").open("w") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "flagservice", "serve", "--port", str(port)],
                env=self.environment,
                stdout=log,
                stderr=log,
                text=True,
            )
        self.running.append(process)
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until and process.poll() is None:
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"{self.url}/_ping", trust_env=False).status_code == 200:
                    return
            time.sleep(0.1)
        raise StageFailed("the service did not start: see service.log")
