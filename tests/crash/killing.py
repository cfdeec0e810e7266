"""Plans are posted, amended and ended without a pause, while processes are killed and come back."""

import itertools
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from sqlmodel import col, func, select

from flagservice.audit.log import Actor, Deed, Work
from flagservice.store import tables
from tests.crash.client import Client
from tests.crash.town import CHILD_BORN, PARENT_BORN, Being, Family, Town
from tests.patience import slowness, until
from tests.world import COUNCIL, a_submission, person

CATEGORIES = ("physical", "neglect", "emotional")
_YOUNGEST, _OLDEST, _MIDST = 0.1, 0.7, 0.04
"""How old whoever is killed is, in seconds of a machine that is not slow, and how old a post."""
_POSTERS = 3


@dataclass
class Record:
    """What the submitter knows: which versions were acknowledged, and with which words."""

    accepted: set[tuple[str, int]] = field(default_factory=set)
    answers: dict[str, int] = field(default_factory=dict)
    unanswered: int = 0


@dataclass
class Posting:
    """The submitter's side. `posting` is set whenever a post is about to leave."""

    town: Town
    record: Record = field(default_factory=Record)
    over: threading.Event = field(default_factory=threading.Event)
    posting: threading.Event = field(default_factory=threading.Event)

    def run(self, which: int) -> None:
        """Every family of one share, version after version, until it is over."""
        client = self.town.clients[COUNCIL].another()
        try:
            for version in itertools.count(1):
                for family in self.town.families[which::_POSTERS]:
                    if self.over.is_set():
                        return
                    self._post(client, family, version)
        finally:
            self.record.unanswered += client.unanswered
            client.close()

    def _post(self, client: Client, family: Family, version: int) -> None:
        headers = {"Idempotency-Key": f"post-{family.reference}-{version}"} if version % 2 else {}
        self.posting.set()
        reply = client.ask("POST", "/plans", json=a_plan(family, version), headers=headers)
        assert reply.status_code in (200, 201), f"{reply.status_code} {reply.text}"
        said = reply.json()["submission"]
        assert said in ("accepted", "accepted before")
        self.record.accepted.add((family.reference, version))
        self.record.answers[said] = self.record.answers.get(said, 0) + 1


def a_plan(family: Family, version: int) -> dict[str, Any]:
    """Each version says something else than the one before it."""
    return a_submission(
        "child-protection",
        family.reference,
        person("child", family.child, CHILD_BORN),
        person("mother", family.mother, PARENT_BORN, knows="knows"),
        person("father", family.father, PARENT_BORN, knows="knows"),
        version=version,
        categories=[CATEGORIES[version % len(CATEGORIES)]],
    )


def kill_while_plans_are_posted(town: Town, *, kills: int) -> Record:
    """Whom and when is chance, with a seed; a web server dies while a post is on its way."""
    chance = random.Random(20_260_101)
    posting = Posting(town)
    with ThreadPoolExecutor(_POSTERS) as posters:
        running = [posters.submit(posting.run, which) for which in range(_POSTERS)]
        try:
            for _ in range(kills):
                _kill_one(town, posting, chance)
                for one in running:
                    if one.done():
                        one.result()  # it posts until it is over: something is wrong
        finally:
            posting.over.set()
    for one in running:
        one.result()
    return posting.record


def _kill_one(town: Town, posting: Posting, chance: random.Random) -> None:
    being = chance.choice(town.beings)
    age = chance.uniform(_YOUNGEST, _OLDEST) * slowness()
    time.sleep(max(0.0, being.born + age - time.monotonic()))
    if being.port:
        _in_the_midst_of_a_post(town, being, posting, chance)
    town.kill(being)
    town.revive(being)


def _in_the_midst_of_a_post(
    town: Town, being: Being, posting: Posting, chance: random.Random
) -> None:
    town.wait_for(being)
    posting.posting.clear()
    posting.posting.wait(slowness())
    time.sleep(chance.uniform(0, _MIDST) * slowness())


def settle(town: Town) -> None:
    """Until nothing is owed to any practice."""
    operator = town.clients["X26"]

    def nothing_is_owed() -> bool:
        return not sum(operator.ask("GET", "/_status").json()["owed"].values())

    def tried() -> dict[str, int]:
        return town.installation.log.perform(Actor("test"), tries)

    until(nothing_is_owed, progress=tried, what="deliveries did not settle", every=0.2)


def tries(work: Work) -> dict[str, int]:
    """How many deliveries there are in each state, and how many tries came to an end."""
    work.record(Deed.STATUS_READ)
    state = col(tables.DeliveryRow.state)
    found = dict(work.session.exec(select(state, func.count()).group_by(state)).all())
    ended = select(func.count()).select_from(tables.AttemptRow)
    return {**found, "tries": work.session.exec(ended).one()}
