"""Finds people by pseudonym, and locks them so that no two deeds rule on one at once."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import CompoundSelect, bindparam, union
from sqlmodel import col, select

from flagservice.audit.log import Work
from flagservice.store import tables
from flagservice.store.lists import one_of

# Two searches by two indexes: one with OR between them PostgreSQL answers by reading everybody.
_WANTED: Final[CompoundSelect[Any]] = union(
    select(col(tables.PersonRow.id)).where(one_of(col(tables.PersonRow.pseudonym), "pseudonyms")),
    select(col(tables.NamingRow.person_id)).where(
        col(tables.NamingRow.plan_id) == bindparam("plan")
    ),
)
_FOUND: Final = (
    select(tables.PersonRow)
    .where(col(tables.PersonRow.id).in_(_WANTED))
    .order_by(col(tables.PersonRow.id))
    # Their keys stay: a row that is made to refer to one of them need not wait.
    .with_for_update(key_share=True)
)


def lock(
    work: Work, nhs_numbers: Iterable[str], *, and_of: str = ""
) -> dict[str, tables.PersonRow]:
    """Returns each person by NHS number, locked; makes a person who is new.

    The same statement locks those whom the plan `and_of` names so far. Two statements would be two
    orders, in which two transactions could each wait for the other.
    """
    numbers = set(nhs_numbers)
    found = {nhs_number_of(work, row): row for row in _found(work, numbers, and_of)}
    rows = {number: row for number, row in found.items() if number in numbers}
    fresh = {work.vault.pseudonym(n, purpose="person"): n for n in numbers - rows.keys()}
    made = {fresh[one]: _make(work, fresh[one], one) for one in sorted(fresh)}
    # Two that meet the same new person at once meet in the unique pseudonym.
    work.session.flush()
    return rows | made


def lock_known(work: Work, person_ids: Iterable[str]) -> list[tables.PersonRow]:
    """Returns people who are known already, locked in the same order."""
    wanted = set(person_ids)
    if not wanted:
        return []
    asked = (
        select(tables.PersonRow)
        .where(col(tables.PersonRow.id).in_(wanted))
        .order_by(col(tables.PersonRow.id))
        .with_for_update(key_share=True)
    )
    return list(work.session.exec(asked).all())


def nhs_number_of(work: Work, person: tables.PersonRow) -> str:
    """Returns a person's NHS number, opened."""
    return work.vault.open_row(person).decode()


def _found(work: Work, nhs_numbers: Iterable[str], plan_id: str) -> Sequence[tables.PersonRow]:
    """Returns them by their ids: a rotation of the pseudonyms' key would change another order."""
    pseudonyms = [
        one for number in nhs_numbers for one in work.vault.pseudonyms(number, purpose="person")
    ]
    asked = {"pseudonyms": pseudonyms, "plan": plan_id}
    return work.session.exec(_FOUND, params=asked).all()


def _make(work: Work, nhs_number: str, pseudonym: str) -> tables.PersonRow:
    row_id, data_key = work.new_id(), work.vault.new_data_key()
    row = tables.PersonRow(id=row_id, pseudonym=pseudonym, data_key=data_key, sealed=b"")
    row.sealed = work.vault.seal_row(row, nhs_number.encode())
    work.made.add(row_id)
    work.session.add(row)
    return row
