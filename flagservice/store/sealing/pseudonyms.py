"""Keyed pseudonyms, by which people, plans and approvers are found, and how their key is replaced.

NHS numbers are few enough to try them all, so who holds the key can undo every pseudonym. That key
is apart from the keys that seal. A pseudonym begins with the version of its key.

A row carries one pseudonym. While the key is replaced there are rows of two versions, and two rows
for one person would split what is known of them. So the database says which versions rows may
carry, and each unit of work that gives pseudonyms reads that first:

- it looks for all of these versions in one statement, so that a row which gets its new
  pseudonym meanwhile is found by the one or by the other;
- it makes rows under the newest only;
- a process without that key refuses, rather than finding nobody.

The versions change alone (`_alone`): a unit of work that has read them ends first, and the next one
reads the new ones. So no row is made under a version that another process no longer looks for.
"""

import hmac
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Final, Protocol

from sqlalchemy import text
from sqlmodel import Session, col, delete, select

from flagservice.store import tables
from flagservice.store.sealing.ciphers import UnknownKey, VaultError, as_bytes, checked_key, framed

FIRST = 1


class PseudonymKeys(Protocol):
    """The pseudonym keys by version, in this process or in a service that has them."""

    def versions(self) -> tuple[int, ...]:
        """Returns the versions, newest first."""

    def pseudonym(self, value: str, *, purpose: str, version: int) -> str:
        """Returns a value's pseudonym: always the same. Raises `UnknownKey`."""


class LocalPseudonymKeys:
    """Pseudonym keys held in this process."""

    def __init__(self, keys: Mapping[int, bytes]) -> None:
        if not keys or min(keys) < FIRST:
            raise VaultError("the versions of the pseudonym key are 1, 2, 3 and so on")
        if len(set(keys.values())) < len(keys):
            raise VaultError("two versions of the pseudonym key are the same key")
        self._keyed = {
            version: hmac.new(checked_key(keys[version]), digestmod=sha256)
            for version in sorted(keys, reverse=True)
        }

    def versions(self) -> tuple[int, ...]:
        """As `PseudonymKeys` says."""
        return tuple(self._keyed)

    def pseudonym(self, value: str, *, purpose: str, version: int) -> str:
        """As `PseudonymKeys` says."""
        keyed = self._keyed.get(version)
        if keyed is None:
            raise UnknownKey(f"version {version} of the pseudonym key is not here")
        one = keyed.copy()
        one.update(framed(purpose) + as_bytes(value))
        return f"{version}:{one.hexdigest()}"

    def __repr__(self) -> str:
        return f"<LocalPseudonymKeys {', '.join(map(str, self._keyed))}>"


_LIVE: Final = select(tables.PseudonymVersionRow.version).order_by(
    col(tables.PseudonymVersionRow.version).desc()
)


def live(session: Session) -> tuple[int, ...]:
    """Returns the versions that rows may carry until this transaction ends, newest first.

    To read the table is to lock it against `_alone`, in PostgreSQL before the statement looks.
    """
    return tuple(session.exec(_LIVE).all()) or (FIRST,)


def carry(session: Session, version: int, *, now: datetime) -> int:
    """Makes rows under this version from now on, and lets them be found under the one before.

    It changes nothing while an earlier change is not at its end. It returns the version under which
    rows are made. That version may be called complete once no row carries an older one.
    """
    _alone(session)
    before = live(session)
    if len(before) == 1 and version > before[0]:
        for one in (before[0], version):
            session.merge(tables.PseudonymVersionRow(version=one, since=now))
        session.flush()
    return live(session)[0]


def carry_no_older(session: Session, version: int) -> None:
    """Ends the search for earlier versions: no row carries one, and none will."""
    _alone(session)
    session.exec(
        delete(tables.PseudonymVersionRow).where(col(tables.PseudonymVersionRow.version) < version)
    )


def _alone(session: Session) -> None:
    """Waits for every unit of work that has read the versions. SQLite has one writer anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("LOCK TABLE pseudonym_version IN ACCESS EXCLUSIVE MODE"))
