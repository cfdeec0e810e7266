"""The same submissions, ids, days, registrations and decisions give the same bytes (P10)."""

import random

from sqlmodel import col, select

from flagservice.audit.log import Actor, Deed, Work
from flagservice.store import tables
from tests.intake.families import made_up
from tests.intake.people import (
    CHILD,
    ELSEWHERE,
    NEW,
    a_born_plan,
    a_notification,
    a_plan,
    an_unborn_plan,
    child,
    father,
    given_the_family,
)
from tests.world import COUNCIL, POLICE, World

PRACTICES = [f"B839{place:02d}" for place in range(12)]


def given_all_that_happened(world: World) -> None:
    given_the_family(world)
    world.posts(COUNCIL, a_plan(child(identity="unconfirmed"), father()))
    world.posts(COUNCIL, an_unborn_plan())
    world.decides(COUNCIL)
    world.on("2022-01-20")
    world.posts(POLICE, a_notification())
    world.decides(ELSEWHERE)
    world.posts(COUNCIL, a_born_plan())
    world.registered(*CHILD, NEW)
    world.posts(COUNCIL, a_plan(version=2, end="2022-01-20"))
    chance = random.Random(3)
    for family in (made_up(chance, place, PRACTICES) for place in range(12)):
        for number, (practice, born) in family.at.items():
            world.registered(number, born, practice)
        world.posts(family.ods, family.body)


def everything_told(world: World) -> dict[str, bytes]:
    """Every version's bytes by its id, withdrawn ones as nothing; and every ruling's answer."""

    def deed(work: Work) -> dict[str, bytes]:
        work.record(Deed.STATUS_READ)
        found = {}
        for version in work.session.exec(select(tables.VersionRow)):
            copy = work.session.get_one(tables.CopyRow, version.copy_id)
            person = work.session.get_one(tables.PersonRow, copy.person_id)
            found[version.id] = (
                b"" if version.withdrawn else work.vault.open_row_under(person.data_key, version)
            )
        for row in work.session.exec(select(tables.RulingRow).order_by(col(tables.RulingRow.id))):
            said = (row.copy_id, row.day, row.policy_digest, row.placement, row.elements)
            found[row.id] = repr(said).encode()
        return found

    return world.log.perform(Actor("test"), deed)


def test_a_replay_reproduces_every_ruling_and_every_flag_bit_for_bit(any_world: World) -> None:
    given_all_that_happened(any_world)
    replayed = World("sqlite://")
    given_all_that_happened(replayed)
    told = everything_told(any_world)
    assert everything_told(replayed) == told
    assert sum(value.startswith(b"{") for value in told.values()) > 40
    replayed.close()


def test_a_replay_with_other_ids_tells_every_record_the_same(world: World) -> None:
    given_all_that_happened(world)
    other = World("sqlite://", seed=2)
    given_all_that_happened(other)
    for practice in [*PRACTICES, "B83901", ELSEWHERE, NEW]:
        assert _contents(other, practice) == _contents(world, practice)
    other.close()


def _contents(world: World, practice: str) -> list[str]:
    own = ("id", "identifier", "meta")
    return sorted(
        repr({name: value for name, value in found.items() if name not in own})
        for found in world.held_at(practice)
    )
