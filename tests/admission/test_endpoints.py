"""How a practice is reached: only where its exact version passed the leak check, and not longer."""

import json
from datetime import timedelta

import pytest

from flagservice.admission.checkers import revoke_checker
from flagservice.admission.decisions import OperatorDecision
from flagservice.admission.endpoints import (
    Endpoint,
    EndpointRegistration,
    admitted,
    endpoint_of,
    register,
    suspend,
)
from flagservice.admission.result_notes import VALID_FOR
from flagservice.admission.results import accept
from flagservice.audit.log import Actor, Work
from flagservice.domain.errors import Invalid, NotFound
from flagservice.store import tables
from tests.checked import (
    DECIDED,
    SIGNING,
    VERSION,
    a_registration,
    a_result,
    given_a_checked_system,
    given_a_checker,
)
from tests.intake.people import HOME, rows
from tests.world import World

OPERATOR = Actor("operator")
LATER = "4.3"


def register_it(
    world: World,
    said: EndpointRegistration,
    *,
    decision: OperatorDecision = DECIDED,
    allow_loopback: bool = False,
) -> None:
    world.log.perform(
        OPERATOR,
        lambda work: register(work, said, decision=decision, allow_loopback=allow_loopback),
    )


def suspend_it(world: World, *, by: str = "IG lead", reason: str = "it leaks") -> None:
    world.log.perform(
        OPERATOR, lambda work: suspend(work, HOME, decision=OperatorDecision(by, reason))
    )


def given_it_is_admitted(world: World, **more: str) -> None:
    given_a_checked_system(world.log)
    register_it(world, a_registration(HOME, **more), allow_loopback=True)
    assert reached(world)[0]


def reached(world: World) -> tuple[bool, Endpoint | None]:
    found: list[tuple[bool, Endpoint | None]] = []

    def question(work: Work) -> bool:
        found.append((admitted(work, HOME), endpoint_of(work, HOME)))
        return True

    assert world.log.is_waiting(OPERATOR, question)
    return found[0]


def test_a_practice_that_nobody_registered_is_not_reached(world: World) -> None:
    given_a_checked_system(world.log)
    assert reached(world) == (False, None)


def test_a_registered_practice_without_a_result_is_not_reached(any_world: World) -> None:
    register_it(any_world, a_registration(HOME))
    assert reached(any_world) == (False, None)
    given_a_checked_system(any_world.log)
    assert reached(any_world)[0]


def test_an_admitted_practice_is_reached_at_its_address_with_its_token(any_world: World) -> None:
    given_it_is_admitted(any_world, url="https://gp.example/fhir/", token="secret-token")
    assert reached(any_world) == (True, Endpoint(HOME, "https://gp.example/fhir", "secret-token"))


@pytest.mark.parametrize("version", [LATER, VERSION + ".0", VERSION[:-1], VERSION + " beta"])
def test_a_result_is_for_one_exact_version(world: World, version: str) -> None:
    given_it_is_admitted(world)
    register_it(world, a_registration(HOME, version=version))
    assert reached(world) == (False, None)
    register_it(world, a_registration(HOME))
    assert reached(world)[0]


def test_a_result_is_for_one_system(world: World) -> None:
    given_it_is_admitted(world)
    register_it(world, a_registration(HOME, system="Another system"))
    assert reached(world) == (False, None)


def test_a_new_version_is_admitted_once_it_has_a_result_of_its_own(any_world: World) -> None:
    given_it_is_admitted(any_world)
    register_it(any_world, a_registration(HOME, version=LATER))
    assert not reached(any_world)[0]
    given_a_checked_system(any_world.log, version=LATER)
    assert reached(any_world)[0]


def test_a_result_admits_for_a_year_from_its_run_and_not_an_instant_longer(
    any_world: World,
) -> None:
    given_it_is_admitted(any_world)
    any_world.now += VALID_FOR - timedelta(seconds=1)
    assert reached(any_world)[0]
    any_world.now += timedelta(seconds=1)
    assert reached(any_world) == (False, None)
    given_a_checked_system(any_world.log)
    assert reached(any_world)[0]


