"""The steps that the API's tests are told in: who calls, with which token, and what comes back."""

import json
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import anyio
import httpx
from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from sqlalchemy import func
from sqlmodel import SQLModel, col, select

from flagservice.app.build import Installation
from flagservice.app.keys.keyset import Keys
from flagservice.app.serve import application
from flagservice.audit.checkpoint import Signer
from flagservice.clients.assertions import ASSERTION_TYPE
from flagservice.clients.kinds import ClientKind
from flagservice.clients.registry import add_client, revoke_client
from flagservice.settings import Settings
from flagservice.store import tables
from tests.api.answers import FHIR, resources, then_in_its_envelope
from tests.api.description import then_as_described
from tests.world import COUNCIL, HEALTH, POLICE, WIDE, World, a_submission, person

BASE = "https://flags.example"
TOKEN_URL = f"{BASE}/oauth2/token"
NHS_NUMBER = "https://fhir.nhs.uk/Id/nhs-number"
FORM = "application/x-www-form-urlencoded"
CHILD, MOTHER, FATHER = (
    ("9990001111", "2021-12-06"),
    ("9990002258", "1995-03-14"),
    ("9990002517", "1993-09-30"),
)
STRANGER = "9990002924"
MINE, THEIRS, UNADMITTED = "B83901", "B83902", "B83903"
_PASSING = {"leaf", "assertion"}
"""What every request leaves, refused or not: its audit, and the assertions that were used."""


@cache
def an_rsa_key() -> RSAKey:
    return RSAKey.generate_key(3072, {"use": "sig"}, private=True)


@cache
def an_ec_key() -> ECKey:
    return ECKey.generate_key("P-384", {"use": "sig"}, private=True)


@cache
def our_token_key() -> ECKey:
    return ECKey.generate_key("P-256", {"use": "sig"}, private=True)


class Service:
    """The whole API on one world, spoken to as any client does; every answer's envelope is read."""

    def __init__(self, world: World, *, started: bool = False, **set_: Any) -> None:
        self.world = world
        keys = Keys(world.log.vault, Signer.generate("tests"), our_token_key().as_pem(private=True))
        settings = Settings(**{"base_url": BASE, "limits": WIDE, **set_})
        if not started:
            world.starts()
        self.installation = Installation(settings, world.database, keys, world.log, world.in_force)
        self.app = application(self.installation)

    @property
    def fastapi(self) -> FastAPI:
        """The application inside its envelope."""
        inside = self.app._app
        assert isinstance(inside, FastAPI)
        return inside

    def send(self, method: str, path: str, **more: Any) -> httpx.Response:
        return self.send_together((method, path, more))[0]

    def send_together(self, *asked: tuple[str, str, dict[str, Any]]) -> list[httpx.Response]:
        """Several requests at once."""
        answers: list[httpx.Response] = []

        async def one(client: httpx.AsyncClient, method: str, path: str, more: Any) -> None:
            answers.append(await client.request(method, path, **more))

        async def all_of_them() -> None:
            transport = httpx.ASGITransport(app=self.app)
            async with (
                httpx.AsyncClient(transport=transport, base_url=BASE) as client,
                anyio.create_task_group() as together,
            ):
                for method, path, more in asked:
                    together.start_soon(one, client, method, path, more)

        anyio.run(all_of_them)
        for answer in answers:
            then_in_its_envelope(answer)
            then_as_described(answer)
        return answers

    def client(self, ods: str, kind: str, key: RSAKey | ECKey | None = None) -> "Client":
        key = key or an_ec_key()
        return Client(self, self.adds_a_client(ods, kind, key.as_pem(private=False)), key, ods)

    def adds_a_client(self, ods: str, kind: str, public_key: bytes) -> str:
        """Without a client of ours: what the command does."""
        desks = self.installation.policies.desks
        return self.installation.perform(
            lambda work: add_client(work, ods, ClientKind(kind), desks=desks, public_key=public_key)
        )

    def revokes(self, client: "Client") -> None:
        self.installation.perform(lambda work: revoke_client(work, client.id))

    def rehomes(self, client: "Client", ods: str) -> None:
        """As if the client had been registered for another organisation."""
        with self.world.database.transaction() as session:
            row = session.get_one(tables.ClientRow, client.id)
            row.ods = client.ods = ods
            session.add(row)

    def rows(self) -> dict[str, int]:
        """How many rows each table has; without what every request leaves."""
        with self.world.database.transaction() as session:
            return {
                table.name: session.connection()
                .execute(select(func.count()).select_from(table))
                .scalar_one()
                for table in SQLModel.metadata.sorted_tables
                if table.name not in _PASSING
            }

    @contextmanager
    def storing_nothing(self) -> Iterator[None]:
        """What happens inside changes no table, and is a refusal with its leaf."""
        rows, refusals = self.rows(), len(self.leaves("refused"))
        yield
        assert self.rows() == rows
        assert len(self.leaves("refused")) == refusals + 1

    def leaves(self, deed: str) -> list[dict[str, Any]]:
        with self.world.database.transaction() as session:
            found = [json.loads(body) for body in session.exec(select(col(tables.LeafRow.body)))]
        return [leaf for leaf in found if leaf["deed"] == deed]


