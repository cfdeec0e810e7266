"""All that could ever be learnt from a world: its ids, numbers, instants and cursors.

Outsiders are given the other worlds' secrets, too: knowing an id must not help.
"""

from collections.abc import Iterable
from typing import Any

from sqlmodel import col, select

from flagservice.api.records.cursors import Feed, cursor_of
from flagservice.fhir.flags import instant, resource_type
from flagservice.store import tables
from tests.twin import cast
from tests.twin.worlds import START, TwinWorld

Learnt = dict[str, list[str]]
_IDS: tuple[type[Any], ...] = (
    tables.CopyRow,
    tables.VersionRow,
    tables.HoldRow,
    tables.DeliveryRow,
    tables.SubmissionRow,
    tables.RulingRow,
    tables.PlanRow,
    tables.PersonRow,
)
NOBODYS = "0123456789abcdef0123456789abcdef"


def learnt_from(worlds: Iterable[TwinWorld]) -> Learnt:
    """By what they are; each list has something that nothing is called, too."""
    found: dict[str, set[str]] = {str(table.__tablename__): {NOBODYS} for table in _IDS}
    found |= {
        "number": {"1", "2"},
        "instant": {instant(START)},
        "cursor": {cursor_of(Feed("B83905", "Flag"), 1)},
    }
    for world in worlds:
        with world.database.transaction() as session:
            for table in _IDS:
                found[str(table.__tablename__)].update(session.exec(select(col(table.id))))
            for version in session.exec(select(tables.VersionRow)):
                found["number"].add(str(version.number))
                found["instant"].add(instant(version.issued))
                feed = Feed(version.practice, resource_type(version.form))
                found["cursor"].add(cursor_of(feed, version.feed_number))
        world.forgets_what_it_issued()
        now = str(int(world.now.timestamp()))
        found["now"] = {now}
    people = [m for family in (*cast.HIDDEN_FAMILIES, *cast.OPEN_FAMILIES) for m in family]
    found["nhs"] = {member.number for member in people} | {"9990002924"}
    found["ods"] = {*cast.INSIDE, *cast.OUTSIDE, cast.NOT_ADMITTED}
    return {name: sorted(values) for name, values in found.items()}
