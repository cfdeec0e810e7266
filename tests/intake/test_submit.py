"""A submission becomes issued flags, in one commit, on every database."""

import pytest

from flagservice.domain.errors import Conflict, Forbidden, Invalid
from flagservice.intake.submission import SubmissionEffect
from tests.world import COUNCIL, POLICE, World, a_submission, person

CHILD, MOTHER, FATHER = (
    ("9990001111", "2021-12-06"),
    ("9990002258", "1995-03-14"),
    ("9990002517", "1993-09-30"),
)


def given_a_registered_family(world: World) -> None:
    world.registered(*CHILD, "B83901")
    world.registered(*MOTHER, "B83901")
    world.registered(*FATHER, "B83902")
    world.admitted("B83901", "B83902")


def a_plan(**more: object) -> dict[str, object]:
    return a_submission(
        "child-protection",
        "CPP-1",
        person("child", *CHILD),
        person("mother", *MOTHER, knows="knows"),
        person("father", *FATHER, knows="knows"),
        **more,
    )


def codes_at(world: World, practice: str) -> list[str]:
    return sorted(f["code"]["coding"][0]["code"] for f in world.held_at(practice))


def test_a_plan_reaches_the_mothers_the_fathers_and_the_childs_records(any_world: World) -> None:
    given_a_registered_family(any_world)
    assert any_world.posts(COUNCIL, a_plan()).effect is SubmissionEffect.ACCEPTED
    assert codes_at(any_world, "B83901") == ["342191000000101", "375041000000100"]
    assert codes_at(any_world, "B83902") == ["375041000000100"]
    assert any_world.receipt(COUNCIL, "CPP-1") == [
        ("child", "placed"),
        ("mother", "placed"),
        ("father", "placed"),
    ]


def test_the_same_version_again_is_a_repeat_and_with_another_body_a_conflict(world: World) -> None:
    given_a_registered_family(world)
    world.posts(COUNCIL, a_plan())
    assert world.posts(COUNCIL, a_plan()).effect is SubmissionEffect.REPEATED
    with pytest.raises(Conflict):
        world.posts(COUNCIL, a_plan(categories=["neglect"]))


def test_a_version_that_arrives_late_has_no_effect(world: World) -> None:
    given_a_registered_family(world)
    world.posts(COUNCIL, a_plan(version=2, categories=["neglect"]))
    assert world.posts(COUNCIL, a_plan(version=1)).effect is SubmissionEffect.SUPERSEDED
    (child,) = world.held_at("B83901", CHILD[0])
    assert child["category"][1]["coding"][0]["display"] == "Child protection category neglect"


def test_a_reference_does_not_change_its_kind(world: World) -> None:
    given_a_registered_family(world)
    world.posts(COUNCIL, a_plan())
    with pytest.raises(Invalid):
        world.posts(
            COUNCIL, a_submission("child-in-need", "CPP-1", person("child", *CHILD), version=2)
        )


def test_an_organisation_without_a_duty_desk_cannot_submit(world: World) -> None:
    with pytest.raises(Forbidden):
        world.posts("Z99", a_plan())


def test_a_notification_after_the_plan_narrows_the_fathers_flag(any_world: World) -> None:
    given_a_registered_family(any_world)
    any_world.posts(COUNCIL, a_plan())
    (before,) = any_world.held_at("B83902")
    assert "period" in before
    assert "author" in before
    any_world.posts(
        POLICE,
        a_submission(
            "perpetrator",
            "WYP-1",
            person("father", *FATHER, standing="alleged-perpetrator", knows="must-not-know"),
        ),
    )
    (after,) = any_world.held_at("B83902")
    assert after["id"] == before["id"]
    assert "period" not in after
    assert "author" not in after
