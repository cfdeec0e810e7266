"""A whole service on a database of its own, for tests that read aloud."""

import json
import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from sqlmodel import col, select

from flagservice.api.edge.limits import Audience
from flagservice.audit.log import Actor, Deed, Log, Work
from flagservice.domain.copies import CopyStatus
from flagservice.domain.days.london import day_of
from flagservice.domain.elements import Kind
from flagservice.domain.holds import HoldOutcome
from flagservice.domain.reading import read_submission
from flagservice.domain.submissions import Enquiry, Notification, Plan, Submission
from flagservice.fhir.profile.check import Profile
from flagservice.intake.decision import Decision, decide, worklist
from flagservice.intake.plans import find_plan
from flagservice.intake.policies.in_force import PoliciesInForce, start
from flagservice.intake.receipt import receipt_of
from flagservice.intake.registration import update_registration
from flagservice.intake.rulebook import Rulebook
from flagservice.intake.submission import Submitted, submit
from flagservice.people.registrations import Registration
from flagservice.policy.desks import load_desks
from flagservice.policy.proof.prove import load
from flagservice.store import tables
from flagservice.store.sealing.keyrings import LocalKeyRing
from flagservice.store.sealing.pseudonyms import LocalPseudonymKeys
from flagservice.store.sealing.vault import Vault
from tests.checked import a_registration, given_a_checked_system, given_an_admitted_practice
from tests.databases.templates import Template, migrated, taken_from
from tests.policy.approved import policy_text

T = TypeVar("T")
HOME = Path(__file__).parents[1]
_FIRST = datetime(2022, 1, 4, 9, 30, tzinfo=UTC)
_beginnings: dict[tuple[object, ...], tuple[Template, Any, Any]] = {}
COUNCIL, POLICE, HEALTH = "E08000032", "Q0WYP", "TAD00"
WIDE = dict.fromkeys(Audience, 10_000_000)
"""Limits that no test meets, but for those that are about limits."""
MODELS: dict[str, type[Submission]] = {
    "child-in-need": Plan,
    "child-protection": Plan,
    "section-47": Enquiry,
    "strategy-meeting": Enquiry,
    "pre-proceedings": Enquiry,
    "perpetrator": Notification,
    "domestic-abuse-victim": Notification,
    "marac": Notification,
}


@cache
def the_rulebook() -> Rulebook:
    """What is shipped; a value, so that one serves a whole process."""
    policies = [load(policy_text(kind)) for kind in Kind]
    sets = [path.read_text() for path in sorted((HOME / "profiles").glob("ValueSet-*.json"))]
    extensions = [
        path.read_text()
        for path in sorted((HOME / "profiles").glob("StructureDefinition-*.json"))
        if "Safeguarding" not in path.name
    ]
    return Rulebook(
        {policy.kind: policy for policy in policies},
        load_desks((HOME / "policies/desks.toml").read_text()),
        {
            "Flag": Profile.load(
                _profile("SafeguardingFlag"), value_sets=sets, extensions=extensions
            ),
            "Task": Profile.load(
                _profile("SafeguardingRequest"), value_sets=sets, extensions=extensions
            ),
        },
    )


def _profile(name: str) -> str:
    return (HOME / f"profiles/StructureDefinition-{name}.json").read_text()


