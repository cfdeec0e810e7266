"""A whole service: the real application, database, worker and sequencer, stepped by hand.

What is random or tells the time is passed in, so that three such services can be compared byte by
byte. Ids come from a stream of their own for each step: what happens in one world alone uses up
no number of another's.
"""

import asyncio
import hashlib
import itertools
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from sqlalchemy import event

from flagservice.admission.decisions import OperatorDecision
from flagservice.admission.endpoints import suspend
from flagservice.app.build import Installation
from flagservice.app.keys.keyset import Keys
from flagservice.app.release import read_profiles, read_rulebook
from flagservice.app.serve import application
from flagservice.audit.checkpoint import Signer
from flagservice.audit.log import Actor, Deed, Log, Work
from flagservice.audit.sequence import Sequencer
from flagservice.clients.kinds import SCOPES
from flagservice.delivery.push.fhir_rest import FhirRest
from flagservice.delivery.push.worker import Worker
from flagservice.domain.elements import Kind
from flagservice.intake.policies import enforcement, in_force
from flagservice.intake.policies.in_force import PoliciesInForce
from flagservice.intake.registration import update_registration
from flagservice.people.registrations import Registration
from flagservice.policy.desks import Desks, load_desks
from flagservice.policy.table import Policy
from flagservice.settings import Settings
from flagservice.store import tables
from flagservice.store.database import Database
from flagservice.store.sealing.keyrings import LocalKeyRing
from flagservice.store.sealing.pseudonyms import LocalPseudonymKeys
from flagservice.store.sealing.vault import Vault
from tests.checked import a_registration, given_a_checked_system, given_an_admitted_practice
from tests.twin import cast
from tests.twin.outside.asking import HOST, Answer, Request, ask
from tests.world import HOME, WIDE

_READ: dict[str, Any] = {}
START = datetime(2022, 1, 4, 9, 30, tzinfo=UTC)
OPERATOR = Actor("operator")


class Ids:
    """Random to whoever sees one, and the same in every world for the same step."""

    def __init__(self) -> None:
        self.step("start")

    def step(self, name: str) -> None:
        self._name, self._numbers = name, itertools.count()

    def __call__(self) -> str:
        seed = f"{self._name}|{next(self._numbers)}"
        return hashlib.sha256(seed.encode()).hexdigest()[:32]


@dataclass
class Receivers(httpx.AsyncBaseTransport):
    """Every practice's system: it files what it is sent and echoes it, unless it is ill."""

    ill: dict[str, int] = field(default_factory=dict)
    filed: dict[str, list[bytes]] = field(default_factory=dict)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        practice = request.url.host.partition(".")[0].upper()
        if practice in self.ill:
            return httpx.Response(self.ill[practice])
        self.filed.setdefault(practice, []).append(request.content)
        return httpx.Response(200, stream=httpx.ByteStream(request.content))


class TwinWorld:
    """One service. `name` is for people to read."""

    def __init__(self, url: str, *, name: str = "") -> None:
        self.name, self.now, self.ids = name, START, Ids()
        self.database = Database(url)
        ring = LocalKeyRing({"k1": bytes(range(32))}, "k1")
        vault = Vault(ring, LocalPseudonymKeys({1: bytes(range(1, 33))}))
        signer = Signer.generate("twins")
        self.log = Log(self.database, vault, clock=lambda: self.now, new_id=self.ids)
        keys = Keys(vault, signer, cast.token_key().as_pem(private=True))
        self.in_force = PoliciesInForce(the_desks(), the_profiles)
        installation = Installation(
            Settings(base_url=f"https://{HOST}", limits=WIDE),
            self.database,
            keys,
            self.log,
            self.in_force,
        )
        self.app: Any = application(installation)
        api = self.fastapi.state.api
        tokens = replace(  # a key that signs alike, which a file cannot say
            api.tokens,
            key=cast.token_key(),
            clock=lambda: self.now.timestamp(),  # noqa: PLW0108, it moves
        )
        self.fastapi.state.api = replace(api, tokens=tokens)
        self.receivers = Receivers()
        self.channel = FhirRest(self.receivers)
        self._worker = Worker(self.log, self.channel, jitter=partial(float, 1), hands=1)
        self._sequencer = Sequencer(self.database, signer, self.log.clock)
        self._issued: list[str] = []
        self._loop = asyncio.Runner()
        _watch(self.database, self._issued)

    @property
    def fastapi(self) -> FastAPI:
        """The application inside its envelope."""
        inside: FastAPI = self.app._app
        return inside

    def close(self) -> None:
        self.channel.close()
        self._loop.close()
        self.database.close()

    def policies(self) -> Mapping[Kind, Policy]:
        """What rules now. A process reads it once: here before anybody could ask."""
        return self.performs(_policies_on(self.in_force))

    def changes_to(self, policy: Policy) -> None:
        """From now on by this policy, also on whom an older one ruled."""
        why = {"how": "by a test"}
        self.performs(lambda work: in_force.bring_into_force(work, policy, why=why, sweep=True))
        while self.log.is_waiting(OPERATOR, enforcement.is_unswept):
            self.performs(lambda work: enforcement.sweep(work, self.in_force))

    def warmed(self) -> "TwinWorld":
        """As a process that has run for a while; what one has read, the next need not."""
        self.in_force._last = _READ.get("policies")
        self.policies()
        _READ.setdefault("policies", self.in_force._last)
        return self

    def asks(self, requests: Sequence[Request], *, step: str) -> list[Answer]:
        """Each answer; every request has ids of its own."""

        async def all_of_them() -> list[Answer]:
            answers = []
            for number, request in enumerate(requests):
                self.ids.step(f"{step}|{number}")
                answers.append(await ask(self.app, request, statements=self._taken))
            return answers

        return self._loop.run(all_of_them())

    def forgets_what_it_issued(self) -> None:
        """Statements of ours are none of a request's."""
        self._issued.clear()

    def _taken(self) -> list[str]:
        taken = self._issued[:]
        self._issued.clear()
        return taken

    def performs(self, deed: Callable[[Work], Any]) -> Any:
        """As the operator."""
        return self.log.perform(OPERATOR, deed)

    def learns(self, member: cast.Member, practice: str | None) -> None:
        """The register says where somebody is registered."""
        said = Registration(date.fromisoformat(member.born), practice)
        self.performs(
            lambda work: update_registration(
                work, member.number, registration=said, rulebook=self.in_force.rulebook(work)
            )
        )

    def admits(self, practice: str) -> None:
        url = f"https://{practice.lower()}.example/fhir"
        given_an_admitted_practice(self.log, a_registration(practice, url=url))

    def suspends(self, practice: str) -> None:
        self.performs(
            lambda work: suspend(work, practice, decision=OperatorDecision("A. Lead", "tested"))
        )

    def falls(self, practice: str, status: int | None) -> None:
        """The practice's system answers with this status, until it is well again."""
        if status is None:
            self.receivers.ill.pop(practice, None)
        else:
            self.receivers.ill[practice] = status

    def works(self) -> None:
        """The worker until nothing is due, then the sequencer."""
        while self._worker.run_once():
            pass
        self._sequencer.sequence()


