"""Replaces the pseudonym key while the service runs. It may be killed at any moment.

1. The new key is in the file, and with every process; no row is found by it yet.
2. The database says that rows may carry it: from the next unit of work on rows are made under it,
   and looked for under both. Why no row is made twice: `store.pseudonyms`.
3. Batch by batch each row is given its new pseudonym, from what it holds sealed.
4. Once no row carries the old one, the database says that it is looked for no more. Now the old
   key can be dropped.

What is compared and never searched for is no pseudonym: data keys key those digests.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from sqlalchemy import ColumnElement, func
from sqlmodel import col, not_, select

from flagservice.app.build import Installation
from flagservice.app.keys.backlog import Backlog, sweep_all
from flagservice.app.keys.keyset import add_pseudonym_key, drop_pseudonym_key
from flagservice.audit.log import Deed, Work
from flagservice.domain.errors import Conflict
from flagservice.intake import plans
from flagservice.intake.policies import approval
from flagservice.people import persons, registrations
from flagservice.store import tables
from flagservice.store.sealing import pseudonyms


@dataclass(frozen=True)
class PseudonymColumn:
    """A column by which rows are found, and what a row's pseudonym stands for."""

    table: Any
    column: str
    purpose: str
    stands_for: Callable[[Work, Any], str]

    @property
    def backlog(self) -> Backlog:
        """Returns the rows that carry an older version."""
        return Backlog(self.table, lambda work: not_(self.is_of(_newest(work))), self._mend)

    def is_of(self, version: int) -> ColumnElement[bool]:
        """Returns whether a row carries this version, for a query."""
        return col(getattr(self.table, self.column)).startswith(f"{version}:")

    def _mend(self, work: Work, row: Any) -> None:
        setattr(
            row, self.column, work.vault.pseudonym(self.stands_for(work, row), purpose=self.purpose)
        )


PSEUDONYM_COLUMNS: Final = (
    PseudonymColumn(tables.PersonRow, "pseudonym", "person", persons.nhs_number_of),
    PseudonymColumn(
        tables.RegistrationRow, "pseudonym", "registration", registrations.nhs_number_of
    ),
    PseudonymColumn(tables.PlanRow, "reference", "reference", plans.natural_key_of),
    PseudonymColumn(tables.ApproverRow, "pseudonym", "approver", approval.name_key_of),
)
ARCHIVED: Final = ("audit",)
"""In leaves, which cannot be changed: to find a person in old ones takes the old key.

Before it is dropped it goes to where evidence is kept; or, by decision, nowhere.
"""
PASSING: Final = ("lapse", "alarm", "page")
"""Worked out anew each time it is shown, or gone within a day: until then one may count twice."""


def rotate_pseudonyms(installation: Installation) -> int:
    """Gives every row a pseudonym under a new key; returns how many it gave.

    It first ends an unfinished rotation, and then adds no key. If this process has a newest key
    that no row may carry yet, that is the new one: so it was handed out before.
    """
    carried = installation.perform(_carried)
    known = installation.keys.vault.newest_pseudonym_version()
    by_file = installation.settings.pseudonym_keys is None
    if by_file and carried == (known,):
        add_pseudonym_key(installation.settings.keys_folder)
    version = installation.perform(_begin)
    given = sweep_all(installation, [one.backlog for one in PSEUDONYM_COLUMNS])
    installation.perform(partial(_end, version=version))
    return given


def drop_pseudonyms(installation: Installation, version: int) -> None:
    """Drops a version of the key that no row may carry; raises Conflict."""
    if installation.settings.pseudonym_keys is not None:
        raise Conflict("these keys are given by the environment: take it out there")
    if version in installation.perform(_carried):
        raise Conflict("rows may carry this version: rotate first")
    drop_pseudonym_key(installation.settings.keys_folder, version)


def carried_by(work: Work) -> dict[int, dict[str, int]]:
    """Returns how many rows of each table carry each version that rows may carry."""
    return {
        version: {one.table.__tablename__: _count(work, one, version) for one in PSEUDONYM_COLUMNS}
        for version in pseudonyms.live(work.session)
    }


def _begin(work: Work) -> int:
    version = pseudonyms.carry(work.session, work.vault.newest_pseudonym_version(), now=work.now)
    work.record(Deed.KEYS_ROTATED, pseudonyms=version)
    return version


def _end(work: Work, *, version: int) -> None:
    """Ends the rotation that began this version: another may have begun the next by now."""
    pseudonyms.carry_no_older(work.session, version)
    work.record(Deed.KEYS_ROTATED, pseudonyms_ended_below=version)


def _carried(work: Work) -> tuple[int, ...]:
    work.record(Deed.STATUS_READ, what="pseudonym keys")
    return pseudonyms.live(work.session)


def _newest(work: Work) -> int:
    return pseudonyms.live(work.session)[0]


def _count(work: Work, one: PseudonymColumn, version: int) -> int:
    asked = select(func.count()).select_from(one.table).where(one.is_of(version))
    return work.session.exec(asked).one()
