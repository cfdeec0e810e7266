"""The people of a submission, found by pseudonym and locked, so that no two deeds rule on one."""

from collections.abc import Iterable

from sqlmodel import col, select

from flagservice.audit.log import Work
from flagservice.store import tables


def locked(work: Work, nhs_numbers: Iterable[str]) -> dict[str, tables.Person]:
    """Each person by NHS number, made if need be, locked in one order for everybody."""
    wanted = {number: _pseudonym(work, number) for number in nhs_numbers}
    rows = {}
    for number, pseudonym in sorted(wanted.items(), key=lambda item: item[1]):
        row = _find(work, pseudonym) or _make(work, number, pseudonym)
        rows[number] = row
    return rows


def lock_again(work: Work, person_ids: Iterable[str]) -> list[tables.Person]:
    """People who are already known, locked in the same order."""
    asked = (
        select(tables.Person)
        .where(col(tables.Person.id).in_(set(person_ids)))
        .order_by(col(tables.Person.pseudonym))
        .with_for_update()
    )
    return list(work.session.exec(asked).all())


def known(work: Work, nhs_number: str) -> tables.Person | None:
    """The person with this number, if the service has ever heard of them."""
    for pseudonym in work.vault.pseudonyms(nhs_number, purpose="person"):
        row = work.session.exec(
            select(tables.Person).where(col(tables.Person.pseudonym) == pseudonym)
        ).first()
        if row is not None:
            return row
    return None


def nhs_number_of(work: Work, person: tables.Person) -> str:
    """The sealed number, opened."""
    return work.vault.open(
        person.data_key, person.sealed, table="person", row=person.id, version=1
    ).decode()


def _pseudonym(work: Work, nhs_number: str) -> str:
    row = known(work, nhs_number)
    return row.pseudonym if row else work.vault.pseudonym(nhs_number, purpose="person")


def _find(work: Work, pseudonym: str) -> tables.Person | None:
    asked = select(tables.Person).where(col(tables.Person.pseudonym) == pseudonym)
    return work.session.exec(asked.with_for_update()).first()


def _make(work: Work, nhs_number: str, pseudonym: str) -> tables.Person:
    """Two that meet the same new person at once meet in the unique pseudonym."""
    row_id, data_key = work.new_id(), work.vault.new_data_key()
    sealed = work.vault.seal(data_key, nhs_number.encode(), table="person", row=row_id, version=1)
    row = tables.Person(id=row_id, pseudonym=pseudonym, data_key=data_key, sealed=sealed)
    work.session.add(row)
    work.session.flush()
    return row
