"""A finding suspends at once, and a withdrawal takes what was run before it with it."""

from datetime import timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from flagservice.admission.checkers import revoke_checker
from flagservice.admission.decisions import OperatorDecision
from flagservice.admission.result_notes import CheckedAddresses
from flagservice.admission.results import accept, newest_checked_addresses, withdraw
from flagservice.audit.log import Deed, Work
from flagservice.kit.leak_check.result import ResultSigner
from tests.admission.test_endpoints import (
    LATER,
    OPERATOR,
    given_it_is_admitted,
    reached,
    register_it,
)
from tests.checked import (
    DECIDED,
    SYSTEM,
    VERSION,
    a_finding,
    a_registration,
    a_result,
    given_a_checked_system,
    given_a_checker,
)
from tests.intake.people import HOME
from tests.world import World


def when_taken_in(world: World, note: str) -> str:
    return world.log.perform(OPERATOR, lambda work: accept(work, note, decision=DECIDED)).id


def when_withdrawn(world: World, identity: str) -> None:
    world.log.perform(OPERATOR, lambda work: withdraw(work, identity, decision=DECIDED))


def test_a_withdrawal_takes_every_earlier_result_of_the_version_with_it(any_world: World) -> None:
    given_it_is_admitted(any_world)
    any_world.now += timedelta(days=1)
    newest = when_taken_in(any_world, a_result(any_world.now))
    assert reached(any_world)[0]
    when_withdrawn(any_world, newest)
    assert reached(any_world) == (False, None)
    any_world.now += timedelta(seconds=1)
    when_taken_in(any_world, a_result(any_world.now))
    assert reached(any_world)[0]


def test_withdrawing_an_earlier_result_leaves_a_later_one(any_world: World) -> None:
    register_it(any_world, a_registration(HOME))
    any_world.log.perform(OPERATOR, given_a_checker)
    earlier = when_taken_in(any_world, a_result(any_world.now - timedelta(days=1)))
    given_a_checked_system(any_world.log)
    when_withdrawn(any_world, earlier)
    assert reached(any_world)[0]


def test_a_finding_suspends_its_version_at_once_until_a_newer_check_is_clean(
    any_world: World,
) -> None:
    given_it_is_admitted(any_world)
    any_world.now += timedelta(days=1)
    when_taken_in(any_world, a_finding(any_world.now, version=LATER))
    when_taken_in(any_world, a_finding(any_world.now, system="Another"))
    assert reached(any_world)[0]
    finding = when_taken_in(any_world, a_finding(any_world.now))
    assert reached(any_world) == (False, None)
    when_withdrawn(any_world, finding)
    assert reached(any_world) == (False, None)
    any_world.now += timedelta(seconds=1)
    given_a_checked_system(any_world.log)
    assert reached(any_world)[0]


def test_a_finding_by_a_checker_revoked_since_still_suspends(world: World) -> None:
    given_it_is_admitted(world)
    other = ResultSigner("b.checker", Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33))))
    world.log.perform(OPERATOR, lambda work: given_a_checker(work, other))
    when_taken_in(world, a_finding(world.now, signing=other))
    world.log.perform(
        OPERATOR,
        lambda work: revoke_checker(work, other.name, decision=OperatorDecision("IG", "x")),
    )
    assert not reached(world)[0]


def test_a_finding_about_an_earlier_run_leaves_a_newer_clean_one(world: World) -> None:
    given_it_is_admitted(world)
    when_taken_in(world, a_finding(world.now - timedelta(seconds=1)))
    assert reached(world)[0]


def test_who_registers_is_told_what_the_newest_check_was_about(world: World) -> None:
    def told(version: str = VERSION) -> CheckedAddresses | None:
        def deed(work: Work) -> CheckedAddresses | None:
            work.record(Deed.STATUS_READ)
            return newest_checked_addresses(work, system=SYSTEM, version=version)

        return world.log.perform(OPERATOR, deed)

    given_it_is_admitted(world)
    world.now += timedelta(days=1)
    when_taken_in(world, a_result(world.now, patient_base="https://elsewhere.example/p"))
    there = "https://gp.example/fhir"
    ran = "2022-01-05T09:30:00+00:00"
    assert told() == CheckedAddresses(ran, there, "https://elsewhere.example/p", there)
    assert told(LATER) is None
