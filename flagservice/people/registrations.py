"""Where a person is registered: never from what a submission says, always from a register.

A `Register` answers for one NHS number. The embedded default is a CSV file; the national
demographics service (PDS) fills the same interface. What it said last is kept, sealed, so that
posting a plan asks nobody over a network.
"""

import csv
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Final, Protocol

from sqlmodel import col, select

from flagservice.audit.log import Work
from flagservice.domain.errors import Fault, Invalid
from flagservice.domain.people import check_nhs_number
from flagservice.store import tables
from flagservice.store.lists import one_of

_ODS = re.compile(r"[A-Z0-9]{3,10}")
_FOUND: Final = select(tables.RegistrationRow).where(
    one_of(col(tables.RegistrationRow.pseudonym), "pseudonyms")
)
_COLUMNS = ["nhs_number", "date_of_birth", "practice"]


@dataclass(frozen=True)
class Registration:
    """One person's registration; without a practice, nobody knows where the record is.

    `refused` is the practice that said "not our patient" of what the register said before.
    """

    date_of_birth: date
    practice: str | None
    refused: str | None = None


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


def registration_of(work: Work, nhs_number: str) -> Registration | None:
    """What the register last said, without asking anybody."""
    row = _row(work, nhs_number)
    if row is None:
        return None
    return _read(_said(work, row))


def registrations_of(work: Work, nhs_numbers: Iterable[str]) -> dict[str, Registration]:
    """What the register last said of each of these people, by NHS number; in one statement."""
    pseudonyms = [
        one
        for number in nhs_numbers
        for one in work.vault.pseudonyms(number, purpose="registration")
    ]
    asked = {"pseudonyms": pseudonyms}
    said = [_said(work, row) for row in work.session.exec(_FOUND, params=asked)]
    return {str(one["number"]): _read(one) for one in said}


def keep_registration(work: Work, nhs_number: str, registration: Registration) -> bool:
    """Keeps what the register says; answers whether it is news.

    That it says again what a practice has refused is none: else the two would go on for ever, and
    somebody has to ask the register. Once it has said anything else, it is trusted again.
    """
    before = registration_of(work, nhs_number)
    if before and before.refused and before.refused == registration.practice:
        registration = replace(registration, practice=None, refused=before.refused)
    if before == registration:
        return False
    row = _row(work, nhs_number) or tables.RegistrationRow(
        id=work.new_id(),
        pseudonym=work.vault.pseudonym(nhs_number, purpose="registration"),
        data_key=b"",
        sealed=b"",
    )
    born, practice = registration.date_of_birth.isoformat(), registration.practice
    held = {"number": nhs_number, "born": born, "practice": practice}
    said = json.dumps({**held, "refused": registration.refused}).encode()
    row.data_key = work.vault.new_data_key()
    row.sealed = work.vault.seal_row(row, said)
    work.session.add(row)
    work.session.flush()
    return True


def nhs_number_of(work: Work, row: tables.RegistrationRow) -> str:
    """Whose registration a row is."""
    return str(_said(work, row)["number"])


def _row(work: Work, nhs_number: str) -> tables.RegistrationRow | None:
    pseudonyms = work.vault.pseudonyms(nhs_number, purpose="registration")
    return work.session.exec(_FOUND, params={"pseudonyms": pseudonyms}).first()


def _said(work: Work, row: tables.RegistrationRow) -> dict[str, Any]:
    opened = work.vault.open_row(row)
    said: dict[str, Any] = json.loads(opened)
    return said


def _read(said: dict[str, Any]) -> Registration:
    return Registration(date.fromisoformat(said["born"]), said["practice"], said.get("refused"))


def doubt(work: Work, nhs_number: str, practice: str) -> None:
    """Trusts no more that this person is registered at this practice, which says otherwise."""
    before = registration_of(work, nhs_number)
    if before is not None and before.practice in (None, practice):
        keep_registration(work, nhs_number, replace(before, practice=None, refused=practice))
