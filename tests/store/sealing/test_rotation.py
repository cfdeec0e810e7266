"""A rotation that is cut short anywhere goes on where it was; meanwhile everything opens."""

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count, permutations
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlmodel import col, select

from flagservice.app.build import Installation, build
from flagservice.app.keys import backlog
from flagservice.app.keys.keyset import add_key_encryption_key, add_pseudonym_key, make_keys
from flagservice.app.keys.providers import KEY_ENCRYPTION_FILE, PSEUDONYM_FILE
from flagservice.app.keys.pseudonyms import carried_by, drop_pseudonyms, rotate_pseudonyms
from flagservice.app.keys.rotation import drop_data_key_wrapping, rotate_data_keys, wrapped_by
from flagservice.audit.log import Actor, Deed, Work
from flagservice.domain.errors import Conflict, NotFound
from flagservice.people import persons
from flagservice.settings import Settings
from flagservice.store import tables
from flagservice.store.sealing import pseudonyms
from flagservice.store.sealing.ciphers import CannotOpen, UnknownKey
from tests import opened
from tests.intake.feed.test_one_commit import Broken, breaking
from tests.patience import enough
from tests.sizes import sizes

ACTOR = Actor("test")
NUMBER, OTHER = "9990001111", "9990002223"


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    embedded = database_url.startswith("sqlite")
    one = Settings(data=tmp_path, database_url="" if embedded else database_url)
    make_keys(one.keys_folder, one.origin)
    return one


@pytest.fixture
def installation(settings: Settings) -> Iterator[Installation]:
    one = build(settings)
    yield one
    one.database.close()


def given_people(installation: Installation, *numbers: str) -> list[str]:
    """Their ids."""

    def deed(work: Work) -> list[str]:
        work.record(Deed.REGISTER_LOADED)
        return sorted(row.id for row in persons.lock(work, numbers).values())

    return installation.log.perform(ACTOR, deed)


def known(installation: Installation, number: str) -> str | None:
    def deed(work: Work) -> str | None:
        work.record(Deed.STATUS_READ)
        names = work.vault.pseudonyms(number, purpose="person")
        asked = select(col(tables.PersonRow.id)).where(col(tables.PersonRow.pseudonym).in_(names))
        return work.session.exec(asked).first()

    return installation.log.perform(ACTOR, deed)


def state(installation: Installation) -> tuple[set[str], set[int], list[str]]:
    """Which keys wrap, which versions are carried, and what does not open."""

    def deed(work: Work) -> tuple[set[str], set[int], list[str]]:
        work.record(Deed.STATUS_READ)
        carried = {version for version, rows in carried_by(work).items() if sum(rows.values())}
        return set(wrapped_by(work)), carried, opened.unreadable(work)

    return installation.log.perform(ACTOR, deed)


def names(settings: Settings) -> tuple[list[str], list[int]]:
    """The keys that the files hold."""
    kek = json.loads((settings.keys_folder / KEY_ENCRYPTION_FILE).read_text())
    keyed = json.loads((settings.keys_folder / PSEUDONYM_FILE).read_text())
    return sorted(kek["keys"]), sorted(map(int, keyed))


@sizes("every", short=4, long=1)
@pytest.mark.parametrize("rotate", [rotate_data_keys, rotate_pseudonyms])
def test_a_rotation_that_fails_at_any_statement_is_ended_by_the_next(
    installation: Installation,
    monkeypatch: pytest.MonkeyPatch,
    rotate: Callable[[Installation], int],
    every: int,
) -> None:
    monkeypatch.setattr(backlog, "BATCH", 2)
    ids = given_people(installation, NUMBER, OTHER, "9990003335")
    faults = 0
    for which in count(1, every):
        try:
            with breaking(installation.database.engine, which, dict):
                rotate(installation)
        except Broken:
            faults += 1
        else:
            break
        assert state(installation)[2] == []
        assert known(installation, OTHER) in ids
        assert given_people(installation, NUMBER, OTHER, "9990003335") == ids
        rotate(installation)
        keys, versions, unreadable = state(installation)
        assert (len(keys), len(versions), unreadable) == (1, 1, [])
    assert faults > 20 / every


