"""What runs beside the API goes on at once while there is a whole round to do, and rests if not."""

import threading
from types import SimpleNamespace

import pytest

from flagservice.app.serve import Loop, loops
from tests.api.steps import Cast


class Broken(Exception):
    """A round that fails."""


def rests_of(rounds: list[int | type[Broken]], *, full: int) -> list[int]:
    """After which rounds it rested."""
    done: list[int | type[Broken]] = []
    rests: list[int] = []
    over = threading.Event()

    def once() -> int:
        found = rounds[len(done)]
        done.append(found)
        if len(done) == len(rounds):
            over.set()
        if isinstance(found, int):
            return found
        raise found

    def wait(seconds: float) -> None:
        assert seconds == 0.5
        rests.append(len(done))

    loop = Loop("a loop", once, pause=0.5, full=full)
    loop._over = SimpleNamespace(is_set=over.is_set, wait=wait)
    loop.run()
    return rests


@pytest.mark.parametrize(
    ("rounds", "full", "rests"),
    [([10, 10, 3, 10, 0, 10], 10, [3, 5]), ([1, 2, 0, 1], 1, [3]), ([10, Broken, 10], 10, [2])],
    ids=["a batch", "anything at all", "a fault"],
)
def test_it_rests_after_a_round_that_was_not_full(
    rounds: list[int | type[Broken]], full: int, rests: list[int]
) -> None:
    assert rests_of(rounds, full=full) == rests


def test_leaves_are_sequenced_in_batches_and_not_one_by_one(cast: Cast) -> None:
    """Each batch is a commit and a signature, for which everybody else would wait."""
    (sequencer,) = (
        one for one in loops(cast.service.parts, deliver=False) if one._name == "sequencer"
    )
    assert sequencer._full == cast.service.parts.sequencer().batch > 1
