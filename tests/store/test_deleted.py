"""What was withdrawn is gone from the file, too: a free page would keep it, and each backup."""

from pathlib import Path

from tests.intake.people import ELSEWHERE, a_notification, a_plan, given_the_family, versions
from tests.world import COUNCIL, POLICE, World


def the_file(world: World) -> bytes:
    """The database file; the last connection that is given back writes the log into it."""
    world.database.close()
    path = Path(str(world.database.engine.url.database))
    assert [one.name for one in path.parent.glob(f"{path.name}*")] == [path.name]
    return path.read_bytes()


def test_no_piece_of_a_withdrawn_version_is_left_in_the_file(world: World) -> None:
    given_the_family(world)
    world.posts(COUNCIL, a_plan())
    (flag,) = world.held_at(ELSEWHERE)
    (first,) = versions(world, flag["id"])
    pieces = [first.sealed[at : at + 16] for at in range(0, len(first.sealed) - 16, 16)]
    assert len(pieces) > 20
    assert {piece in the_file(world) for piece in pieces} == {True}
    world.posts(POLICE, a_notification())
    assert versions(world, flag["id"])[0].sealed == b""
    assert {piece in the_file(world) for piece in pieces} == {False}
