"""What a practice was shown is owed its removal, also where both happen at one moment.

On PostgreSQL a reader may look at a version, and somebody else take it back before the reader says
that it was shown. One of the two is done again. SQLite has one writer.
"""

from collections.abc import Callable
from typing import Any

import pytest
from sqlmodel import col, select

from flagservice.delivery.pull import batched, read
from flagservice.store import tables
from tests.api.answers import FHIR
from tests.api.steps import MINE, MOTHER, Cast, a_plan, given_a_cast
from tests.world import World

BOTH = ("in the lane", "by the routes")


@pytest.fixture
def cast(postgresql_world: World) -> Cast:
    return given_a_cast(postgresql_world)


def mothers_copy(cast: Cast) -> str:
    (flag,) = [
        entry["resource"]
        for entry in cast.practice.searches(MOTHER[0]).json()["entry"]
        if entry["search"]["mode"] == "match"
    ]
    with cast.world.database.transaction() as session:
        for version in session.exec(select(tables.VersionRow)):
            version.served = False
            session.add(version)
    return str(flag["id"])


def when_she_is_taken_back(cast: Cast) -> None:
    people = a_plan()["people"]
    (she,) = [one for one in people if one["role"] == "mother"]
    she["withdrawn"] = "wrong-person"
    assert cast.council.posts("/plans", a_plan(version=2, people=people)).status_code == 201


def just_before(once: Callable[[], None], plain: Callable[..., Any]) -> Callable[..., Any]:
    """Does `once` the first time that `plain` is called, before it."""
    done: list[bool] = []

    def slow(*given: Any, **named: Any) -> Any:
        if not done:
            done.append(True)
            once()
        return plain(*given, **named)

    return slow


@pytest.mark.parametrize("how", BOTH)
def test_a_flag_that_is_taken_back_while_it_is_read_is_not_shown(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    cast.council.posts("/plans", a_plan())
    copy_id = mothers_copy(cast)
    module, name = (batched, "_mark_served") if how == BOTH[0] else (read, "mark_served")
    slow = just_before(lambda: when_she_is_taken_back(cast), getattr(module, name))
    monkeypatch.setattr(module, name, slow)
    headers = {} if how == BOTH[0] else {"Prefer": "handling=strict"}
    answer = cast.practice.gets(f"{FHIR}/Flag/{copy_id}", headers=headers)
    assert answer.status_code == 404
    with cast.world.database.transaction() as session:
        found = select(tables.VersionRow).where(col(tables.VersionRow.copy_id) == copy_id)
        assert not any(version.served for version in session.exec(found))


def test_a_flag_that_was_read_just_before_is_owed_its_removal(cast: Cast) -> None:
    cast.council.posts("/plans", a_plan())
    copy_id = mothers_copy(cast)
    assert cast.practice.gets(f"{FHIR}/Flag/{copy_id}").status_code == 200
    when_she_is_taken_back(cast)
    with cast.world.database.transaction() as session:
        owed = select(col(tables.DeliveryRow.state)).where(
            col(tables.DeliveryRow.copy_id) == copy_id, col(tables.DeliveryRow.practice) == MINE
        )
        assert sorted(session.exec(owed)) == ["open", "superseded"]