def test_what_was_cut_short_is_ended_with_the_key_that_it_began_with(
    installation: Installation, settings: Settings
) -> None:
    given_people(installation, NUMBER)
    add_key_encryption_key(settings.keys_folder)
    add_pseudonym_key(settings.keys_folder)
    assert rotate_data_keys(installation) > 0
    assert rotate_pseudonyms(installation) > 0
    assert names(settings) == (["k1", "k2"], [1, 2])
    assert state(installation) == ({"k2"}, {2}, [])


def test_an_old_key_is_dropped_once_no_row_needs_it_and_no_sooner(
    installation: Installation, settings: Settings
) -> None:
    (person,) = given_people(installation, NUMBER)
    for refused in (
        lambda: drop_data_key_wrapping(installation, "k1"),
        lambda: drop_pseudonyms(installation, 1),
    ):
        with pytest.raises(Conflict, match="rotate first"):
            refused()
    add_key_encryption_key(settings.keys_folder)
    add_pseudonym_key(settings.keys_folder)
    for refused in (
        lambda: drop_data_key_wrapping(installation, "k1"),
        lambda: drop_pseudonyms(installation, 1),
    ):
        with pytest.raises(Conflict, match="rotate first"):
            refused()
    rotate_data_keys(installation)
    rotate_pseudonyms(installation)
    drop_data_key_wrapping(installation, "k1")
    drop_pseudonyms(installation, 1)
    assert names(settings) == (["k2"], [2])
    again = build(settings)
    assert state(again) == ({"k2"}, {2}, [])
    assert known(again, NUMBER) == person
    again.database.close()
    with pytest.raises(NotFound):
        drop_data_key_wrapping(installation, "k1")
    with pytest.raises(NotFound):
        drop_pseudonyms(installation, 1)


def test_a_process_that_has_not_got_the_new_pseudonym_key_refuses_and_makes_nobody(
    installation: Installation, settings: Settings
) -> None:
    """It would find nobody under the key that it has, and make everybody anew."""
    given_people(installation, NUMBER)
    kept = (settings.keys_folder / PSEUDONYM_FILE).read_text()
    behind = build(settings.model_copy(update={"pseudonym_keys": SecretStr(kept)}))
    rotate_pseudonyms(installation)
    for asked in (known, given_people):
        with pytest.raises(UnknownKey, match="version 2"):
            asked(behind, NUMBER)
    behind.database.close()


def test_pseudonym_keys_of_the_environment_rotate_without_a_file(
    installation: Installation, settings: Settings
) -> None:
    (person,) = given_people(installation, NUMBER)
    add_pseudonym_key(settings.keys_folder)
    path = settings.keys_folder / PSEUDONYM_FILE
    given = settings.model_copy(update={"pseudonym_keys": SecretStr(path.read_text())})
    path.unlink()
    rotated = build(given)
    assert rotate_pseudonyms(rotated) == 1
    assert rotate_pseudonyms(rotated) == 0
    assert state(rotated) == ({"k1"}, {2}, [])
    assert known(rotated, NUMBER) == person
    with pytest.raises(Conflict, match="environment"):
        drop_pseudonyms(rotated, 1)
    rotated.database.close()


def test_whoever_began_before_a_rotation_is_outlasted_by_it(installation: Installation) -> None:
    """Its data key is wrapped under the old key, where nobody else can see it yet."""
    wrapped, go_on = threading.Event(), threading.Event()

    def slow(work: Work) -> None:
        persons.lock(work, [OTHER])
        work.record(Deed.REGISTER_LOADED)
        wrapped.set()
        assert go_on.wait(enough())

    with ThreadPoolExecutor(2) as hands:
        writer = hands.submit(installation.log.perform, ACTOR, slow)
        assert wrapped.wait(enough())
        rotation = hands.submit(rotate_data_keys, installation)
        with pytest.raises(TimeoutError):
            rotation.result(timeout=0.5)
        go_on.set()
        writer.result()
        rotation.result()
    assert state(installation)[0] == {"k2"}


