"""Knows where a person is registered: always from a register, never from a submission.

What a register said last is kept, sealed, so that posting a plan makes no network call.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from sqlmodel import col, select

from flagservice.audit.log import Work
from flagservice.store import tables
from flagservice.store.lists import one_of

_FOUND: Final = select(tables.RegistrationRow).where(
    one_of(col(tables.RegistrationRow.pseudonym), "pseudonyms")
)


@dataclass(frozen=True)
class Registration:
    """One person's registration. Without a practice it is not known where the record is.

    `refused` is the practice that said "not our patient" of what the register said before.
    """

    date_of_birth: date
    practice: str | None
    refused: str | None = None


def registration_of(work: Work, nhs_number: str) -> Registration | None:
    """Returns what the register last said, without asking it."""
    row = _row(work, nhs_number)
    if row is None:
        return None
    return _read(_said(work, row))


def registrations_of(work: Work, nhs_numbers: Iterable[str]) -> dict[str, Registration]:
    """Returns what the register last said of each of these people, in one statement."""
    pseudonyms = [
        one
        for number in nhs_numbers
        for one in work.vault.pseudonyms(number, purpose="registration")
    ]
    asked = {"pseudonyms": pseudonyms}
    said = [_said(work, row) for row in work.session.exec(_FOUND, params=asked)]
    return {str(one["number"]): _read(one) for one in said}


def keep_registration(work: Work, nhs_number: str, registration: Registration) -> bool:
    """Keeps what the register says. Returns whether it is news.

    It is none where the register says again what a practice has refused: else the two would go on
    for ever. Once it has said anything else, it is trusted again.
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


def doubt(work: Work, nhs_number: str, practice: str) -> None:
    """Trusts no more that this person is registered at this practice, which says otherwise."""
    before = registration_of(work, nhs_number)
    if before is not None and before.practice in (None, practice):
        keep_registration(work, nhs_number, replace(before, practice=None, refused=practice))


def nhs_number_of(work: Work, row: tables.RegistrationRow) -> str:
    """Returns whose registration a row is."""
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
