"""What a tenant finds in its world after a reset: people, and what was submitted about them.

`scenarios.toml` lists both. What is posted goes through the real intake, by the tenant's own
clients, under the policies in force; days are counted from the day of the reset.
"""

import json
import tomllib
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final

from flagservice.app.build import Installation
from flagservice.app.sandbox.tenants import FACES, Tenant
from flagservice.audit.log import Actor, Work
from flagservice.delivery.pull import search
from flagservice.domain.copies import Form
from flagservice.domain.days.london import day_of
from flagservice.domain.reading import read, read_submission
from flagservice.domain.submissions import Enquiry, Notification, Plan, Submission
from flagservice.intake.decision import Decision, decide, worklist
from flagservice.intake.registration import update_registration
from flagservice.intake.submission import submit
from flagservice.people.registrations import Registration

_FILE: Final = Path(__file__).with_name("scenarios.toml")
_MODELS: Final[dict[str, type[Submission]]] = {
    **dict.fromkeys(("child-in-need", "child-protection"), Plan),
    **dict.fromkeys(("section-47", "strategy-meeting", "pre-proceedings"), Enquiry),
    **dict.fromkeys(("perpetrator", "domestic-abuse-victim", "marac"), Notification),
}
_DAYS: Final = ("start", "end", "review_due", "expected_date")


@dataclass(frozen=True)
class SyntheticPerson:
    """One synthetic person, and what the tenant's own practice reads of them."""

    name: str
    nhs_number: str
    born: date
    practice: str
    says: str
    sees: tuple[str, ...]


@dataclass(frozen=True)
class Scenarios:
    """All people, and the steps in their order."""

    people: dict[str, SyntheticPerson]
    steps: tuple[dict[str, Any], ...]


@cache
def scenarios() -> Scenarios:
    """Returns what the file lists."""
    said = tomllib.loads(_FILE.read_text("utf-8"))
    people = [SyntheticPerson(**{**one, "sees": tuple(one["sees"])}) for one in said["people"]]
    return Scenarios({one.name: one for one in people}, tuple(said["steps"]))


def play(installation: Installation, tenant: Tenant) -> None:
    """Registers all people, and plays every step."""
    found = scenarios()
    for person in found.people.values():
        _register(installation, person, person.practice)
    for step in found.steps:
        _happen(installation, tenant, step)


def _happen(installation: Installation, tenant: Tenant, step: dict[str, Any]) -> None:
    people = scenarios().people
    match step:
        case {"by": face, "post": body}:
            _post(
                installation, _actor(tenant, face), body_of(body, day_of(installation.log.clock()))
            )
        case {"decides": face, "about": name, "decision": said}:
            decision = read(Decision, json.dumps(said).encode())
            _decide(installation, _actor(tenant, face), people[name].nhs_number, decision)
        case {"reads": face, "about": name}:
            _read(installation, _actor(tenant, face), people[name].nhs_number)
        case {"moves": name, "to": practice}:
            _register(installation, people[name], practice)


def body_of(said: dict[str, Any], today: date) -> dict[str, Any]:
    """Returns a submission as an agency posts it: people by number, days as days."""
    people = scenarios().people
    body = {
        "version": 1,
        "consent": {"sought": True, "answer": "given"},
        "lawful_basis": ["public-task"],
        "purpose": "safeguarding-of-a-child",
        **_dated(said, today),
    }
    body["people"] = [_named(one, people, today) for one in said["people"]]
    return body


def _named(said: dict[str, Any], people: dict[str, SyntheticPerson], today: date) -> dict[str, Any]:
    person = {"identity": "confirmed", "involvement": "included", **_dated(said, today)}
    name = person.pop("is", None)
    if name is None:
        return person
    numbered = {"nhs_number": people[name].nhs_number, "date_of_birth": str(people[name].born)}
    return {**numbered, **person}


def _dated(said: dict[str, Any], today: date) -> dict[str, Any]:
    days: dict[str, Any] = {
        name: str(today + timedelta(days=said[name])) for name in _DAYS if name in said
    }
    return {**said, **days}


def _post(installation: Installation, actor: Actor, body: dict[str, Any]) -> None:
    raw = json.dumps(body).encode()
    today = day_of(installation.log.clock())
    submission = read_submission(_MODELS[body["kind"]], raw, today=today)
    installation.log.perform(
        actor, lambda work: submit(work, submission, rulebook=installation.policies.rulebook(work))
    )


def _decide(installation: Installation, actor: Actor, nhs_number: str, decision: Decision) -> None:
    def deed(work: Work) -> None:
        rulebook = installation.policies.rulebook(work)
        (hold,) = (i for i in worklist(work, rulebook=rulebook) if i.nhs_number == nhs_number)
        decide(work, hold.id, decision=decision, rulebook=rulebook)

    installation.log.perform(actor, deed)


def _read(installation: Installation, actor: Actor, nhs_number: str) -> None:
    def deed(work: Work) -> None:
        for form in Form:
            search.search_patient(work, nhs_number, search.Criteria(form, limit=50))

    installation.log.perform(actor, deed)


def _register(installation: Installation, person: SyntheticPerson, practice: str) -> None:
    said = Registration(person.born, practice or None)

    def deed(work: Work) -> bool:
        rulebook = installation.policies.rulebook(work)
        return update_registration(work, person.nhs_number, registration=said, rulebook=rulebook)

    installation.log.perform(Actor("register"), deed)


def _actor(tenant: Tenant, face: str) -> Actor:
    return Actor(tenant.clients[face], FACES[face][0])
