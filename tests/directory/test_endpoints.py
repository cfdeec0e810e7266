"""How a practice is reached: only where somebody named has decided that it may be."""

import json

import pytest

from flagservice.audit.log import Actor, Work
from flagservice.directory.endpoints import Admission, Reach, admit, admitted, reach, suspend
from flagservice.domain.errors import Invalid, NotFound
from flagservice.store import tables
from tests.intake.people import HOME, rows
from tests.world import World

OPERATOR = Actor("operator")


def an_admission(**more: str) -> Admission:
    said = {
        "practice": HOME,
        "url": "https://gp.example/fhir",
        "token": "secret-token",
        "by": "IG lead",
        "reason": "its patient view was looked at",
    }
    return Admission(**{**said, **more})


def admit_it(world: World, admission: Admission, *, allow_loopback: bool = False) -> None:
    world.log.perform(OPERATOR, lambda work: admit(work, admission, allow_loopback=allow_loopback))


def suspend_it(world: World, *, by: str = "IG lead", reason: str = "it leaks") -> None:
    world.log.perform(OPERATOR, lambda work: suspend(work, HOME, by=by, reason=reason))


def reached(world: World) -> tuple[bool, Reach | None]:
    found: list[tuple[bool, Reach | None]] = []

    def question(work: Work) -> bool:
        found.append((admitted(work, HOME), reach(work, HOME)))
        return True

    assert world.log.is_waiting(OPERATOR, question)
    return found[0]


def test_a_practice_that_nobody_admitted_is_not_reached(world: World) -> None:
    assert reached(world) == (False, None)


def test_an_admitted_practice_is_reached_at_its_address_with_its_token(any_world: World) -> None:
    admit_it(any_world, an_admission(url="https://gp.example/fhir/"))
    assert reached(any_world) == (True, Reach(HOME, "https://gp.example/fhir", "secret-token"))


def test_who_admitted_it_and_its_token_are_sealed_and_never_printed(world: World) -> None:
    admit_it(world, an_admission())
    (row,) = rows(world, of=tables.Endpoint)
    for secret in (b"secret-token", b"IG lead"):
        assert secret not in row.sealed
    assert "secret-token" not in repr(an_admission())
    assert "secret-token" not in repr(reached(world))


def test_a_practice_that_is_admitted_anew_is_reached_at_its_new_address(world: World) -> None:
    admit_it(world, an_admission())
    admit_it(world, an_admission(url="https://new.example/fhir"))
    _, found = reached(world)
    assert found is not None
    assert found.url == "https://new.example/fhir"


@pytest.mark.parametrize(
    "url",
    [
        "http://gp.example/fhir",
        "http://127.0.0.1/fhir",
        "ftp://gp.example/fhir",
        "gp.example/fhir",
        "https://user@gp.example/fhir",
        "https://gp.example/fhir?token=1",
        "https://gp.example/fhir#part",
        "https:///fhir",
        "",
    ],
)
def test_an_address_that_is_not_a_plain_secure_one_is_refused(world: World, url: str) -> None:
    with pytest.raises(Invalid, match="url"):
        admit_it(world, an_admission(url=url))
    assert reached(world) == (False, None)


def test_a_sandbox_may_be_reached_on_this_machine_and_only_there(world: World) -> None:
    admit_it(world, an_admission(url="http://127.0.0.1:8001/fhir"), allow_loopback=True)
    assert reached(world)[0]
    with pytest.raises(Invalid):
        admit_it(world, an_admission(url="http://gp.example/fhir"), allow_loopback=True)


@pytest.mark.parametrize("missing", ["by", "reason"])
def test_an_admission_without_who_and_why_is_none(world: World, missing: str) -> None:
    with pytest.raises(Invalid, match="say who, and why"):
        admit_it(world, an_admission(**{missing: "  "}))


def test_a_suspended_practice_is_not_reached_until_it_is_admitted_anew(any_world: World) -> None:
    admit_it(any_world, an_admission())
    suspend_it(any_world)
    assert reached(any_world) == (False, None)
    admit_it(any_world, an_admission())
    assert reached(any_world)[0]


def test_who_suspended_it_and_why_is_kept_sealed_beside_who_admitted_it(world: World) -> None:
    admit_it(world, an_admission())
    suspend_it(world)
    (row,) = rows(world, of=tables.Endpoint)
    place = {"table": "endpoint", "row": HOME, "version": 1}
    kept = json.loads(world.log.vault.open(row.data_key, row.sealed, **place))
    assert (kept["by"], kept["suspended_by"], kept["suspended_why"]) == (
        "IG lead",
        "IG lead",
        "it leaks",
    )


def test_a_suspension_needs_a_practice_and_says_who_and_why(world: World) -> None:
    with pytest.raises(NotFound):
        suspend_it(world)
    admit_it(world, an_admission())
    with pytest.raises(Invalid):
        suspend_it(world, by=" ")
    with pytest.raises(Invalid):
        suspend_it(world, reason="")
    assert reached(world)[0]
