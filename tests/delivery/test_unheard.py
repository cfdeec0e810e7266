"""What was taken back before a practice heard of it is owed to nobody: silence says least."""

from tests.delivery.steps import (
    BORN,
    FATHER,
    OTHER,
    Practice,
    a_worker,
    given_a_registered_family,
    the_deliveries,
)
from tests.world import POLICE, World, a_submission, person

ALLEGED = person("father", FATHER, BORN, standing="alleged-perpetrator", knows="must-not-know")


def given_a_flag_that_is_taken_back(world: World, meanwhile: Practice | None = None) -> None:
    """It is placed by its practice's decision, sent if `meanwhile` takes it, and taken back."""
    given_a_registered_family(world)
    world.posts(POLICE, a_submission("perpetrator", "DA-1", ALLEGED))
    world.decides(OTHER)
    if meanwhile:
        a_worker(world, meanwhile).run_once()
    ended = a_submission("perpetrator", "DA-1", ALLEGED, version=2, end="2022-01-04")
    world.posts(POLICE, ended)


def test_the_removal_of_what_was_never_sent_is_never_sent(any_world: World) -> None:
    given_a_flag_that_is_taken_back(any_world)
    practice = Practice()
    a_worker(any_world, practice).run_once()
    assert practice.sent == []
    states = [one.state for one in the_deliveries(any_world)]
    assert states == ["superseded", "nothing was ever sent"]


def test_the_removal_of_what_was_sent_is_sent(any_world: World) -> None:
    given_a_flag_that_is_taken_back(any_world, Practice())
    practice = Practice()
    a_worker(any_world, practice).run_once()
    assert [one["status"] for one in practice.sent] == ["inactive"]