@dataclass
class Client:
    """A registered organisation with its key."""

    service: Service
    id: str
    key: RSAKey | ECKey = field(repr=False)
    ods: str
    _token: str = ""
    _until: float = 0.0

    @property
    def algorithm(self) -> str:
        return _algorithm(self.key)

    def assertion(self, *, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """A good one; what is given replaces a part of it, and None takes it out.

        It has one key throughout, though another thread gives the client a new one meanwhile.
        """
        key = self.key
        head = {"alg": _algorithm(key), "typ": "JWT", "kid": key.thumbprint(), **(header or {})}
        said = {
            "iss": self.id,
            "sub": self.id,
            "aud": TOKEN_URL,
            "jti": str(uuid.uuid4()),
            "exp": int(time.time()) + 240,
            **claims,
        }
        said = {name: value for name, value in said.items() if value is not None}
        head = {name: value for name, value in head.items() if value is not None}
        return jwt.encode(head, said, key, algorithms=[head["alg"]])

    def asks_for_a_token(self, assertion: str | None = None, **form: Any) -> httpx.Response:
        return self.service.send("POST", "/oauth2/token", data=self.form(assertion, **form))

    def form(self, assertion: str | None = None, **more: Any) -> dict[str, Any]:
        whole = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion or self.assertion(),
            **more,
        }
        return {name: value for name, value in whole.items() if value is not None}

    def token(self, scope: str | None = None) -> str:
        answer = self.asks_for_a_token(scope=scope)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def calls(self, method: str, path: str, **more: Any) -> httpx.Response:
        if time.time() > self._until:
            self._token, self._until = self.token(), time.time() + 200
        headers = {"Authorization": f"Bearer {self._token}", **more.pop("headers", {})}
        return self.service.send(method, path, headers=headers, **more)

    def gets(self, path: str, **more: Any) -> httpx.Response:
        return self.calls("GET", path, **more)

    def posts(self, path: str, body: object, **headers: str) -> httpx.Response:
        """A body as JSON, or the very bytes."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.calls(
            "POST", path, content=content, headers={"Content-Type": "application/json", **named}
        )

    def searches(self, number: str, type_: str = "Flag") -> httpx.Response:
        form = {"patient:identifier": f"{NHS_NUMBER}|{number}"}
        return self.calls("POST", f"{FHIR}/{type_}/_search", data=form)


@dataclass
class Cast:
    """Everybody who calls, and the service that they call."""

    service: Service
    council: Client
    police: Client
    health: Client
    practice: Client
    other_practice: Client
    unadmitted: Client
    lead: Client
    other_lead: Client
    governance: Client
    operator: Client

    @property
    def world(self) -> World:
        return self.service.world


_SEATS: tuple[tuple[str, str, Callable[[], RSAKey | ECKey]], ...] = (
    (COUNCIL, "childrens-services", an_rsa_key),
    (POLICE, "police", an_ec_key),
    (HEALTH, "zero-to-nineteen", an_ec_key),
    (MINE, "gp-system", an_rsa_key),
    (THEIRS, "gp-system", an_ec_key),
    (UNADMITTED, "gp-system", an_ec_key),
    (MINE, "practice-lead", an_ec_key),
    (THEIRS, "practice-lead", an_ec_key),
    ("X26", "governance", an_ec_key),
    ("X26", "operator", an_ec_key),
)
"""The organisation, kind and key of each client of a cast, in its order."""


def given_a_cast(world: World) -> Cast:
    """A family of three at two practices that were admitted, and a client of every kind."""
    ids = world.begins_with(_a_cast_is_written)
    service = Service(world, started=True)
    clients = zip(ids, _SEATS, strict=True)
    return Cast(service, *(Client(service, id_, key(), ods) for id_, (ods, _, key) in clients))


def _a_cast_is_written(world: World) -> list[str]:
    """Returns the ids of the clients."""
    world.registered(*CHILD, MINE)
    world.registered(*MOTHER, MINE)
    world.registered(*FATHER, THEIRS)
    world.admitted(MINE, THEIRS)
    service = Service(world)
    return [service.client(ods, kind, key()).id for ods, kind, key in _SEATS]


def a_plan(reference: str = "CPP-1", **more: Any) -> dict[str, Any]:
    """A plan that every rule accepts; the mother and the father know of it.

    It is a child protection plan, or with a reference as `CIN-1` a child in need plan.
    """
    kind = "child-in-need" if reference.startswith("CIN") else "child-protection"
    people = [
        person("child", *CHILD),
        person("mother", *MOTHER, knows="knows"),
        person("father", *FATHER, knows="knows"),
    ]
    return {**a_submission(kind, reference, *people), **more}


def an_enquiry(**more: Any) -> dict[str, Any]:
    people = [person("child", *CHILD), person("father", *FATHER)]
    return {**a_submission("section-47", "S47-1", *people), **more}


def a_notification(**more: Any) -> dict[str, Any]:
    """The police say that the father is the alleged perpetrator."""
    alleged = person("father", *FATHER, standing="alleged-perpetrator", knows="must-not-know")
    return {**a_submission("perpetrator", "WYP-1", alleged), **more}


def versions_in(listed: list[dict[str, Any]]) -> list[str]:
    """The version that each resource of ours says it is."""
    return [
        identifier["value"]
        for resource in listed
        for identifier in resource["identifier"]
        if identifier["system"].endswith("-version")
    ]


def when_everything_is_filed(cast: Cast) -> None:
    """Both practices read their whole feed and say that they have filed it."""
    for practice in (cast.practice, cast.other_practice):
        listed = [
            resource
            for type_ in ("Flag", "Task")
            for resource in resources(practice.gets(f"{FHIR}/{type_}/_history?_count=200"))
        ]
        versions = [{"name": "version", "valueString": v} for v in versions_in(listed)]
        if versions:
            body = {"resourceType": "Parameters", "parameter": versions}
            assert practice.posts(f"{FHIR}/$acknowledge", body).status_code == 200


def _algorithm(key: RSAKey | ECKey) -> str:
    return "RS512" if isinstance(key, RSAKey) else "ES384"
