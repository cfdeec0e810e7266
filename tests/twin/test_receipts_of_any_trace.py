"""A submitter's receipts and worklist are the same, whatever other agencies posted and when.

The children's services post any sequence about one family. In the other world the police, the 0-19
service and the practices do whatever they like about the same people, before, between and after.
`tests/api/social_care/test_twin_receipts.py` has the sequences that are worth reading.
"""

import itertools
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as some

from flagservice.domain.days.london import day_of
from tests.sizes import sizes
from tests.twin import cast
from tests.twin.outside.asking import Request, get, post
from tests.twin.traffic import FAMILIES, KINDS, PATHS, Decide, Post, _posts, reference
from tests.twin.worlds import TwinWorld, three_worlds

FAMILY = range(1, 2)
"""Its father is at a practice that takes what it is sent."""
OTHERS = (cast.POLICE_IN, cast.HEALTH_IN)
OTHER = some.one_of(
    _posts(OTHERS, FAMILY, KINDS),
    some.builds(Decide, some.sampled_from(cast.LEADS), some.sampled_from(["place", "withhold"])),
)
OWN = some.one_of(
    _posts((cast.COUNCIL_IN,), FAMILY, KINDS),
    some.builds(Decide, some.just(cast.COUNCIL_IN), some.sampled_from(["place", "withhold"])),
)
TRACES = some.lists(some.tuples(some.lists(OTHER, max_size=3), OWN), min_size=1, max_size=5)


SURE = {
    "knows": ("knows",) * 3,
    "identity": ("confirmed",) * 3,
    "involvement": ("included",) * 3,
    "people": 3,
    "ends": False,
}
A_PLAN = Post(cast.COUNCIL_IN, "child-protection", 1, **SURE)
A_NOTICE = Post(cast.POLICE_IN, "perpetrator", 1, **SURE)
THE_USUAL: list[tuple[list[Post | Decide], Post | Decide]] = [
    ([], A_PLAN),
    ([A_NOTICE, Decide(cast.LEADS[0], "place")], A_PLAN),
    ([replace(A_NOTICE, ends=True)], replace(A_PLAN, knows=("knows", "knows", "presumed"))),
    ([], replace(A_PLAN, identity=("confirmed", "confirmed", "unconfirmed"))),
]
"""The police speak of somebody whose flag was delivered, and end it before the next version."""


class Told:
    """One world, and what the council reads in it. Random ids are named as they are first seen."""

    def __init__(self, world: TwinWorld) -> None:
        self.world = world
        self._names: dict[str, str] = {}
        self._versions: dict[str, int] = {}
        self._steps = itertools.count()

    def does(self, step: Post | Decide) -> list[Any]:
        """What its agency is told in answer."""
        if isinstance(step, Decide):
            return self._decides(step)
        version = self._versions[step.reference] = self._versions.get(step.reference, 0) + 1
        today = day_of(self.world.now).isoformat()
        body = step.body(FAMILIES[step.family], version=version, today=today)
        answer = self._asks(step.party, post(PATHS[step.kind], body))
        self._versions[step.reference] -= answer[0] != 201
        return answer

    def _decides(self, step: Decide) -> list[Any]:
        holds = self._holds(step.party)
        if not holds:
            return []
        said = {"outcome": step.outcome, "decided_by": "A. Lead", "reason": "a risk decision"}
        return self._asks(step.party, post(f"/holds/{holds[0]['id']}/decision", said))

    def reads(self) -> list[Any]:
        """Every receipt and the worklist: at once, and when the practices have filed all."""
        at_once = self._reads()
        self.world.works()
        return [at_once, self._reads()]

    def _reads(self) -> list[Any]:
        receipts = [self._asks(cast.COUNCIL_IN, get(f"/receipts/{one}")) for one in _references()]
        listed = self._holds(cast.COUNCIL_IN)
        named = [{**hold, "id": self._named(hold["id"])} for hold in listed]
        return [*receipts, named]

    def _named(self, id_: str) -> str:
        return self._names.setdefault(id_, f"hold {len(self._names)}")

    def _holds(self, party: cast.Party) -> list[dict[str, Any]]:
        """In the order of what they say: among those of one day a random id decides."""
        found: list[dict[str, Any]] = self._asks(party, get("/holds"))[1]["holds"]
        return sorted(found, key=lambda hold: json.dumps({**hold, "id": ""}, sort_keys=True))

    def _asks(self, party: cast.Party, request: Request) -> list[Any]:
        step = f"{party.name} {next(self._steps)}"
        now = int(self.world.now.timestamp())
        token, *_ = self.world.asks([party.asks_for_a_token(now=now, nonce=step)], step=step)
        asked = request.bearing(token.json()["access_token"])
        (answer,) = self.world.asks([asked], step=f"{step}!")
        return [answer.status, answer.json() if answer.body else None]


def _references() -> list[str]:
    return [
        reference(cast.COUNCIL_IN, kind, family)
        for kind in KINDS["childrens-services"]
        for family in FAMILY
    ]


def what_the_council_is_told(
    world: TwinWorld, trace: Sequence[tuple[list[Post | Decide], Post | Decide]], *, others: bool
) -> list[Any]:
    told, heard = Told(world), []
    for theirs, own in trace:
        for step in theirs if others else ():
            told.does(step)
        heard += [told.reads(), told.does(own), told.reads()]
    for step in trace[0][0] if others else ():
        told.does(step)
    return [*heard, told.reads()]


@sizes("examples", short=4, long=20)
def test_a_council_is_told_the_same_whatever_others_post(
    tmp_path_factory: Any, examples: int
) -> None:
    folder: Path = tmp_path_factory.mktemp("receipts")
    played = []

    @settings(
        max_examples=examples,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @example(THE_USUAL)
    @given(TRACES)
    def traces(trace: list[tuple[list[Post | Decide], Post | Decide]]) -> None:
        with three_worlds(folder) as (alone, together, _):
            mine = what_the_council_is_told(alone, trace, others=False)
            assert what_the_council_is_told(together, trace, others=True) == mine
            played.append(json.dumps(mine))

    traces()
    for word in ("placed", "delivered", "held", "ended"):
        assert any(f'"{word}"' in one for one in played), word
