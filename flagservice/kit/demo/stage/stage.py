"""Sets the stage: the service, a GP system for each practice, and their credentials."""

import contextlib
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

import httpx

from flagservice.kit.demo.family import Family, Member
from flagservice.kit.demo.stage import gp_system
from flagservice.kit.demo.stage.client import KeyedClient
from flagservice.kit.demo.stage.operator import CommandFailed, Operator, Words
from flagservice.kit.demo.stage.practice import GpPractice
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
"""A result is valid for a year."""
_DECIDED = ("--by", "IG lead", "--reason")
Tell = Callable[[str], None]


class StageFailed(Exception):
    """Something did not start, or did not settle."""


@dataclass
class DemoStage:
    """Everything that runs, in a temporary folder."""

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
    """The practice whose system shows flags to patients."""
    _day: date = date.min
    _checked: date | None = None

    def set_up(self) -> None:
        """Starts everything; raises StageFailed.

        1. Every practice's GP system starts, while its supplier checks two versions of it.
        2. The service starts, while its operator registers clients, people and practices.
        """
        self.submitters = {
            "children's services": KeyedClient(COUNCIL, "childrens-services"),
            "police": KeyedClient(POLICE, "police"),
            "governance": KeyedClient("X26", "governance"),
            "operator": KeyedClient("X26", "operator"),
        }
        self.set_day(date(2021, 6, 1))
        self._practices()
        self.supplier = Supplier(self.folder / "supplier", self.environment)
        self.tell("every practice's GP system starts, and its supplier checks it for leaks")
        with ThreadPoolExecutor(4) as hands:
            good = hands.submit(self.supplier.check, GOOD)
            failing = hands.submit(self.supplier.check, BROKEN, leak=MISTAKE)
            list(hands.map(self._start_practice, self._every_practice()))
        checked, self.failing = self._clean(good.result()), failing.result()
        self.tell("the service starts; organisations, practices and people are registered")
        service = self._serve()
        self._register_everybody(checked)
        self._wait_for(service)

    def set_day(self, day: date) -> None:
        """Sets the service's day, and renews a leak check that is about to lapse."""
        fresh = self.folder / "day.new"
        fresh.write_text(day.isoformat())
        fresh.replace(self.folder / "day")
        self._day = day
        if self._checked is not None and day - self._checked > _A_RESULT_LASTS:
            self.operate(accepting(self._clean(self.supplier.check(GOOD))))

    def operate(self, *commands: Words) -> list[str]:
        """Runs the operator's commands, and returns the lines printed; raises StageFailed."""
        try:
            return Operator(self.environment).run(*commands)
        except CommandFailed as failed:
            raise StageFailed(str(failed)) from None

    def registers(self, members: Iterable[tuple[Member, str]]) -> Words:
        """Returns the command that loads where people are registered."""
        path = self.folder / "register.csv"
        rows = [f"{m.nhs_number},{m.born},{practice}" for m, practice in members]
        path.write_text("\n".join(["nhs_number,date_of_birth,practice", *rows]) + "\n")
        return ("register", "load", str(path))

    @property
    def environment(self) -> dict[str, str]:
        """Returns the environment of the service's processes."""
        return {
            **os.environ,
            "FLAGSERVICE_DATA": str(self.folder / "service"),
            "FLAGSERVICE_SYNTHETIC": "true",
            "FLAGSERVICE_CLOCK_FILE": str(self.folder / "day"),
            "FLAGSERVICE_DATABASE_URL": "",
        }

    def settle(self, *, left: int = 0) -> None:
        """Waits until no more than `left` deliveries are owed; raises StageFailed."""
        until = time.monotonic() + _PATIENCE
        operator = self.submitters["operator"]
        while time.monotonic() < until:
            owed = operator.call("GET", f"{self.url}/_status").json()["owed"]
            if sum(owed.values()) == left:
                return
            time.sleep(0.05)
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
            self.practices[code] = self._practice(code)
            self.practices[code].take_on(m for m, where in self._everybody() if where == code)
        self.unadmitted = self.practices.pop(_LEFT_OUT)
        self.unadmitted.version = BROKEN

    def _practice(self, code: str) -> GpPractice:
        folder = self.folder / code
        folder.mkdir()
        tokens = {
            "push": secrets.token_hex(24),
            "clinician": secrets.token_hex(24),
            "patients": {},
            "proxies": {},
        }
        (folder / "push-token").write_text(str(tokens["push"]))
        system, lead = KeyedClient(code, "gp-system"), KeyedClient(code, "practice-lead")
        return GpPractice(code, folder, client=system, lead=lead, tokens=tokens)

    def _every_practice(self) -> list[GpPractice]:
        return [*self.practices.values(), self.unadmitted]

    def _start_practice(self, practice: GpPractice) -> None:
        leak = MISTAKE if practice.version == BROKEN else ""
        try:
            process, practice.url = gp_system.start(practice.folder, practice.code, leak=leak)
        except gp_system.NotStarted as fault:
            raise StageFailed(str(fault)) from None
        self.running.append(process)

    def _clean(self, checked: CheckedVersion) -> CheckedVersion:
        """Returns the checked version, and notes its day; raises StageFailed unless it is clean."""
        self.tell(f"the supplier's leak check of version {GOOD} says: {checked.said}")
        if not checked.clean:
            raise StageFailed("the practices' system does not pass the leak check")
        self._checked = self._day
        return checked

    def _register_everybody(self, checked: CheckedVersion) -> None:
        """Registers everybody, clients first, so that the first lines printed are their ids."""
        practices = self._every_practice()
        clients = [*self.submitters.values(), *(p.client for p in practices)]
        clients += [practice.lead for practice in practices]
        said = self.operate(
            *(_adding(client, self.folder) for client in clients),
            self.registers(self._everybody()),
            ("checker", "add", SIGNER, str(self.supplier.public_key), *_DECIDED, "its test team"),
            accepting(checked),
            *map(_registering, practices),
        )
        for client, client_id in zip(clients, said, strict=False):
            client.client_id = client_id

    def _serve(self) -> subprocess.Popen[str]:
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
        return process

    def _wait_for(self, service: subprocess.Popen[str]) -> None:
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until and service.poll() is None:
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"{self.url}/_ping", trust_env=False).status_code == 200:
                    return
            time.sleep(0.1)
        raise StageFailed("the service did not start: see service.log")


def _adding(client: KeyedClient, folder: Path) -> Words:
    key = client.write_public_key(folder)
    return ("client", "add", client.ods, client.kind, str(key))


def _registering(practice: GpPractice) -> Words:
    return (
        *("endpoint", "register", practice.code, f"{practice.url}/fhir"),
        *(str(practice.folder / "push-token"), "--system", SYSTEM),
        *("--version", practice.version, *_DECIDED, "a sandbox"),
    )


def accepting(checked: CheckedVersion) -> Words:
    """Returns the command that hands a result in."""
    result = str(checked.result)
    return ("leak-check-result", "accept", result, *_DECIDED, "the result was looked at")
