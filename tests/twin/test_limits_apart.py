"""What slows an outsider is its own traffic: nothing that differs inside is in any bucket of its.

The other tests of the twin worlds have limits that nobody meets. Here everybody outside meets them.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from flagservice.api.edge.limits import Audience, Limits
from flagservice.api.edge.throttle_log import ThrottleLog
from tests.twin import cast
from tests.twin.outside.asking import Answer, Request
from tests.twin.outside.comparing import Tally
from tests.twin.test_twin_worlds import A_RICH_TRACE
from tests.twin.traffic import Round
from tests.twin.twins import Leak, Twins
from tests.twin.worlds import TwinWorld, three_worlds

TIGHT = {**dict.fromkeys(Audience, 40), Audience.OUTSIDERS: 40}


def given_tight_limits(world: TwinWorld, *, shared: bool = False) -> None:
    """Counted by the clock of the world; `shared` is the fault that would leak."""

    def clock() -> float:
        return world.now.timestamp()

    limits = OneBucket(TIGHT, clock=clock) if shared else Limits(TIGHT, clock=clock)
    api = world.fastapi.state.api
    world.fastapi.state.api = replace(api, limits=limits, throttle_log=ThrottleLog(clock))


class OneBucket(Limits):
    """A fault of ours: everybody of one audience in one bucket."""

    def take(self, audience: Audience, *_: str) -> None:
        super().take(audience)


class Counted(Twins):
    """Notes how many were told to wait."""

    throttled = 0

    def plays(self, trace: Sequence[Round], *, sweeping: bool = False) -> Tally:
        """Who calls has a token before a flood from the same address begins."""
        for party in (*cast.INSIDERS, *cast.CALLING):
            self._token(party)
        return super().plays(trace, sweeping=sweeping)

    def _compared(self, requests: Sequence[Request]) -> list[Answer]:
        answers = super()._compared(requests)
        self.throttled += sum(answer.status == 429 for answer in answers)
        return answers


def test_no_outsider_learns_of_anybody_by_being_slowed(tmp_path: Path) -> None:
    with three_worlds(tmp_path) as worlds:
        for world in worlds:
            given_tight_limits(world)
        twins = Counted(worlds, most=60)
        tally = twins.plays(A_RICH_TRACE)
    assert twins.throttled > 50
    assert tally.differing == 0


def test_a_bucket_that_is_shared_would_be_found(tmp_path: Path) -> None:
    with three_worlds(tmp_path) as worlds:
        for world in worlds:
            given_tight_limits(world, shared=True)
        with pytest.raises(Leak):
            Counted(worlds, most=60).plays(A_RICH_TRACE)