@cache
def the_desks() -> Desks:
    """The desks as they are shipped, and those of other agencies beside ours."""
    return load_desks((HOME / "policies/desks.toml").read_text() + cast.DESKS)


@cache
def the_profiles() -> dict[str, Any]:
    """The profiles as they are shipped."""
    return read_profiles(HOME)


@cache
def the_policies() -> list[Policy]:
    """The policies as they are shipped."""
    return list(read_rulebook(HOME).policies.values())


def _policies_on(in_force: PoliciesInForce) -> Callable[[Work], Mapping[Kind, Policy]]:
    def deed(work: Work) -> Mapping[Kind, Policy]:
        work.record(Deed.POLICY_READ)
        return in_force.rulebook(work).policies

    return deed


def _watch(database: Database, issued: list[str]) -> None:
    """Every statement, and every end of a transaction."""

    def statement(_: Any, __: Any, text: str, *___: Any) -> None:
        issued.append(text)

    event.listen(database.engine, "before_cursor_execute", statement)
    event.listen(database.engine, "commit", lambda _: issued.append("COMMIT"))
    event.listen(database.engine, "rollback", lambda _: issued.append("ROLLBACK"))
    if database.is_sqlite:  # what outlives a crash is asked elsewhere
        event.listen(database.engine, "connect", _hurry)


def _hurry(connection: Any, _: object) -> None:
    connection.execute("PRAGMA synchronous=OFF")


def furnished(url: str) -> None:
    """A new database with everybody registered and admitted, before anybody has said anything."""
    world = TwinWorld(url)
    world.database.upgrade()
    world.performs(lambda work: in_force.start(work, the_policies(), desks=world.in_force.desks))
    world.performs(_add_clients)
    for family in (*cast.HIDDEN_FAMILIES, *cast.OPEN_FAMILIES):
        for member in family:
            world.learns(member, member.practice)
    given_a_checked_system(world.log)
    for practice in (*cast.INSIDE, *cast.OUTSIDE):
        world.admits(practice)
    world.close()


def _add_clients(work: Work) -> None:
    for party in cast.EVERYBODY:
        scopes = " ".join(SCOPES.get(party.kind, ()))
        work.session.add(
            tables.ClientRow(
                id=party.id,
                ods=party.ods,
                kind=party.kind,
                scopes=scopes,
                keys=cast.public_keys(),
                revoked=party is cast.REVOKED,
            )
        )
    work.record(Deed.CLIENT_ADDED, clients=len(cast.EVERYBODY))


@contextmanager
def three_worlds(folder: Path) -> Iterator[tuple[TwinWorld, TwinWorld, TwinWorld]]:
    """A, B and C: three services on three copies of one furnished database."""
    template = folder / "furnished.db"
    if not template.exists():
        furnished(f"sqlite:///{template}")
    opened = []
    for name in "ABC":
        place = folder / f"{name}.db"
        for old in folder.glob(f"{name}.db*"):
            old.unlink()
        shutil.copyfile(template, place)
        opened.append(TwinWorld(f"sqlite:///{place}", name=name).warmed())
    try:
        yield opened[0], opened[1], opened[2]
    finally:
        for world in opened:
            world.close()


def newest_version_of(policy_text: str, number: int) -> str:
    """The same policy as a later version."""
    return policy_text.replace(f"version = {number - 1}", f"version = {number}", 1)