def test_nobody_is_made_under_an_old_key_once_rows_may_carry_a_new_one(
    installation: Installation, settings: Settings
) -> None:
    """One makes a person under the first key, and does not end; another makes the same one."""
    made, go_on = threading.Event(), threading.Event()
    add_pseudonym_key(settings.keys_folder)

    def slow(work: Work) -> None:
        persons.lock(work, [OTHER])
        work.record(Deed.REGISTER_LOADED)
        made.set()
        assert go_on.wait(enough())

    with ThreadPoolExecutor(3) as hands:
        first = hands.submit(installation.log.perform, ACTOR, slow)
        assert made.wait(enough())
        rotation = hands.submit(rotate_pseudonyms, installation)
        with pytest.raises(TimeoutError):
            rotation.result(timeout=0.5)
        second = hands.submit(given_people, installation, OTHER)
        go_on.set()
        first.result()
        (person,) = second.result()
        rotation.result()

    def everybody(work: Work) -> list[str]:
        work.record(Deed.STATUS_READ)
        return [row.id for row in work.session.exec(select(tables.PersonRow)).all()]

    assert installation.log.perform(ACTOR, everybody) == [person]


def test_two_who_add_a_key_at_once_lose_none(settings: Settings) -> None:
    together = threading.Barrier(8)

    def adds(_: int) -> tuple[str, int]:
        together.wait(timeout=enough())
        folder = settings.keys_folder
        return add_key_encryption_key(folder), add_pseudonym_key(folder)

    with ThreadPoolExecutor(8) as hands:
        added = list(hands.map(adds, range(8)))
    assert {one for one, _ in added} == {f"k{n}" for n in range(2, 10)}
    assert names(settings) == (sorted(f"k{n}" for n in range(1, 10)), list(range(1, 10)))


def test_a_data_key_in_another_row_opens_nothing_there(installation: Installation) -> None:
    """Whoever can write to the database moves keys, or keys and bodies, between rows and tables."""
    given_people(installation, NUMBER, OTHER)

    def deed(work: Work) -> int:
        work.record(Deed.STATUS_READ)
        found = list(opened.bodies(work))
        for body, other in permutations(found, 2):
            moved = replace(body, sealed=other.sealed)
            ours, others = body.owner.data_key, other.owner.data_key
            for there, key in ((moved, ours), (moved, others), (body, others)):
                if key != ours or there is moved:
                    with pytest.raises(CannotOpen):
                        there.opened(work, key)
        return len(found)

    assert installation.log.perform(ACTOR, deed) > 4


def test_nothing_is_looked_for_under_a_version_that_no_row_carries(
    installation: Installation,
) -> None:
    def live(work: Work) -> tuple[int, ...]:
        work.record(Deed.STATUS_READ)
        return pseudonyms.live(work.session)

    assert installation.log.perform(ACTOR, live) == (1,)
    rotate_pseudonyms(installation)
    assert installation.log.perform(ACTOR, live) == (2,)
    rows = select(tables.PersonRow).where(col(tables.PersonRow.pseudonym).startswith("1:"))
    assert installation.log.is_waiting(ACTOR, lambda work: work.session.exec(rows).first() is None)


def test_two_who_rotate_at_once_both_end_and_lose_nobody(
    installation: Installation, settings: Settings
) -> None:
    ids = given_people(installation, NUMBER, OTHER)
    together = threading.Barrier(4)

    def rotates(which: int) -> int:
        together.wait(timeout=enough())
        return (rotate_pseudonyms, rotate_data_keys)[which % 2](installation)

    with ThreadPoolExecutor(4) as hands:
        list(hands.map(rotates, range(4)))
    keys, versions, unreadable = state(installation)
    assert (len(keys), len(versions), unreadable) == (1, 1, [])
    assert given_people(installation, NUMBER, OTHER) == ids
