"""Plays events in every order in which they can happen, and says what stands at the end.

One database in memory serves a whole tree of orders: at each fork it is put back to how it was.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlmodel import col, select

from flagservice.audit.log import Actor, Deed, Work
from flagservice.domain.errors import Invalid
from flagservice.kit.demo.family import Family, TimelineEvent, people_of
from flagservice.store import tables
from tests.world import COUNCIL, POLICE, World

SENDERS = {"children's services": COUNCIL, "police": POLICE}
Step = Callable[[World], bool]
"""Lets one event happen; answers whether it could."""
End = dict[str, Any]


def ends(
    world: World, steps: Sequence[Step], *, at: Sequence[str], every: bool = True
) -> Iterator[tuple[str, End]]:
    """The end of each order of these steps, with the order's name; of every one, or of some.

    Some are those in which any step is first, and each next one is the first or the last of the
    steps that are left.
    """
    for order in _orders(world, tuple(range(len(steps))), steps, every=every):
        yield " ".join(map(str, order)), the_end(world, at)


def _orders(
    world: World,
    left: tuple[int, ...],
    steps: Sequence[Step],
    *,
    every: bool,
    before: tuple[int, ...] = (),
) -> Iterator[tuple[int, ...]]:
    if not left:
        yield before
        return
    here = _connection(world).serialize()
    for step in left if every or not before else {left[0], left[-1]}:
        if steps[step](world):
            rest = tuple(other for other in left if other != step)
            yield from _orders(world, rest, steps, every=every, before=(*before, step))
        _connection(world).deserialize(here)


def _connection(world: World) -> Any:
    return world.database.engine.raw_connection().driver_connection


def steps_of(family: Family) -> list[Step]:
    """A family's events, as far as there is anything to do."""
    return [
        _step(family, event)
        for event in family.events
        if event.not_yet is None and (event.posts or event.decides or event.moves)
    ]


def _step(family: Family, event: TimelineEvent) -> Step:
    def step(world: World) -> bool:
        for post in event.posts:
            with _unless_overdue():
                world.posts(SENDERS[event.origin], people_of(post["body"], family))
        for key, practice in event.moves.items():
            member = family.members[key]
            world.registered(member.nhs_number, member.born.isoformat(), practice)
        if event.decides is None:
            return True
        waiting = world.worklist(event.decides)
        for _ in waiting:
            world.decides(event.decides)
        return bool(waiting)

    return step


@contextmanager
def _unless_overdue() -> Iterator[None]:
    """Long after the birth, an unborn child's version is taken no more: the next one says all."""
    try:
        yield
    except Invalid as refused:
        if {fault.field.rpartition(".")[2] for fault in refused.faults} != {"expected_date"}:
            raise


def practices_of(family: Family) -> list[str]:
    """Every practice that the family's records were or will be at."""
    moved = {code for event in family.events for code in event.moves.values()}
    return sorted(moved | {member.practice for member in family.members.values()})


def the_end(world: World, at: Sequence[str]) -> End:
    """What each practice holds, what waits for whom, and what is not reached; no ids, no instants.

    Of a resource that leaves only its content: the newest version of every copy not taken back.
    """
    return {
        "held": {practice: sorted(map(content, world.held_at(practice))) for practice in at},
        "waits": {
            ods: sorted(
                (item.nhs_number, sorted(item.would.items()), str(item.due), item.decider)
                for item in world.worklist(ods)
            )
            for ods in (*at, COUNCIL, POLICE)
        },
        "not reached": open_gaps(world),
    }


def content(resource: dict[str, Any]) -> str:
    """All that a resource says, without what belongs to this copy and version alone."""
    meta = {k: v for k, v in resource["meta"].items() if k not in ("versionId", "lastUpdated")}
    rest = {k: v for k, v in resource.items() if k not in ("id", "identifier", "meta")}
    return json.dumps({**rest, "meta": meta}, sort_keys=True)


def open_gaps(world: World) -> list[tuple[str, str]]:
    """Role and reason of every open look-up."""

    def deed(work: Work) -> list[tuple[str, str]]:
        work.record(Deed.STATUS_READ)
        asked = select(tables.LookupRow).where(col(tables.LookupRow.closed).is_(None))
        return sorted((gap.role, gap.reason) for gap in work.session.exec(asked))

    return world.log.perform(Actor("test"), deed)
