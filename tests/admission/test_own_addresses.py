"""Nothing is ever sent to this machine or to what only its network has, whoever registers it."""

import pytest

from flagservice.admission.endpoints import endpoint_of, register
from flagservice.audit.log import Actor
from flagservice.domain.errors import Invalid
from tests.checked import DECIDED, a_registration, given_a_checked_system
from tests.intake.people import HOME
from tests.world import World

OWN = [
    "localhost",
    "LOCALHOST.",
    "api.localhost",
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0.0.0.0",  # noqa: S104, refused
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[fe80::1]",
    "169.254.169.254",
    "224.0.0.1",
    "255.255.255.255",
]
THEIRS = ["gp.example", "10.20.30.40", "192.168.7.7", "[fd00::7]", "0x.example"]


def when_registered(world: World, host: str, *, allow_loopback: bool = False) -> None:
    said = a_registration(HOME, url=f"https://{host}/fhir")
    world.log.perform(
        Actor("operator"),
        lambda work: register(work, said, decision=DECIDED, allow_loopback=allow_loopback),
    )


@pytest.mark.parametrize("host", OWN)
def test_an_address_of_our_own_is_refused(world: World, host: str) -> None:
    given_a_checked_system(world.log)
    with pytest.raises(Invalid, match="url"):
        when_registered(world, host)
    assert world.log.is_waiting(Actor("test"), lambda work: endpoint_of(work, HOME) is None)


@pytest.mark.parametrize("host", ["169.254.169.254", "[fe80::1]", "127.0.0.2"])
def test_a_sandbox_reaches_this_machine_and_nothing_else_of_its_network(
    world: World, host: str
) -> None:
    when_registered(world, "127.0.0.1", allow_loopback=True)
    with pytest.raises(Invalid, match="url"):
        when_registered(world, host, allow_loopback=True)


@pytest.mark.parametrize("host", THEIRS)
def test_a_practice_may_be_on_a_private_network(world: World, host: str) -> None:
    given_a_checked_system(world.log)
    when_registered(world, host)
    assert world.log.is_waiting(Actor("test"), lambda work: endpoint_of(work, HOME) is not None)
