"""Reads at once all that is kept of some people: a ruling looks at the whole of a person.

That takes six statements, however many people and plans there are. Rulings are made in memory, and
written together at the end.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from sqlmodel import col, select

from flagservice.audit.log import Work
from flagservice.domain.copies import CopyStatus
from flagservice.people import registrations
from flagservice.people.persons import nhs_number_of
from flagservice.people.registrations import Registration
from flagservice.store import tables
from flagservice.store.lists import one_of

T = TypeVar("T")


def _by_people(table: Any) -> Any:
    """Returns a statement that is made once: making it takes longer than running it."""
    return select(table).where(one_of(col(table.person_id), "people")).order_by(col(table.id))


_NAMED: Final = (
    select(tables.PlanRow, tables.NamingRow)
    .where(col(tables.NamingRow.plan_id) == col(tables.PlanRow.id))
    .where(one_of(col(tables.NamingRow.person_id), "people"))
    .order_by(col(tables.PlanRow.id))
)
_HOLDS: Final = _by_people(tables.HoldRow)
_COPIES: Final = _by_people(tables.CopyRow)
_LOOKUPS: Final = _by_people(tables.LookupRow)
_GROUNDS: Final = (
    select(tables.GroundRow)
    .where(col(tables.GroundRow.copy_id) == col(tables.CopyRow.id))
    .where(one_of(col(tables.CopyRow.person_id), "people"))
    .order_by(col(tables.GroundRow.copy_id), col(tables.GroundRow.naming_id))
)


@dataclass(frozen=True)
class PersonFile:
    """All that is kept of one person.

    Plans are in the order of their ids, holds in the order of decision, grounds by their copy's id.
    """

    person: tables.PersonRow
    registration: Registration | None
    named: Sequence[tuple[tables.PlanRow, tables.NamingRow]]
    holds: Sequence[tables.HoldRow]
    copies: Sequence[tables.CopyRow]
    grounds: Mapping[str, Sequence[tables.GroundRow]]
    lookups: Sequence[tables.LookupRow]

    @property
    def practice(self) -> str | None:
        """The practice where the person is registered, if it is known."""
        return self.registration.practice if self.registration else None

    def standing_copies(self) -> list[tables.CopyRow]:
        """Returns the copies that were not taken back."""
        return [copy for copy in self.copies if copy.status is not CopyStatus.REMOVED]


def person_files(work: Work, people: Iterable[tables.PersonRow]) -> list[PersonFile]:
    """Returns a file for each of these people, in their order."""
    rows = list(people)
    ids = [person.id for person in rows]
    numbers = {person.id: nhs_number_of(work, person) for person in rows}
    registered = registrations.registrations_of(work, numbers.values())
    asked = {"people": ids}
    named = _by(work.session.exec(_NAMED, params=asked), lambda one: one[1].person_id)
    known = [one for one in ids if one not in work.made]
    holds, copies, lookups = (_of(work, table, known) for table in (_HOLDS, _COPIES, _LOOKUPS))
    asked = {"people": [one for one in known if one in copies]}
    found = work.session.exec(_GROUNDS, params=asked) if asked["people"] else ()
    grounds = _by(found, lambda one: one.copy_id)
    return [
        PersonFile(
            person,
            registered.get(numbers[person.id]),
            named.get(person.id, ()),
            sorted(holds.get(person.id, ()), key=_decided),
            copies.get(person.id, ()),
            {one.id: grounds.get(one.id, ()) for one in copies.get(person.id, ())},
            [lookup for lookup in lookups.get(person.id, ()) if lookup.closed is None],
        )
        for person in rows
    ]


def _of(work: Work, asked: Any, people: Sequence[str]) -> dict[Hashable, list[Any]]:
    """Returns the rows of each person. Where nobody was known before it asks nothing."""
    found = work.session.exec(asked, params={"people": people}) if people else ()
    return _by(found, lambda one: one.person_id)


def _by(found: Iterable[T], key: Callable[[T], Hashable]) -> dict[Hashable, list[T]]:
    sorted_: dict[Hashable, list[T]] = {}
    for one in found:
        sorted_.setdefault(key(one), []).append(one)
    return sorted_


def _decided(hold: tables.HoldRow) -> str:
    return hold.decided_at.isoformat() if hold.decided_at else ""
