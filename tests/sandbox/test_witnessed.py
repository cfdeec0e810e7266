"""The audit of each world is witnessed, and a reset begins another."""

from flagservice.app.witness import Witness
from tests.sandbox.steps import Box


def test_a_reset_is_no_alarm_of_the_audit(box: Box) -> None:
    """Its keys outlive it; what was witnessed of the former tree goes with that."""
    standing = box.acme.standing
    for _ in range(2):
        with standing.used() as world:
            assert world.tend() > 0
            witness = Witness(world.installation.settings.witness_folder)
            assert list(witness.heads()) == ["witness.json"]
        standing.reset()
