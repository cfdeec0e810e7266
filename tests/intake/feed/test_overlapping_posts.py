"""Many who post about the same people at one time: nobody waits in a circle, nobody is refused."""

import random
import secrets
import threading
from collections import Counter

import pytest
from sqlalchemy.exc import DBAPIError

from flagservice.audit import log
from flagservice.store.database import may_be_done_again
from tests.world import COUNCIL, World, a_submission, person

NUMBERS = ("9990001111", "9990002258", "9990002517", "9990002924", "9990100101", "9990100128")
ROLES = ("child", "sibling", "sibling")
WRITERS, POSTS = 8, 12


def test_posts_about_the_same_people_in_any_order_never_deadlock(
    postgresql_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, lost = postgresql_world, Counter[str]()
    world.log.new_id = lambda: secrets.token_hex(16)
    for number in NUMBERS:
        world.registered(number, "2015-12-06", "B83901")
    plain = may_be_done_again

    def counted(wrong: DBAPIError) -> bool:
        lost[str(getattr(wrong.orig, "sqlstate", ""))] += 1
        return plain(wrong)

    monkeypatch.setattr(log, "may_be_done_again", counted)
    # As many processes have it: more of them at once than one process lets through.
    world.database._places = threading.BoundedSemaphore(WRITERS)
    failed: list[BaseException] = []

    def write(writer: int) -> None:
        chance = random.Random(writer)
        try:
            for _ in range(POSTS):
                named = chance.sample(NUMBERS, 3)
                people = [
                    person(role, number, "2015-12-06", knows="knows")
                    for role, number in zip(ROLES, named, strict=True)
                ][: chance.choice((1, 2, 3))]
                # One child has one plan: no other child may take its place.
                reference = f"CPP-{NUMBERS.index(named[0])}"
                version = chance.randrange(1, 1000)
                world.posts(
                    COUNCIL, a_submission("child-protection", reference, *people, version=version)
                )
        except BaseException as wrong:  # noqa: BLE001, told below
            failed.append(wrong)

    threads = [threading.Thread(target=write, args=(one,)) for one in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [str(one) for one in failed if "another body" not in str(one)] == []
    assert lost["40P01"] == 0
