"""Where a person is registered: never from what a submission says, always from a register.

A `Register` answers for one NHS number. The embedded default is a CSV file; the national
demographics service (PDS) fills the same interface. What it said last is kept, sealed, so that
posting a plan asks nobody over a network.
"""

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Protocol

from flagservice.audit.log import Work
from flagservice.domain.errors import Fault, Invalid
from flagservice.domain.people import check_nhs_number
from flagservice.store import tables

_ODS = re.compile(r"[A-Z0-9]{3,10}")
_COLUMNS = ["nhs_number", "date_of_birth", "practice"]


@dataclass(frozen=True)
class Registration:
    """One person's registration; without a practice, nobody knows where the record is."""

    date_of_birth: date
    practice: str | None


class Register(Protocol):
    """Whoever knows registrations."""

    def find(self, nhs_number: str) -> Registration | None:
        """The registration of this person, or None if the register does not know the number."""

    def everybody(self) -> Iterator[tuple[str, Registration]]:
        """Every registration, for a first load; a register too large for that yields none."""


class CsvRegister:
    """A local register: columns nhs_number, date_of_birth, practice (an ODS code, or empty).

    A file is news of those who stand in it, and says nothing of anybody else.
    """

    def __init__(self, path: Path) -> None:
        self._known: dict[str, Registration] = {}
        for number, registration in _rows(path):
            if self._known.setdefault(number, registration) is not registration:
                raise Invalid(Fault("register", "has the same NHS number on two lines"))

    def find(self, nhs_number: str) -> Registration | None:
        """The row with this number."""
        return self._known.get(nhs_number)

    def everybody(self) -> Iterator[tuple[str, Registration]]:
        """Every row."""
        yield from self._known.items()


def _rows(path: Path) -> Iterator[tuple[str, Registration]]:
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if reader.fieldnames != _COLUMNS:
            raise Invalid(Fault("register", f"its first line is {','.join(_COLUMNS)}"))
        for number, row in enumerate(reader, start=2):
            try:
                born = date.fromisoformat(row["date_of_birth"])
                yield (check_nhs_number(row["nhs_number"]), Registration(born, _practice(row)))
            except (ValueError, TypeError):
                raise Invalid(
                    Fault(f"register line {number}", "does not fit its columns")
                ) from None


def _practice(row: dict[str, str]) -> str | None:
    if row["practice"] and not _ODS.fullmatch(row["practice"]):
        raise ValueError
    return row["practice"] or None


def known(work: Work, nhs_number: str) -> Registration | None:
    """What the register last said, without asking anybody."""
    for row_id in work.vault.pseudonyms(nhs_number, purpose="registration"):
        row = work.session.get(tables.Registration, row_id)
        if row is not None:
            opened = work.vault.open(
                row.data_key, row.sealed, table="registration", row=row_id, version=1
            )
            said = json.loads(opened)
            return Registration(date.fromisoformat(said["born"]), said["practice"])
    return None


def learn(work: Work, nhs_number: str, registration: Registration) -> bool:
    """Keeps what the register says; answers whether it is news."""
    if known(work, nhs_number) == registration:
        return False
    row_id = work.vault.pseudonym(nhs_number, purpose="registration")
    data_key = work.vault.new_data_key()
    said = {"born": registration.date_of_birth.isoformat(), "practice": registration.practice}
    sealed = work.vault.seal(
        data_key, json.dumps(said).encode(), table="registration", row=row_id, version=1
    )
    work.session.merge(tables.Registration(id=row_id, data_key=data_key, sealed=sealed))
    work.session.flush()
    return True
