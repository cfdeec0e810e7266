"""Sixteen writers at once, and readers that poll meanwhile: what a naive cursor misses, ours has.

A sequence or a clock is drawn when a row is written, and rows become visible when they commit: a
reader that has seen 7 asks for what is after 7, and a 6 that commits later is never read.
"""

import json
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import text

from flagservice.audit.log import Actor, Work
from flagservice.delivery.pull import feed
from flagservice.domain.copies import Form
from flagservice.domain.days.london import day_of
from flagservice.domain.reading import read_submission
from flagservice.intake.submission import submit
from tests.intake.families import NHS_NUMBERS
from tests.intake.people import HOME
from tests.patience import enough
from tests.world import COUNCIL, MODELS, World, a_submission, person

WRITERS, EACH = 16, 10
SEQUENCE = "SELECT id, plan FROM naive WHERE id > :last ORDER BY id LIMIT 1000"
CLOCK = "SELECT at, plan FROM naive WHERE at > :last ORDER BY at LIMIT 1000"


def given_a_naive_table(world: World) -> None:
    """As a feed is often built: a sequence, and the instant at which a row is written."""
    with world.database.engine.begin() as connection:
        connection.execute(
            text(
                "CREATE TABLE naive (id BIGSERIAL PRIMARY KEY, plan TEXT NOT NULL,"
                " at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp())"
            )
        )


def when_posted(world: World, place: int) -> None:
    """A real submission, and in its transaction a row of the naive table."""
    child = person("child", NHS_NUMBERS[place], "2020-01-01")
    body = a_submission("child-protection", f"P-{place}", child)
    submission = read_submission(MODELS[body["kind"]], _raw(body), today=day_of(world.now))

    def deed(work: Work) -> None:
        work.session.connection().execute(
            text("INSERT INTO naive (plan) VALUES (:plan)"), {"plan": body["reference"]}
        )
        submit(work, submission, rulebook=world.rulebook)

    world.log.perform(Actor("client", COUNCIL), deed)


def _raw(body: dict[str, Any]) -> bytes:
    return json.dumps(body).encode()


class Naive:
    """A reader that keeps the highest that it has seen."""

    def __init__(self, world: World, query: str, start: object) -> None:
        self.seen: set[str] = set()
        self._engine, self._query, self._last = world.database.engine, text(query), start

    def polls(self) -> None:
        with self._engine.connect() as connection:
            for last, plan in connection.execute(self._query, {"last": self._last}):
                self.seen.add(plan)
                self._last = last


class Ours:
    """A practice that follows its feed."""

    def __init__(self, world: World) -> None:
        self.numbers: list[int] = []
        self._world, self._after = world, 0

    def polls(self) -> None:
        page = self._world.log.perform(
            Actor("gp", HOME),
            lambda work: feed.feed(work, form=Form.FLAG, after=self._after, limit=1000),
        )
        self._after = page.last
        self.numbers += [entry.feed_number for entry in page.found]


def until(over: threading.Event, polls: Callable[[], None]) -> None:
    while not over.is_set():
        polls()
    polls()


def test_a_naive_cursor_misses_entries_and_ours_none(
    migrated_postgresql_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    worlds = [World(migrated_postgresql_url, seed=seed) for seed in (1, 2, 3)]
    reading = worlds[2]
    given_a_naive_table(reading)
    reading.admitted(HOME)
    for number in NHS_NUMBERS[: WRITERS * EACH]:
        reading.registered(number, "2020-01-01", HOME)
    ours = Ours(reading)
    naive = [Naive(reading, SEQUENCE, 0), Naive(reading, CLOCK, "2000-01-01")]
    everybody: list[Naive | Ours] = [*naive, ours]
    over, together = threading.Event(), threading.Barrier(WRITERS)

    def writes(hand: int) -> None:
        together.wait(timeout=enough())
        for turn in range(EACH):
            when_posted(worlds[hand % 2], hand * EACH + turn)

    with ThreadPoolExecutor(WRITERS + 3) as hands:
        readers = [hands.submit(until, over, reader.polls) for reader in everybody]
        writers = [hands.submit(writes, hand) for hand in range(WRITERS)]
        for writer in writers:
            writer.result()
        over.set()
        for reader in readers:
            reader.result()
    for world in worlds:
        world.close()
    missed = [WRITERS * EACH - len(reader.seen) for reader in naive]
    ours_missed = WRITERS * EACH - len(set(ours.numbers))
    with capsys.disabled():
        sys.stdout.write(
            f"\nof {WRITERS * EACH} entries by {WRITERS} writers a naive cursor missed"
            f" {missed[0]} by sequence, {missed[1]} by clock; ours {ours_missed}\n"
        )
    assert ours.numbers == list(range(1, WRITERS * EACH + 1))
    assert min(missed) > 0
