"""What may no longer be told is gone with its bytes; what may be told besides is only added."""

from sqlmodel import col

from flagservice.store import tables
from tests.intake.people import (
    CHILD,
    ELSEWHERE,
    FATHER,
    HOME,
    MOTHER,
    a_notification,
    a_plan,
    child,
    father,
    given_the_family,
    mother,
    rows,
    versions,
)
from tests.world import COUNCIL, POLICE, World


def test_narrowing_withdraws_the_earlier_versions_and_their_bytes_are_gone(
    any_world: World,
) -> None:
    given_the_family(any_world)
    any_world.posts(COUNCIL, a_plan())
    (flag,) = any_world.held_at(ELSEWHERE)
    any_world.posts(POLICE, a_notification())
    first, second = versions(any_world, flag["id"])
    assert first.withdrawn
    assert first.sealed == b""
    assert not second.withdrawn
    assert second.sealed
    assert (first.feed_number, second.feed_number) == (1, 2)


def test_narrowing_withdraws_every_version_that_was_there(any_world: World) -> None:
    given_the_family(any_world)
    any_world.posts(COUNCIL, a_plan(child(), father(knows="unknown")))
    (flag,) = any_world.held_at(ELSEWHERE)
    any_world.posts(COUNCIL, a_plan(child(), father(knows="knows"), version=2))
    any_world.posts(POLICE, a_notification())
    found = versions(any_world, flag["id"])
    assert [version.withdrawn for version in found] == [True, True, False]
    assert [bool(version.sealed) for version in found] == [False, False, True]


def test_widening_withdraws_nothing(world: World) -> None:
    given_the_family(world)
    world.posts(COUNCIL, a_plan(child(), father(knows="unknown")))
    (flag,) = world.held_at(ELSEWHERE)
    world.posts(COUNCIL, a_plan(child(), father(knows="knows"), version=2))
    first, second = versions(world, flag["id"])
    assert not first.withdrawn
    assert first.sealed
    assert not second.withdrawn


def test_an_end_withdraws_what_its_history_no_longer_says(world: World) -> None:
    given_the_family(world)
    world.posts(COUNCIL, a_plan())
    (flag,) = world.held_at(HOME, CHILD[0])
    world.posts(COUNCIL, a_plan(version=2, end="2022-01-04"))
    assert [version.withdrawn for version in versions(world, flag["id"])] == [True, False]


def test_taking_back_withdraws_all_but_the_removal_and_that_says_nothing(world: World) -> None:
    given_the_family(world)
    world.posts(COUNCIL, a_plan(child(), father(knows="unknown")))
    (flag,) = world.held_at(ELSEWHERE)
    ended = father(knows="unknown", ended="2022-01-04")
    world.posts(COUNCIL, a_plan(child(), ended, version=2))
    assert world.held_at(ELSEWHERE) == []
    assert [version.withdrawn for version in versions(world, flag["id"])] == [True, False]
    (removal,) = world._newest(ELSEWHERE, removed=True)
    assert removal["status"] == "inactive"
    assert removal["code"]["coding"][0]["code"] == "U"
    assert set(removal) == {
        "resourceType",
        "id",
        "meta",
        "identifier",
        "status",
        "category",
        "code",
        "subject",
    }
    assert [label["code"] for label in removal["meta"]["security"]] == [
        "NOPAT",
        "R",
        "PERSISTLABEL",
    ]


def test_a_version_that_tells_a_record_nothing_new_issues_nothing(world: World) -> None:
    given_the_family(world)
    world.posts(COUNCIL, a_plan())
    before = _versions_held(world)
    world.posts(COUNCIL, a_plan(version=2, review_due="2022-06-01"))
    after = _versions_held(world)
    assert {who for who in after if after[who] != before[who]} == {CHILD[0]}


def _versions_held(world: World) -> dict[str, str]:
    return {
        who[0]: found["meta"]["versionId"]
        for who in (CHILD, MOTHER, FATHER)
        for practice in (HOME, ELSEWHERE)
        for found in world.held_at(practice, who[0])
    }


def test_what_was_owed_of_a_copy_is_superseded_by_its_newer_version(world: World) -> None:
    given_the_family(world)
    world.posts(COUNCIL, a_plan(child()))
    world.posts(COUNCIL, a_plan(child(), version=2, categories=["neglect"]))
    states = [row.state for row in rows(world, of=tables.DeliveryRow)]
    assert sorted(states) == ["open", "superseded"]


def test_a_copys_own_days_follow_the_row_that_now_places_it(world: World) -> None:
    """A victim's marker stays what it is when she is accused, too; the accusation's own expires."""
    given_the_family(world)
    alleged = father(standing="alleged-perpetrator")
    victim = mother(standing="victim")
    both = mother(standing="both")
    world.posts(POLICE, a_notification(alleged, victim))
    (as_victim,) = rows(world, col(tables.CopyRow.practice) == HOME, of=tables.CopyRow)
    assert as_victim.expires is None
    world.posts(POLICE, a_notification(alleged, both, version=2))
    world.decides(HOME)
    copies = rows(world, col(tables.CopyRow.practice) == HOME, of=tables.CopyRow)
    (accusation,) = [copy for copy in copies if copy.id != as_victim.id]
    assert (str(accusation.review), str(accusation.expires)) == ("2022-04-04", "2023-01-04")
    (marker,) = [copy for copy in copies if copy.id == as_victim.id]
    assert (marker.says, marker.expires) == (("concern", "duty-desk"), None)