def test_a_result_that_was_accepted_late_admits_no_longer_for_that(any_world: World) -> None:
    register_it(any_world, a_registration(HOME))
    any_world.log.perform(OPERATOR, given_a_checker)
    note = a_result(any_world.now - VALID_FOR + timedelta(days=1))
    any_world.log.perform(OPERATOR, lambda work: accept(work, note, decision=DECIDED))
    assert reached(any_world)[0]
    any_world.now += timedelta(days=1)
    assert reached(any_world) == (False, None)


def test_a_result_from_the_future_of_a_clock_that_was_wrong_admits_nobody(world: World) -> None:
    given_it_is_admitted(world)
    world.now -= timedelta(days=30)
    assert not reached(world)[0]


def test_what_a_revoked_checker_signed_admits_nobody(any_world: World) -> None:
    given_it_is_admitted(any_world)
    any_world.now += timedelta(days=1)
    any_world.log.perform(
        OPERATOR,
        lambda work: revoke_checker(
            work, SIGNING.name, decision=OperatorDecision("IG", "key lost")
        ),
    )
    assert reached(any_world) == (False, None)


def test_who_registered_it_and_its_token_are_sealed_and_never_printed(world: World) -> None:
    given_it_is_admitted(world, token="secret-token")
    (row,) = rows(world, of=tables.EndpointRow)
    for secret in (b"secret-token", b"A. Lead"):
        assert secret not in row.sealed
    assert "secret-token" not in repr(a_registration(HOME, token="secret-token"))
    assert "secret-token" not in repr(reached(world))


def test_a_practice_that_is_registered_anew_is_reached_at_its_new_address(world: World) -> None:
    given_it_is_admitted(world)
    register_it(world, a_registration(HOME, url="https://new.example/fhir"))
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
    given_a_checked_system(world.log)
    with pytest.raises(Invalid, match="url"):
        register_it(world, a_registration(HOME, url=url))
    assert reached(world) == (False, None)


def test_a_sandbox_may_be_reached_on_this_machine_and_only_there(world: World) -> None:
    given_it_is_admitted(world, url="http://127.0.0.1:8001/fhir")
    with pytest.raises(Invalid):
        register_it(world, a_registration(HOME, url="http://gp.example/fhir"), allow_loopback=True)


@pytest.mark.parametrize("missing", ["by", "reason"])
def test_a_registration_without_who_and_why_is_none(world: World, missing: str) -> None:
    who_and_why = {"by": "A. Lead", "reason": "tested"} | {missing: "  "}
    with pytest.raises(Invalid, match="say who, and why"):
        register_it(world, a_registration(HOME), decision=OperatorDecision(**who_and_why))
    assert rows(world, of=tables.EndpointRow) == []


@pytest.mark.parametrize("name", ["system", "version"])
@pytest.mark.parametrize("said", ["", " ", " 4.2", "4.2 "])
def test_what_a_practice_runs_is_said_letter_for_letter(world: World, name: str, said: str) -> None:
    with pytest.raises(Invalid, match=name):
        register_it(world, a_registration(HOME, **{name: said}))


def test_a_suspended_practice_is_not_reached_until_it_is_registered_anew(any_world: World) -> None:
    given_it_is_admitted(any_world)
    suspend_it(any_world)
    assert reached(any_world) == (False, None)
    register_it(any_world, a_registration(HOME))
    assert reached(any_world)[0]


def test_who_suspended_it_and_why_is_kept_sealed_beside_who_registered_it(world: World) -> None:
    given_it_is_admitted(world)
    suspend_it(world)
    (row,) = rows(world, of=tables.EndpointRow)
    place = {"table": "endpoint", "row": HOME, "version": 1}
    kept = json.loads(world.log.vault.open(row.data_key, row.sealed, **place))
    assert (kept["by"], kept["suspended_by"], kept["suspended_why"]) == (
        "A. Lead",
        "IG lead",
        "it leaks",
    )


def test_a_suspension_needs_a_practice_and_says_who_and_why(world: World) -> None:
    with pytest.raises(NotFound):
        suspend_it(world)
    given_it_is_admitted(world)
    with pytest.raises(Invalid):
        suspend_it(world, by=" ")
    with pytest.raises(Invalid):
        suspend_it(world, reason="")
    assert reached(world)[0]
