"""A council, a few practices with real GP systems, and a service whose processes come and go."""

import json
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path

from flagservice.app import build
from flagservice.app.keys.keyset import make_keys
from flagservice.audit.log import Actor, Work
from flagservice.clients.kinds import ClientKind
from flagservice.clients.registry import add_client
from flagservice.intake.registration import update_registration
from flagservice.people.registrations import Registration
from flagservice.settings import Settings
from tests.checked import a_registration, given_a_checked_system, registering
from tests.crash.client import Client
from tests.crash.nursery import Nursery
from tests.delivery.practices import PUSH, GpSystem, a_gp_system, nhs_numbers
from tests.patience import enough, until
from tests.world import COUNCIL, WIDE

PRACTICES = ("B83901", "B83902", "B83903")
FAMILIES = 60
LEASE_SECONDS = 2
CHILD_BORN, PARENT_BORN = "2020-01-01", "1990-01-01"
_SIGKILL = 9


@dataclass(frozen=True)
class Family:
    """A child and a mother at one practice, a father at the next."""

    reference: str
    child: str
    mother: str
    father: str
    practices: tuple[str, str]


@dataclass
class Being:
    """One process of the service: its words, and the life that it is in."""

    words: tuple[str, ...]
    port: int = 0
    pid: int = 0
    born: float = 0.0


@dataclass
class Town:
    """Everything that runs."""

    installation: build.Installation
    folder: Path
    nursery: Nursery
    beings: list[Being]
    families: list[Family]
    systems: dict[str, GpSystem] = field(default_factory=dict)
    clients: dict[str, Client] = field(default_factory=dict)

    def revive(self, being: Being) -> None:
        """Starts a process, or starts it again."""
        settings = self.installation.settings
        environment = {
            "FLAGSERVICE_DATA": str(settings.data),
            "FLAGSERVICE_KEYS": str(settings.keys_folder),
            "FLAGSERVICE_DATABASE_URL": settings.database_url,
            "FLAGSERVICE_BASE_URL": settings.base_url,
            "FLAGSERVICE_LEASE_SECONDS": str(LEASE_SECONDS),
            "FLAGSERVICE_SYNTHETIC": "true",
            "FLAGSERVICE_LIMITS": json.dumps(WIDE),
        }
        log = self.folder / "service.log"
        being.pid = self.nursery.start(*being.words, environment=environment, log=log)
        being.born = time.monotonic()

    def kill(self, being: Being) -> None:
        """At once, and for real: it must have been alive until now."""
        ended_by = self.nursery.kill(being.pid)
        assert ended_by == _SIGKILL, f"{being.words} had ended by itself: see service.log"

    def wait_for(self, being: Being) -> None:
        """Until it listens."""

        def listens() -> bool:
            try:
                socket.create_connection(("127.0.0.1", being.port), timeout=enough(1)).close()
            except OSError:
                return False
            return True

        until(listens, what=f"{being.words} did not listen: see service.log", every=0.01)


@contextmanager
def a_town(folder: Path, database_url: str, *, apis: int, workers: int) -> Iterator[Town]:
    """With so many API processes and separate workers; one API alone has a worker inside, too."""
    ports = _free_ports(apis)
    settings = Settings(
        data=folder / "service",
        keys=folder / "keys",
        database_url=database_url,
        base_url=f"http://127.0.0.1:{ports[0]}",
        synthetic=True,
    )
    make_keys(settings.keys_folder, settings.origin)
    inside = "--deliver" if apis == 1 else "--no-deliver"
    beings = [Being(("serve", "--port", str(port), inside), port) for port in ports]
    beings += [Being(("deliver",)) for _ in range(workers)]
    with ExitStack() as stack:
        nursery = stack.enter_context(Nursery())
        installation = build.build(settings)
        stack.callback(installation.database.close)
        town = Town(installation, folder, nursery, beings, _families())
        _register(town)
        given_a_checked_system(installation.log)
        for code in PRACTICES:
            town.systems[code] = stack.enter_context(_a_practice(town, code))
            _admit(town, town.systems[code])
        _hand_over_keys(town, ports)
        for client in town.clients.values():
            stack.callback(client.close)
        for being in beings:
            town.revive(being)
        yield town


def _families() -> list[Family]:
    numbers = nhs_numbers(100_000)
    return [
        Family(
            f"CPP-{n}",
            next(numbers),
            next(numbers),
            next(numbers),
            (PRACTICES[n % len(PRACTICES)], PRACTICES[(n + 1) % len(PRACTICES)]),
        )
        for n in range(FAMILIES)
    ]


def _register(town: Town) -> None:
    for family in town.families:
        own, other = family.practices
        for number, born, practice in (
            (family.child, CHILD_BORN, own),
            (family.mother, PARENT_BORN, own),
            (family.father, PARENT_BORN, other),
        ):
            said = Registration(date.fromisoformat(born), practice)
            town.installation.log.perform(Actor("test"), partial(_registered, town, number, said))


def _registered(town: Town, number: str, said: Registration, work: Work) -> None:
    update_registration(
        work, number, registration=said, rulebook=town.installation.policies.rulebook(work)
    )


def _a_practice(town: Town, code: str) -> AbstractContextManager[GpSystem]:
    patients = [
        number
        for family in town.families
        for number in (family.child, family.mother, family.father)
    ]
    return a_gp_system(town.folder / code, code, patients=patients)


def _admit(town: Town, system: GpSystem) -> None:
    said = a_registration(system.code, url=system.url, token=PUSH)
    town.installation.perform(registering(said))


def _hand_over_keys(town: Town, ports: Sequence[int]) -> None:
    for ods, kind in (
        (COUNCIL, "childrens-services"),
        ("X26", "operator"),
        *((code, "gp-system") for code in PRACTICES),
    ):
        client = Client(ods, kind, gates=[f"http://127.0.0.1:{port}" for port in ports])
        client.client_id = town.installation.perform(
            partial(
                add_client,
                ods=ods,
                kind=ClientKind(kind),
                desks=town.installation.policies.desks,
                public_key=client.write_public_key(town.folder).read_bytes(),
            )
        )
        client.progress = lambda: town.nursery.started
        town.clients[ods] = client


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        found = [stack.enter_context(socket.socket()) for _ in range(count)]
        for free in found:
            free.bind(("127.0.0.1", 0))
        return [int(free.getsockname()[1]) for free in found]
