"""Why every word went where it did: rules and versions for any flag and element, never a value."""

from datetime import date

import pytest

from flagservice.audit.log import Actor
from flagservice.domain.elements import Element
from flagservice.domain.errors import NotFound
from flagservice.intake.ruling.explanation import Explanation, RulingFilter, explain, rulings
from tests.intake.people import (
    CHILD,
    ELSEWHERE,
    FATHER,
    HOME,
    MOTHER,
    NEW,
    UNBORN_NEED,
    a_born_plan,
    a_notification,
    a_plan,
    an_unborn_plan,
    given_the_family,
    mother,
)
from tests.world import COUNCIL, POLICE, World

OFFICER = Actor("governance", "X26")


def why_of(world: World, flag_id: str) -> Explanation:
    return world.log.perform(OFFICER, lambda work: explain(work, flag_id))


def listed(world: World, **wanted: object) -> list[Explanation]:
    return world.log.perform(OFFICER, lambda work: rulings(work, RulingFilter(**wanted)))


def test_every_flag_has_the_ruling_of_its_own_record(world: World) -> None:
    given_the_family(world)
    world.posts(COUNCIL, a_plan())
    placements = {
        who[0]: why_of(world, flag["id"]).placement
        for who in (CHILD, MOTHER, FATHER)
        for practice in (HOME, ELSEWHERE)
        for flag in world.held_at(practice, who[0])
    }
    assert placements == {CHILD[0]: "CP-P01", MOTHER[0]: "CP-P05", FATHER[0]: "CP-P09"}


def test_it_says_for_each_element_what_was_ruled_and_by_which_rules(world: World) -> None:
    given_the_family(world)
    world.posts(COUNCIL, a_plan())
    (flag,) = world.held_at(ELSEWHERE)
    found = why_of(world, flag["id"])
    assert (found.kind, found.action, found.policy_version) == ("child-protection", "place", 1)
    assert found.policy_digest == world.rulebook.policies[found.kind].digest
    assert [one.element for one in found.elements] == list(Element)
    by_element = {one.element: (one.action, one.rules) for one in found.elements}
    assert by_element[Element.CONCERN] == ("disclose", ("CP-D04",))
    assert by_element[Element.PLAN_CATEGORY] == ("redact", ("CP-R02",))
    assert by_element[Element.EXPIRES] == ("redact", ("CP-D90",))


def test_the_newest_ruling_is_the_one_that_is_told(world: World) -> None:
    given_the_family(world)
    world.posts(COUNCIL, a_plan())
    (flag,) = world.held_at(ELSEWHERE)
    world.on("2022-01-05")
    world.posts(POLICE, a_notification())
    assert why_of(world, flag["id"]).placement == "CP-P10"


def test_a_ruling_is_never_put_to_another_members_flag(world: World) -> None:
    """Nothing new is told to the father: his ruling is about his flag all the same."""
    given_the_family(world)
    world.posts(COUNCIL, a_plan())
    world.posts(COUNCIL, a_plan(version=2, categories=["neglect"]))
    by_flag: dict[str | None, set[str]] = {}
    for ruling in listed(world):
        by_flag.setdefault(ruling.flag, set()).add(ruling.placement)
    assert sorted(map(sorted, by_flag.values())) == [["CP-P01"], ["CP-P05"], ["CP-P09"]]


def test_after_a_move_the_new_copy_and_the_old_each_have_their_ruling(world: World) -> None:
    given_the_family(world)
    world.posts(COUNCIL, a_plan())
    (old,) = world.held_at(HOME, CHILD[0])
    world.registered(*CHILD, NEW)
    (new,) = world.held_at(NEW, CHILD[0])
    assert why_of(world, new["id"]).flag == new["id"]
    assert why_of(world, old["id"]).flag == old["id"]


def test_what_was_taken_back_says_by_which_row(world: World) -> None:
    given_the_family(world)
    world.posts(POLICE, a_notification(mother(standing="victim"), *_alleged()))
    (flag,) = world.held_at(HOME)
    world.on("2022-01-05")
    world.posts(POLICE, a_notification(mother(standing="alleged-perpetrator"), version=2))
    found = why_of(world, flag["id"])
    assert (found.action, found.placement) == ("withhold", "withdrawn: not-upheld")


def _alleged() -> list[dict[str, object]]:
    return a_notification()["people"]


def test_the_history_of_an_unborn_child_has_a_ruling_of_its_own_kind(world: World) -> None:
    given_the_family(world)
    world.posts(COUNCIL, an_unborn_plan())
    world.on("2022-01-05")
    world.posts(COUNCIL, a_born_plan())
    by_status = {flag["status"]: flag for flag in world.held_at(HOME, MOTHER[0])}
    past, now = by_status["inactive"], by_status["active"]
    assert past["code"]["coding"][0]["code"] == UNBORN_NEED
    assert why_of(world, past["id"]).kind == "unborn-child-in-need"
    assert why_of(world, now["id"]).kind == "child-in-need"
    ended = {one.element for one in why_of(world, past["id"]).elements if one.action == "disclose"}
    assert ended == {Element.CONCERN}


def test_a_flag_that_there_is_not_has_no_ruling(world: World) -> None:
    with pytest.raises(NotFound):
        why_of(world, "0" * 32)


def test_rulings_are_listed_by_day_kind_action_and_policy_version(world: World) -> None:
    given_the_family(world)
    world.posts(COUNCIL, a_plan())
    world.on("2022-01-05")
    world.posts(POLICE, a_notification())
    assert len(listed(world)) == 5
    assert {one.kind for one in listed(world, day=date(2022, 1, 4))} == {"child-protection"}
    assert [one.action for one in listed(world, kind="perpetrator")] == ["hold"]
    assert len(listed(world, action="place", day=date(2022, 1, 5))) == 1
    assert len(listed(world, policy_version=1)) == 4
    assert [one.kind for one in listed(world, policy_version=2)] == ["perpetrator"]


def test_rulings_are_listed_in_pages_that_miss_none_and_repeat_none(world: World) -> None:
    given_the_family(world)
    world.posts(COUNCIL, a_plan())
    first = listed(world, limit=2)
    rest = listed(world, limit=2, after=first[-1].ruling)
    assert [one.ruling for one in first + rest] == [one.ruling for one in listed(world)]


def test_no_ruling_holds_a_value_of_anybody(world: World) -> None:
    given_the_family(world)
    world.posts(COUNCIL, a_plan(review_due="2022-06-07"))
    told = str(listed(world))
    for value in (CHILD[0], CHILD[1], "2022-06-07", "2022-01-01", "physical", "Bradford"):
        assert value not in told
