"""A row's body belongs to that row: the place is read from the row, and nothing else opens it."""

from typing import Any, NamedTuple

import pytest

from flagservice.store import tables
from flagservice.store.sealing.ciphers import CannotOpen
from flagservice.store.sealing.keyrings import LocalKeyRing
from flagservice.store.sealing.places import SealedPlace, place_of
from flagservice.store.sealing.pseudonyms import LocalPseudonymKeys
from flagservice.store.sealing.vault import Vault

VAULT = Vault(LocalKeyRing({"k1": b"k" * 32}, "k1"), LocalPseudonymKeys({1: b"p" * 32}))
BODY = b"9000000009"


def a_row(table: type[Any], **columns: Any) -> Any:
    """A table validates nothing, so that a row has whatever columns a test needs."""
    return table(**columns)


def a_person(id_: str = "7") -> tables.PersonRow:
    row = tables.PersonRow(id=id_, pseudonym="1:a", data_key=VAULT.new_data_key(), sealed=b"")
    row.sealed = VAULT.seal_row(row, BODY)
    return row


def a_naming(version: int) -> tables.NamingRow:
    return tables.NamingRow(
        id="7", plan_id="p", place=0, version=version, data_key=VAULT.new_data_key(), sealed=b""
    )


@pytest.mark.parametrize(
    ("row", "place"),
    [
        (a_person(), SealedPlace("person", "7", 1)),
        (a_naming(3), SealedPlace("naming", "7", 3)),
        (a_row(tables.SubmissionRow, id="7", version=4), SealedPlace("submission", "7", 4)),
        (a_row(tables.VersionRow, id="7", number=5), SealedPlace("version", "7", 5)),
        (a_row(tables.HoldRow, id="7", version=6), SealedPlace("hold", "7", 1)),
        (a_row(tables.EndpointRow, practice="B83901"), SealedPlace("endpoint", "B83901", 1)),
        (a_row(tables.CheckerRow, name="tool"), SealedPlace("checker", "tool", 1)),
    ],
    ids=lambda one: one.table if isinstance(one, SealedPlace) else "",
)
def test_a_place_is_the_table_the_key_and_the_version_of_a_row(
    row: Any, place: SealedPlace
) -> None:
    assert place_of(row) == place


class Columns(NamedTuple):
    """What a query of columns gives: no row, and yet a body of one."""

    id: str
    number: int
    sealed: bytes


def test_a_body_opens_from_the_columns_of_its_row_as_well() -> None:
    key, row = VAULT.new_data_key(), a_row(tables.VersionRow, id="7", number=5)
    sealed = VAULT.seal_row_under(key, row, BODY)
    read = Columns(row.id, row.number, sealed)
    assert VAULT.open_row_under(key, read, table=tables.VersionRow) == BODY


def test_a_body_opens_in_its_own_row_and_in_no_other() -> None:
    one, other = a_person(), a_person("8")
    assert VAULT.open_row(one) == BODY
    other.data_key, other.sealed = one.data_key, one.sealed
    with pytest.raises(CannotOpen):
        VAULT.open_row(other)


def test_the_body_of_an_earlier_version_does_not_open_in_a_later_one() -> None:
    naming = a_naming(1)
    naming.sealed = VAULT.seal_row(naming, BODY)
    naming.version = 2
    with pytest.raises(CannotOpen):
        VAULT.open_row(naming)


def test_a_hold_that_nobody_has_decided_has_nothing_to_open() -> None:
    hold = a_row(tables.HoldRow, id="7", version=1)
    with pytest.raises(CannotOpen, match="no data key"):
        VAULT.open_row(hold)
    hold.data_key = VAULT.new_data_key()
    with pytest.raises(CannotOpen, match="no sealed body"):
        VAULT.open_row(hold)
