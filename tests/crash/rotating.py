"""Keys are rotated without a pause while plans are posted, searched for and fed; and it is killed.

Two agencies' posters meet over people whom nobody knew: whoever is made twice is made here.
"""

import itertools
import random
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

from flagservice.app.keys.pseudonyms import carried_by
from flagservice.app.keys.rotation import wrapped_by
from flagservice.audit.log import Actor, Deed, Work
from tests.crash.killing import Posting
from tests.crash.town import CHILD_BORN, Being, Town
from tests.delivery.practices import nhs_numbers
from tests.patience import slowness, until
from tests.world import COUNCIL, a_submission, person

ROTATE = ("keys", "rotate")
ROTATE_PSEUDONYMS = ("keys", "rotate", "--pseudonyms")
NHS_NUMBER = "https%3A%2F%2Ffhir.nhs.uk%2FId%2Fnhs-number%7C"
_POSTERS = 3


@dataclass
class Load:
    """What goes on meanwhile, and what came of it."""

    town: Town
    posting: Posting
    newcomers: list[str] = field(default_factory=list)
    searches: int = 0
    polls: int = 0

    def meet(self) -> None:
        """One person whom nobody knows, in two plans, at two doors, at once."""
        doors = [self.town.clients[COUNCIL].another() for _ in range(2)]
        doors[1]._gates.reverse()
        with ThreadPoolExecutor(2) as hands:
            for n, number in enumerate(nhs_numbers(500_000)):
                if self.posting.over.is_set():
                    break
                plans = [self._newcomer(number, f"NEW-{n}-{side}") for side in "AB"]
                replies = hands.map(
                    lambda door, plan: door.ask("POST", "/plans", json=plan), doors, plans
                )
                for reply in replies:
                    assert reply.status_code in (200, 201), f"{reply.status_code} {reply.text}"
                self.newcomers.append(number)
        for door in doors:
            door.close()

    def _newcomer(self, number: str, reference: str) -> dict[str, object]:
        who = person("child", number, CHILD_BORN)
        return a_submission("child-protection", reference, who)

    def read(self) -> None:
        """Whoever has a flag is found by number, at every moment; the feed goes on."""
        clients = {code: self.town.clients[code].another() for code in self.town.systems}
        for family in itertools.cycle(self.town.families):
            if self.posting.over.is_set():
                break
            if (family.reference, 1) not in self.posting.record.accepted:
                time.sleep(0.01)
                continue
            reply = clients[family.practices[0]].ask(
                "POST",
                "/fhir/R4/Flag/_search",
                content=f"patient:identifier={NHS_NUMBER}{family.child}",
                headers={"Content-Type": "application/x-www-form-urlencoded"},
            )
            assert reply.status_code == 200, f"{reply.status_code} {reply.text}"
            assert reply.json().get("entry"), "somebody with a flag was not found"
            self.searches += 1
            fed = clients[family.practices[0]].ask("GET", "/fhir/R4/Flag/_history?_count=1")
            assert fed.status_code == 200, f"{fed.status_code} {fed.text}"
            self.polls += 1
            time.sleep(0.01)
        for client in clients.values():
            client.close()


@contextmanager
def under_load(town: Town) -> Iterator[tuple[Load, Callable[[], None]]]:
    """While posters, readers and newcomers are at work; a look says whether one of them failed."""
    load = Load(town, Posting(town))
    with ThreadPoolExecutor(_POSTERS + 2) as hands:
        running: list[Future[None]] = [
            hands.submit(load.posting.run, which) for which in range(_POSTERS)
        ]
        running += [hands.submit(load.meet), hands.submit(load.read)]

        def look() -> None:
            for one in running:
                if one.done():
                    one.result()

        try:
            yield load, look
        finally:
            load.posting.over.set()
    for one in running:
        one.result()


@dataclass
class Kills:
    """How many were killed in the midst of it, and how many rotations came to their end."""

    rotating: int = 0
    serving: int = 0
    ended: int = 0
    half_done: int = 0
    """Of those who rotated: they left rows of two keys behind them."""


def kill_while_keys_rotate(town: Town, *, kills: int, look: Callable[[], None]) -> Kills:
    """Four times in five whoever rotates; else a process that serves or delivers, meanwhile.

    It goes on for as long again and once more where too few were half done when they died.
    """
    chance = random.Random(20_260_404)
    done = Kills()
    for which in itertools.count():
        killed = done.rotating + done.serving
        if killed >= kills and (done.half_done > kills // 13 or killed >= 3 * kills):
            return done
        look()
        being = Being(ROTATE_PSEUDONYMS if which % 2 else ROTATE)
        town.revive(being)
        time.sleep(chance.uniform(0.05, 1.2) * slowness())
        if chance.random() < 0.2:
            victim = chance.choice(town.beings)
            town.kill(victim)
            town.revive(victim)
            done.serving += 1
        if town.nursery.kill(being.pid):
            done.rotating += 1
            done.half_done += town.installation.log.perform(Actor("test"), is_half_done)
        else:
            done.ended += 1
    raise AssertionError


def left_behind(work: Work) -> tuple[int, int]:
    """How many rows are still wrapped under an old key, and carry an old pseudonym."""
    work.record(Deed.STATUS_READ)
    wrapped, carried = wrapped_by(work), carried_by(work)
    old = [wrapped[key] for key in wrapped if key != work.vault.current_key_id()]
    older = [carried[version] for version in sorted(carried)[:-1]]
    return _rows(old), _rows(older)


def _rows(of: Iterable[dict[str, int]]) -> int:
    return sum(sum(by_table.values()) for by_table in of)


def is_half_done(work: Work) -> bool:
    """Are there rows of two keys, or looked for under two?"""
    work.record(Deed.STATUS_READ)
    return len(wrapped_by(work)) > 1 or len(carried_by(work)) > 1


def rotate_to_the_end(town: Town, words: tuple[str, ...]) -> None:
    """By a process of its own, which says at its end what it has done."""
    log = town.folder / "service.log"
    before = log.read_text().count(_said_by(words))
    being = Being(words)
    town.revive(being)
    until(
        lambda: log.read_text().count(_said_by(words)) > before,
        progress=lambda: town.installation.log.perform(Actor("test"), left_behind),
        what="it did not end: see service.log",
        every=0.5,
    )
    town.nursery.kill(being.pid)


def _said_by(words: tuple[str, ...]) -> str:
    return "rows given a pseudonym" if words == ROTATE_PSEUDONYMS else "data keys wrapped under"
