"""Reads where people are registered, from the source that an installation has.

A `Register` answers for one NHS number. The embedded default is a CSV file. The national
demographics service (PDS) fills the same interface.
"""

import csv
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Protocol

from flagservice.domain.errors import Fault, Invalid
from flagservice.domain.people import check_nhs_number
from flagservice.people.registrations import Registration

_ODS = re.compile(r"[A-Z0-9]{3,10}")
_COLUMNS = ["nhs_number", "date_of_birth", "practice"]


class Register(Protocol):
    """A source of registrations."""

    def find(self, nhs_number: str) -> Registration | None:
        """Returns this person's registration, or None if the register does not know the number."""

    def everybody(self) -> Iterator[tuple[str, Registration]]:
        """Yields every registration, for a first load; none if there are too many for that."""


class CsvRegister:
    """A local register: columns nhs_number, date_of_birth, practice (an ODS code, or empty).

    A file is news of those who stand in it, and says nothing of others.
    """

    def __init__(self, path: Path) -> None:
        self._known: dict[str, Registration] = {}
        for number, registration in _rows(path):
            if self._known.setdefault(number, registration) is not registration:
                raise Invalid(Fault("register", "has the same NHS number on two lines"))

    def find(self, nhs_number: str) -> Registration | None:
        """As `Register` says."""
        return self._known.get(nhs_number)

    def everybody(self) -> Iterator[tuple[str, Registration]]:
        """As `Register` says."""
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