class World:
    """One service in this process: intake, register, practices; its clock stands until moved."""

    def __init__(self, url: str, *, seed: int = 1) -> None:
        self.database = migrated(url)
        self.now = _FIRST
        self.seed, self._chance = seed, random.Random(seed)
        ring = LocalKeyRing({"k1": bytes(range(32))}, "k1")
        vault = Vault(ring, LocalPseudonymKeys({1: bytes(range(1, 33))}))
        self.log = Log(
            self.database,
            vault,
            clock=lambda: self.now,
            new_id=lambda: f"{self._chance.getrandbits(128):032x}",
        )
        self.rulebook = the_rulebook()
        self.in_force = PoliciesInForce(self.rulebook.desks, lambda: self.rulebook.profiles)
        self._checked: set[datetime] = set()

    @property
    def url(self) -> str:
        """The address of its database."""
        return self.database.engine.url.render_as_string(hide_password=False)

    def close(self) -> None:
        self.database.close()

    def begins_with(self, write: Callable[["World"], T]) -> T:
        """Returns what `write` returns, and its rows are there.

        The first world of a sort to which nothing has happened yet writes them; the next ones of
        this process get a copy. So `write` may change nothing of a world but what `_moved` holds.
        """
        if self._moved() != (_FIRST, random.Random(self.seed).getstate(), set()):
            return write(self)
        where = self.database.engine.url
        sort = write, self.seed, where.drivername, where.port, not where.database
        if sort not in _beginnings:
            answer = write(self)
            _beginnings[sort] = taken_from(self.database), answer, self._moved()
        else:
            template, answer, moved = _beginnings[sort]
            template.put_into(self.database)
            self.now, self._checked = moved[0], moved[2]
            self._chance.setstate(moved[1])
        return answer

    def _moved(self) -> tuple[datetime, Any, set[datetime]]:
        """What a step of a test changes beside rows."""
        return self.now, self._chance.getstate(), set(self._checked)

    def starts(self) -> None:
        """As a process does: the shipped policies are in force in the database, too."""
        shipped = self.rulebook.policies.values()
        self.log.perform(
            Actor("start"), lambda work: start(work, shipped, desks=self.in_force.desks)
        )

    def on(self, day: str) -> None:
        self.now = datetime.combine(date.fromisoformat(day), self.now.timetz())

    def registered(self, nhs_number: str, born: str, practice: str | None) -> None:
        registration = Registration(date.fromisoformat(born), practice)
        self.log.perform(
            Actor("test"),
            lambda work: update_registration(
                work, nhs_number, registration=registration, rulebook=self.rulebook
            ),
        )

    def admitted(self, *practices: str) -> None:
        """They run a version that passed the leak check; that holds for a year of this clock."""
        self.checked()
        for practice in practices:
            given_an_admitted_practice(self.log, a_registration(practice))

    def checked(self) -> None:
        if self.now not in self._checked:
            given_a_checked_system(self.log)
            self._checked.add(self.now)

    def posts(self, ods: str, body: dict[str, Any]) -> Submitted:
        raw = json.dumps(body).encode()
        submission = read_submission(MODELS[body["kind"]], raw, today=day_of(self.now))
        return self.log.perform(
            Actor("client", ods), lambda work: submit(work, submission, rulebook=self.rulebook)
        )

    def decides(self, ods: str, outcome: str = "place", which: int = 0) -> None:
        decision = Decision(
            outcome=HoldOutcome(outcome), decided_by="Dr N. Amed", reason="a recorded risk decision"
        )
        actor = Actor("client", ods)
        items = self.log.perform(actor, lambda work: worklist(work, rulebook=self.rulebook))
        self.log.perform(
            actor,
            lambda work: decide(work, items[which].id, decision=decision, rulebook=self.rulebook),
        )

    def worklist(self, ods: str) -> list[Any]:
        return self.log.perform(
            Actor("client", ods), lambda work: worklist(work, rulebook=self.rulebook)
        )

    def held_at(self, practice: str, nhs_number: str | None = None) -> list[dict[str, Any]]:
        """The newest version of every copy at a practice that is not removed, as JSON."""
        return [
            found
            for found in self._newest(practice, removed=False)
            if nhs_number in (None, _subject(found))
        ]

    def _newest(self, practice: str, *, removed: bool) -> list[dict[str, Any]]:
        def deed(work: Work) -> list[dict[str, Any]]:
            work.record(Deed.STATUS_READ)
            asked = select(tables.CopyRow).where(col(tables.CopyRow.practice) == practice)
            found = []
            for copy in work.session.exec(asked):
                if copy.status is CopyStatus.REMOVED and not removed:
                    continue
                version = work.session.exec(
                    select(tables.VersionRow).where(
                        col(tables.VersionRow.copy_id) == copy.id,
                        col(tables.VersionRow.number) == copy.number,
                    )
                ).one()
                person = work.session.get_one(tables.PersonRow, copy.person_id)
                found.append(json.loads(work.vault.open_row_under(person.data_key, version)))
            return found

        return self.log.perform(Actor("test"), deed)

    def receipt(self, ods: str, reference: str) -> list[tuple[str, str]]:
        def deed(work: Work) -> list[tuple[str, str]]:
            plan = find_plan(work, ods, reference)
            assert plan is not None
            return [(line.role, line.status) for line in receipt_of(work, plan)]

        return self.log.perform(Actor("client", ods), deed)


def _subject(resource: dict[str, Any]) -> str:
    who = resource.get("subject") or resource["for"]
    return str(who["identifier"]["value"])


def person(role: str, nhs_number: str, born: str, **more: Any) -> dict[str, Any]:
    """A person who is confirmed and included, unless it says otherwise."""
    return {
        "role": role,
        "nhs_number": nhs_number,
        "date_of_birth": born,
        "identity": "confirmed",
        "involvement": "included",
        **more,
    }


def a_submission(kind: str, reference: str, *people: dict[str, Any], **more: Any) -> dict[str, Any]:
    """One that every rule accepts."""
    body = {
        "kind": kind,
        "reference": reference,
        "version": 1,
        "people": list(people),
        "consent": {"sought": True, "answer": "given"},
        "lawful_basis": ["public-task"],
        "purpose": "safeguarding-of-a-child",
    }
    if MODELS[kind] is not Notification:
        body["start"] = max("2022-01-01", *map(_plausible_start, people))
    if kind == "child-protection":
        body["categories"] = ["physical"]
    return {**body, **more}


def _plausible_start(person: dict[str, Any]) -> str:
    """The first day on which a plan of this child may start: the birth, or the conception."""
    if person["role"] == "unborn" and person.get("expected_date"):
        expected = date.fromisoformat(person["expected_date"])
        return str(expected - min(timedelta(days=280), expected - date.min))
    born = person.get("date_of_birth") if person["role"] == "child" else None
    return str(born or "")
