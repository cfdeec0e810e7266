"""A service with practices, clients, people and flags, all sealed, by the million if asked.

One family is posted through the service's own code; everybody else is written after its model.
"""

import contextlib
import itertools
import json
import shutil
import sqlite3
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from flagservice.app.build import Installation, build
from flagservice.audit.log import Actor, Deed, Work
from flagservice.clients.kinds import SCOPES
from flagservice.clients.registry import public_jwk
from flagservice.domain.days.london import day_of
from flagservice.domain.reading import read_submission
from flagservice.domain.submissions import Plan
from flagservice.intake.registration import update_registration
from flagservice.intake.submission import submit
from flagservice.kit.demo.stage.client import KeyedClient
from flagservice.people.registrations import Registration
from flagservice.settings import Settings
from flagservice.store import tables
from tests.benchmarks.work.bulk import FILE, filling
from tests.benchmarks.work.family import BORN, PEOPLE, Family, numbers
from tests.checked import a_registration, given_a_checked_system, registering
from tests.world import COUNCIL, a_submission, person

_WAITING_FROM, _APART = 500_000, 5
"""Where in the range the people begin of whom nothing is said yet."""
_ACTOR = Actor("benchmark", COUNCIL)


@dataclass(frozen=True)
class Size:
    """Practices that are admitted; flags, at how many of them; families that wait for a plan."""

    practices: int
    flags: int
    flags_at: int
    waiting: int


@dataclass(frozen=True)
class Stored:
    """A service's folder, and the model of the families in it."""

    folder: Path
    family: Family


def practice(place: int) -> str:
    """The code of a practice."""
    return f"B{80_000 + place}"


def waiting(place: int) -> list[str]:
    """The numbers of a family of whom nothing is said yet."""
    return list(itertools.islice(numbers(_WAITING_FROM + _APART * place), len(PEOPLE)))


def plan(reference: str, of: list[str]) -> bytes:
    """A child protection plan about three people, with a flag for each."""
    named = [
        person(role, number, BORN, knows="knows") for role, number in zip(PEOPLE, of, strict=True)
    ]
    return json.dumps(a_submission("child-protection", reference, *named)).encode()


def settled(folder: Path, size: Size) -> Stored:
    """A fresh service: everybody is registered and admitted, and the flags are there."""
    installation = build(Settings(data=folder, synthetic=True))
    given_a_checked_system(installation.log)
    installation.log.perform(_ACTOR, lambda work: _organisations(work, size, folder=folder))
    _post_the_model(installation)
    while installation.sequencer().sequence():
        pass
    installation.database.close()
    with contextlib.closing(sqlite3.connect(folder / FILE)) as connection:
        stored = Stored(folder, Family(connection, installation.keys.vault))
    with filling(folder, stored.family) as bulk:
        bulk.flags(size.flags, [practice(place) for place in range(size.flags_at)])
        for place in range(size.waiting):
            homes = [practice((place * 7 + one) % size.practices) for one in range(len(PEOPLE))]
            bulk.registered(waiting(place), homes)
    return stored


def grown(from_: Stored, folder: Path, size: Size) -> Stored:
    """The same service with so many flags more."""
    shutil.copytree(from_.folder, folder)
    with filling(folder, from_.family) as bulk:
        bulk.flags(size.flags, [practice(place) for place in range(size.flags_at)])
    return Stored(folder, from_.family)


def _organisations(work: Work, size: Size, *, folder: Path) -> None:
    pem = KeyedClient(COUNCIL, "childrens-services").write_public_key(folder).read_bytes()
    keys = json.dumps({"keys": [public_jwk(pem)]})
    practices = [practice(place) for place in range(size.practices)]
    for ods in (COUNCIL, *practices):
        kind = "childrens-services" if ods == COUNCIL else "gp-system"
        scopes = " ".join(SCOPES[kind])
        work.keep(
            tables.ClientRow,
            id=work.new_id(),
            ods=ods,
            kind=kind,
            scopes=scopes,
            keys=keys,
            revoked=False,
        )
    work.record(Deed.CLIENT_ADDED, clients=size.practices + 1)
    for ods in practices:
        said = a_registration(ods, url="http://127.0.0.1:9/fhir")
        registering(said)(work)


def _post_the_model(installation: Installation) -> None:
    of = list(itertools.islice(numbers(), len(PEOPLE)))
    for place, number in enumerate(of):
        said = Registration(date.fromisoformat(BORN), practice(place))

        def deed(work: Work, number: str = number, said: Registration = said) -> None:
            update_registration(
                work, number, registration=said, rulebook=installation.policies.rulebook(work)
            )

        installation.log.perform(_ACTOR, deed)
    body = plan("CPP-MODEL", of)
    read = read_submission(Plan, body, today=day_of(installation.log.clock()))
    installation.log.perform(
        _ACTOR, lambda work: submit(work, read, rulebook=installation.policies.rulebook(work))
    )
