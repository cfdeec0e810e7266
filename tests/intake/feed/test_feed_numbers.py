"""A practice that reads its feed from 0 sees every number once, in order, without a gap (P5)."""

import itertools
import json
import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from flagservice.audit.log import Actor
from flagservice.delivery.pull import feed as pull_feed
from flagservice.domain.copies import Form
from flagservice.fhir.bundles import IssuedVersion
from flagservice.store import tables
from tests.intake.families import NHS_NUMBERS
from tests.intake.people import (
    ELSEWHERE,
    HOME,
    NEW,
    a_notification,
    a_plan,
    child,
    father,
    given_the_family,
    mother,
    rows,
)
from tests.world import COUNCIL, POLICE, World, a_submission, person

AT = (HOME, ELSEWHERE, NEW)


def feed(world: World, practice: str, form: Form = Form.FLAG) -> list[IssuedVersion]:
    actor = Actor("gp", practice)
    return world.log.perform(actor, lambda work: pull_feed.feed(work, form=form, limit=1000)).found


def then_every_feed_is_whole(world: World) -> None:
    issued = rows(world, of=tables.VersionRow)
    for practice, form in itertools.product(AT, Form):
        in_order = sorted(
            (one for one in issued if (one.practice, one.form) == (practice, form)),
            key=lambda version: int(version.feed_number),
        )
        numbers = [version.feed_number for version in in_order]
        assert numbers == list(range(1, len(numbers) + 1))
        instants = [version.issued for version in in_order]
        assert instants == sorted(set(instants))
    for practice in AT:
        instants = [version.issued for version in issued if version.practice == practice]
        assert len(instants) == len(set(instants))


def test_numbers_are_contiguous_whatever_happens(world: World) -> None:
    chance = random.Random(7)
    world.admitted(*AT)
    given_the_family(world)
    for version in range(1, 25):
        world.posts(COUNCIL, _any_plan(chance, version))
        if version % 5 == 0:
            world.registered(*("9990001111", "2021-12-06"), chance.choice(AT))
        if version % 8 == 0:
            world.posts(POLICE, a_notification(version=version, end="2022-01-04"))
    then_every_feed_is_whole(world)
    for practice in AT:
        numbers = [entry.feed_number for entry in feed(world, practice)]
        assert numbers == list(range(1, len(numbers) + 1))


def _any_plan(chance: random.Random, version: int) -> dict[str, Any]:
    people = [child()]
    people += chance.sample([mother(), father()], chance.randint(0, 2))
    category = chance.choice(["physical", "neglect", "emotional"])
    ended = {"end": "2022-01-04"} if chance.random() < 0.2 else {}
    return a_plan(*people, version=version, categories=[category], **ended)


def test_a_number_whose_words_were_withdrawn_carries_the_newest_version(world: World) -> None:
    world.admitted(ELSEWHERE)
    given_the_family(world)
    world.posts(COUNCIL, a_plan(child(), father()))
    world.posts(POLICE, a_notification())
    first, second = feed(world, ELSEWHERE)
    (now,) = world.held_at(ELSEWHERE)
    assert (first.feed_number, second.feed_number) == (1, 2)
    assert json.loads(first.content) == json.loads(second.content) == now


@pytest.mark.parametrize("hands", [4])
def test_numbers_are_contiguous_when_many_post_at_once(any_world: World, hands: int) -> None:
    for place in range(24):
        any_world.registered(NHS_NUMBERS[place], "2020-01-01", AT[place % 3])

    def post(place: int) -> None:
        people = [
            person("child" if n == 0 else "sibling", NHS_NUMBERS[(place + n) % 24], "2020-01-01")
            for n in range(3)
        ]
        any_world.posts(COUNCIL, a_submission("child-protection", f"P-{place}", *people))

    with ThreadPoolExecutor(hands) as pool:
        list(pool.map(post, range(24)))
    # Each is a child once, and a sibling of two, which is one flag.
    assert len(rows(any_world, of=tables.VersionRow)) == 48
    then_every_feed_is_whole(any_world)
