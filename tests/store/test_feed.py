"""Numbers of a feed: contiguous, gap-free and in commit order, whoever writes and rolls back."""

import itertools
import random
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from flagservice.domain.copies import Form
from flagservice.domain.elements import Kind
from flagservice.store import feed, tables
from flagservice.store.database import Database
from tests.patience import enough

WRITERS, EACH = 8, 25
PRACTICES = ("B83901", "B83902", "B83903")
NOW = datetime(2022, 3, 27, 0, 59, 59, 999_000, tzinfo=UTC)
HOUR, MILLISECOND = timedelta(hours=1), timedelta(milliseconds=1)


class Gone(Exception):
    """A unit of work that fails after it took its numbers."""


@pytest.fixture
def database(database_url: str) -> Database:
    """With a feed of each practice, so that nothing but the lock keeps two writers apart."""
    one = Database(database_url)
    one.upgrade()
    when_taken(one, list(PRACTICES))
    return one


def when_taken(database: Database, practices: list[str], *, now: datetime = NOW) -> list[int]:
    """A number of each practice's feed."""
    with database.transaction() as session:
        counters = feed.lock(session, practices)
        taken = [feed.take(counter, Form.FLAG, now=now).number for counter in counters.values()]
        _write(session, zip(counters, taken, strict=True))
    return taken


def _write(session: Session, taken: Iterable[tuple[str, int]]) -> None:
    """Into a table that any text fits."""
    for practice, number in taken:
        row = tables.PolicyTextRow(
            digest=f"{practice}/{number}", kind=Kind.MARAC, version=number, text=""
        )
        session.add(row)


def the_numbers(database: Database, practice: str) -> list[int]:
    asked = select(col(tables.PolicyTextRow.version)).where(
        col(tables.PolicyTextRow.digest).startswith(f"{practice}/")
    )
    with database.transaction() as session:
        return sorted(session.exec(asked).all())


def test_concurrent_writers_with_rollbacks_among_them_leave_no_gap(database: Database) -> None:
    together = threading.Barrier(WRITERS)

    def writes(seed: int) -> None:
        chance = random.Random(seed)
        together.wait(timeout=enough())
        for _ in range(EACH):
            practices = chance.sample(PRACTICES, chance.randint(1, len(PRACTICES)))
            if chance.random() < 0.3:
                when_it_fails(database, practices)
            when_taken(database, practices)

    with ThreadPoolExecutor(WRITERS) as hands:
        list(hands.map(writes, range(WRITERS)))
    for practice in PRACTICES:
        numbers = the_numbers(database, practice)
        assert numbers == list(range(1, len(numbers) + 1))
        assert len(numbers) >= EACH
    database.close()


def when_it_fails(database: Database, practices: list[str]) -> None:
    with suppress(Gone), database.transaction() as session:
        for counter in feed.lock(session, practices).values():
            feed.take(counter, Form.FLAG, now=NOW)
        session.flush()
        raise Gone


def test_a_reader_never_sees_a_number_before_the_numbers_below_it(database: Database) -> None:
    over = threading.Event()
    seen: list[list[int]] = []

    def reads() -> None:
        while not over.is_set():
            seen.append(the_numbers(database, PRACTICES[0]))

    with ThreadPoolExecutor(WRITERS + 1) as hands:
        reader = hands.submit(reads)
        writers = [hands.submit(writes_many, database) for _ in range(WRITERS)]
        for writer in writers:
            writer.result()
        over.set()
        reader.result()
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in seen)
    assert len(the_numbers(database, PRACTICES[0])) == WRITERS * 10 + 1
    database.close()


def writes_many(database: Database) -> None:
    for _ in range(10):
        when_taken(database, [PRACTICES[0]])


def test_two_that_start_a_feed_at_once_both_get_a_number(database: Database) -> None:
    together = threading.Barrier(WRITERS)

    def starts(_: int) -> int:
        together.wait(timeout=enough())
        while True:
            with suppress(IntegrityError):  # the loser of the first row does its work again
                return when_taken(database, ["NEW"])[0]

    with ThreadPoolExecutor(WRITERS) as hands:
        assert sorted(hands.map(starts, range(WRITERS))) == list(range(1, WRITERS + 1))
    database.close()


def test_whoever_locks_feeds_in_another_order_never_deadlocks(database: Database) -> None:
    orders = [list(order) for order in itertools.permutations(PRACTICES)]
    with ThreadPoolExecutor(len(orders)) as hands:
        taken = list(hands.map(lambda order: when_taken(database, order), orders * 5))
    assert len(taken) == len(orders) * 5
    assert the_numbers(database, PRACTICES[0]) == list(range(1, len(taken) + 2))
    database.close()


def a_counter() -> tables.FeedCounterRow:
    return tables.FeedCounterRow(practice="P", issued=datetime(1970, 1, 1, tzinfo=UTC))


@given(st.lists(st.timedeltas(-timedelta(days=400), timedelta(days=400)), max_size=40))
def test_instants_are_strictly_increasing_whatever_the_clock_does(jumps: list[timedelta]) -> None:
    counter = a_counter()
    taken = [feed.take(counter, Form.FLAG, now=NOW + jump) for jump in jumps]
    instants = [place.issued for place in taken]
    assert all(earlier < later for earlier, later in itertools.pairwise(instants))
    assert [place.number for place in taken] == list(range(1, len(jumps) + 1))


def test_instants_on_the_database_go_on_when_the_clock_goes_back(database: Database) -> None:
    instants = []
    for now in (NOW, NOW - HOUR, NOW - timedelta(days=30), NOW + HOUR, NOW):
        with database.transaction() as session:
            counter = feed.lock(session, ["P"])["P"]
            instants.append(feed.take(counter, Form.FLAG, now=now).issued)
            session.add(counter)
    hour = NOW.replace(minute=0, second=0, microsecond=0)
    assert instants == [
        hour,
        hour + MILLISECOND,
        hour + 2 * MILLISECOND,
        hour + HOUR,
        hour + HOUR + MILLISECOND,
    ]
    database.close()


def test_an_instant_says_the_hour_and_how_many_there_were_in_it_and_no_more() -> None:
    counter = a_counter()
    late = NOW.replace(microsecond=123_456)
    taken = [feed.take(counter, Form.FLAG, now=late).issued for _ in range(3)]
    assert [instant.isoformat() for instant in taken] == [
        "2022-03-27T00:00:00+00:00",
        "2022-03-27T00:00:00.001000+00:00",
        "2022-03-27T00:00:00.002000+00:00",
    ]


@given(st.lists(st.sampled_from(Form), max_size=30))
def test_each_form_has_numbers_of_its_own_and_all_have_one_order(forms: list[str]) -> None:
    counter = a_counter()
    taken = [(form, feed.take(counter, form, now=NOW)) for form in forms]
    assert [place.order for _, place in taken] == list(range(1, len(forms) + 1))
    for form in Form:
        numbers = [place.number for of, place in taken if of == form]
        assert numbers == list(range(1, len(numbers) + 1))
        assert feed.last_number(counter, form) == len(numbers)
