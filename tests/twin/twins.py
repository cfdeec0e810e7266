"""Plays one trace in three worlds, and compares what every outsider gets after each round."""

import itertools
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from flagservice.domain.days.london import day_of
from flagservice.domain.elements import Kind
from flagservice.policy.proof.prove import load
from tests.api.answers import FHIR
from tests.api.steps import versions_in
from tests.twin import cast
from tests.twin.outside import curl, outsiders
from tests.twin.outside.asking import Answer, Request, get, post
from tests.twin.outside.comparing import Tally, difference
from tests.twin.outside.learning import Learnt, learnt_from
from tests.twin.traffic import (
    FAMILIES,
    PATHS,
    Acknowledge,
    Admit,
    Decide,
    Fall,
    Move,
    Post,
    Round,
    Rule,
    Step,
)
from tests.twin.worlds import TwinWorld, newest_version_of

LIFETIME = 200


class Leak(AssertionError):
    """An outsider can tell two worlds apart. Its text is the trace, as lines for a shell."""


@dataclass
class Asker:
    """How a party asks in one world, or in all of them."""

    ask: Callable[[Request], Answer]
    act: Callable[[Callable[[TwinWorld], Any]], Any]
    where: str


class Twins:
    """Three worlds with one clock. `most` requests are drawn for each round."""

    def __init__(self, worlds: Sequence[TwinWorld], *, most: int = 60) -> None:
        self.worlds = list(worlds)
        self.most = most
        self.tally = Tally(traces=1)
        self._journal: list[str] = []
        self._tokens: dict[str, tuple[int, str]] = {}
        self._versions: Counter[str] = Counter()
        self._posted: set[str] = set()
        self._steps = itertools.count()
        self._now = worlds[0].now

    def plays(self, trace: Sequence[Round], *, sweeping: int = 0) -> Tally:
        """Raises Leak if anything differs; answers how much was compared.

        `sweeping`: at the end each one of so many requests that there are is asked, 1 for all.
        """
        self._look(0)
        for one in trace:
            self._passes(one.minutes)
            for name, steps in one.hidden.items():
                self._hides(name, steps)
            together = Asker(self._lockstep, self._everywhere, "every world")
            for step in one.ordinary:
                self._happens(step, together)
            self._everywhere(TwinWorld.works)
            self._look(one.seed)
        if sweeping:
            self._sweep(sweeping)
        return self.tally

    def _passes(self, minutes: int) -> None:
        self._now += timedelta(minutes=minutes)
        for world in self.worlds:
            world.now = self._now
        if minutes:
            self._journal.append(f"# {minutes} minutes pass")

    def _hides(self, name: str, steps: Sequence[Step]) -> None:
        world = next(world for world in self.worlds if world.name == name)

        def ask(request: Request) -> Answer:
            return world.asks([request], step=f"{name} {next(self._steps)}")[0]

        def act(deed: Callable[[TwinWorld], Any]) -> Any:
            world.ids.step(f"{name} {next(self._steps)}")
            return deed(world)

        for step in steps:
            self._happens(step, Asker(ask, act, f"world {name} alone"))

    def _everywhere(self, deed: Callable[[TwinWorld], Any]) -> Any:
        step = f"all {next(self._steps)}"
        for world in self.worlds:
            world.ids.step(step)
            done = deed(world)
        return done

    def _lockstep(self, request: Request) -> Answer:
        return self._compared([request])[0]

    def _happens(self, step: Step, asker: Asker) -> None:
        self.tally.steps += 1
        match step:
            case Post():
                self._post(step, asker)
            case Decide():
                self._decide(step, asker)
            case Acknowledge():
                self._acknowledge(step, asker)
            case Move():
                member = FAMILIES[step.family][step.member]
                asker.act(lambda world: world.learns(member, step.practice))
            case Fall():
                asker.act(lambda world: world.falls(step.practice, step.status))
            case Admit():
                change = TwinWorld.suspends if step.suspended else TwinWorld.admits
                asker.act(lambda world: change(world, step.practice))
            case Rule():
                asker.act(lambda world: _rules_anew(world, Kind(step.kind)))
        if not isinstance(step, Post | Decide | Acknowledge):
            self._journal.append(f"# {asker.where}: {step}")

    def _post(self, step: Post, asker: Asker) -> None:
        key = f"{asker.where} {step.reference}"
        self._versions[key] += 1
        today = day_of(self._now).isoformat()
        body = step.body(FAMILIES[step.family], version=self._versions[key], today=today)
        request = post(PATHS[step.kind], body, ("Idempotency-Key", f"key-{step.reference}-{key}"))
        answer = self._told(step.party, request, asker)
        self._posted.add(step.reference)
        if answer.status != 201:
            self._versions[key] -= 1

    def _decide(self, step: Decide, asker: Asker) -> None:
        holds = self._told(step.party, get("/holds"), asker).json()["holds"]
        if holds:
            said = {"outcome": step.outcome, "decided_by": "A. Lead", "reason": "a risk decision"}
            self._told(step.party, post(f"/holds/{holds[0]['id']}/decision", said), asker)

    def _acknowledge(self, step: Acknowledge, asker: Asker) -> None:
        feeds = [
            self._told(step.party, get(f"{FHIR}/{type_}/_history?_count=200"), asker).json()
            for type_ in ("Flag", "Task")
        ]
        entries = [one for feed in feeds for one in feed.get("entry", ())]
        listed = [one["resource"] for one in entries if "resource" in one]
        versions = [{"name": "version", "valueString": v} for v in versions_in(listed)]
        if versions:
            body = {"resourceType": "Parameters", "parameter": versions[:200]}
            self._told(step.party, post(f"{FHIR}/$acknowledge", body), asker)

    def _told(self, party: cast.Party, request: Request, asker: Asker) -> Answer:
        asked = replace(request.bearing(self._token(party)), who=party.name)
        self._journal.append(f"# {asker.where}\n{curl.line(asked)}")
        return asker.ask(asked)

    def _token(self, party: cast.Party) -> str:
        """Asked for in every world, and the same in each."""
        now = int(self._now.timestamp())
        until, token = self._tokens.get(party.name, (0, ""))
        if now >= until:
            request = party.asks_for_a_token(now=now, nonce=f"{party.name} {now}")
            token = self._compared([request])[0].json()["access_token"]
            self._tokens[party.name] = (now + LIFETIME, token)
        return token

    def _outsiders(self) -> list[outsiders.Outsider]:
        tokens = {party.name: self._token(party) for party in cast.CALLING}
        return outsiders.outsiders(tokens, now=int(self._now.timestamp()))

    def _learnt(self) -> Learnt:
        return {**learnt_from(self.worlds), "reference": sorted(self._posted)}

    def _look(self, seed: int) -> None:
        """Every outsider reads what it may, and then asks what it may not."""
        everybody, learnt, chance = self._outsiders(), self._learnt(), random.Random(seed)
        few = {name: _some_of(chance, found, self.most // 8) for name, found in learnt.items()}
        for one in everybody:
            self._compared(list(outsiders.own_reads(one, few)))
        app = self.worlds[0].fastapi
        endless = outsiders.probes(chance, learnt, everybody=everybody, app=app)
        self._compared(list(itertools.islice(endless, self.most)))

    def _sweep(self, every: int) -> None:
        app = self.worlds[0].fastapi
        everybody, learnt = self._outsiders(), self._learnt()
        for one in everybody:
            self._compared(list(outsiders.own_reads(one, learnt))[::every])
        self._compared(list(outsiders.every_route(learnt, everybody=everybody, app=app))[::every])

    def _compared(self, requests: Sequence[Request]) -> list[Answer]:
        """The answers of the first world, once the others have given the same."""
        step = f"all {next(self._steps)}"
        first, *others = (world.asks(requests, step=step) for world in self.worlds)
        for world, answers in zip(self.worlds[1:], others, strict=True):
            for request, mine, theirs in zip(requests, first, answers, strict=True):
                self.tally.requests += 1
                self.tally.statements += len(mine.statements)
                self.tally.successes += 200 <= mine.status < 300
                self._check(request, mine, (world.name, theirs))
        return first

    def _check(self, request: Request, mine: Answer, theirs: tuple[str, Answer]) -> None:
        found = difference(request, (self.worlds[0].name, mine), theirs)
        if found is not None:
            self.tally.differing += found.bytes
            lines = [*self._journal, "# answered differently", curl.line(request)]
            raise Leak("\n".join([f"worlds {found.worlds}: {found.first}", *lines]))


def _some_of(chance: random.Random, found: list[str], most: int) -> list[str]:
    return sorted(chance.sample(found, min(len(found), most)))


def _rules_anew(world: TwinWorld, kind: Kind) -> None:
    policy = world.policies()[kind]
    world.changes_to(load(newest_version_of(policy.text, policy.version + 1)))
    world.policies()
