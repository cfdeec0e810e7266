"""The vault opens what it sealed, where it sealed it, and says nothing to anybody else."""

import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flagservice.store.sealing.ciphers import CannotOpen, UnknownKey, VaultError
from flagservice.store.sealing.keyrings import LocalKeyRing, wrapping_key_id
from flagservice.store.sealing.pseudonyms import LocalPseudonymKeys
from flagservice.store.sealing.vault import DataKeys, Vault, commit

OLD, NEW = b"o" * 32, b"n" * 32
PSEUDONYM_KEY = b"p" * 32
OLD_RING = LocalKeyRing({"k1": OLD}, "k1")
BOTH_RING = LocalKeyRing({"k1": OLD, "k2": NEW}, "k2")
NEW_RING = LocalKeyRing({"k2": NEW}, "k2")

BODY = b"a child protection plan"
NHS_NUMBER = "9000000009"

places = st.fixed_dictionaries(
    {
        "table": st.text(max_size=8),
        "row": st.text(max_size=8),
        "version": st.integers() | st.text(max_size=8),
    }
)


class CountingRing(LocalKeyRing):
    """Counts how often the key management service would be asked."""

    asked = 0

    def unwrap(self, wrapped: bytes) -> bytes:
        self.asked += 1
        return super().unwrap(wrapped)


def given_a_vault(ring: LocalKeyRing = BOTH_RING) -> Vault:
    return Vault(ring, LocalPseudonymKeys({1: PSEUDONYM_KEY}))


KEYS = LocalPseudonymKeys({1: PSEUDONYM_KEY})
VAULT = given_a_vault()
KEY = VAULT.new_data_key()
SEALED = VAULT.seal(KEY, BODY, table="plans", row="7", version=1)


def then_closed(wrapped: bytes, sealed: bytes, *, table: str = "plans", row: str = "7") -> None:
    with pytest.raises(CannotOpen):
        VAULT.open(wrapped, sealed, table=table, row=row, version=1)


def each_flip(data: bytes) -> list[bytes]:
    whole = int.from_bytes(data)
    return [(whole ^ 1 << bit).to_bytes(len(data)) for bit in range(len(data) * 8)]


@given(st.binary(), places)
def test_what_is_sealed_opens_in_its_place(body: bytes, place: dict[str, Any]) -> None:
    sealed = VAULT.seal(KEY, body, **place)
    assert VAULT.open(KEY, sealed, **place) == body


@given(places, places)
def test_what_is_sealed_opens_nowhere_else(place: dict[str, Any], other: dict[str, Any]) -> None:
    sealed = VAULT.seal(KEY, BODY, **place)
    if {key: str(value) for key, value in place.items()} == {
        key: str(value) for key, value in other.items()
    }:
        assert VAULT.open(KEY, sealed, **other) == BODY
        return
    with pytest.raises(CannotOpen):
        VAULT.open(KEY, sealed, **other)


@pytest.mark.parametrize("other", [{"table": "flags"}, {"row": "8"}, {"version": 2}])
def test_another_table_row_or_version_does_not_open(other: dict[str, Any]) -> None:
    place: dict[str, Any] = {"table": "plans", "row": "7", "version": 1}
    with pytest.raises(CannotOpen):
        VAULT.open(KEY, SEALED, **(place | other))


def test_names_that_run_together_alike_are_different_places() -> None:
    sealed = VAULT.seal(KEY, BODY, table="plans", row="71", version=1)
    with pytest.raises(CannotOpen):
        VAULT.open(KEY, sealed, table="plans7", row="1", version=1)
    with pytest.raises(CannotOpen):
        VAULT.open(KEY, sealed, table="plans", row="7", version=11)


def test_the_bodies_of_two_rows_cannot_be_swapped() -> None:
    other_key = VAULT.new_data_key()
    same_person = VAULT.seal(KEY, b"another body", table="plans", row="8", version=1)
    other_person = VAULT.seal(other_key, b"another body", table="plans", row="7", version=1)
    then_closed(KEY, same_person)
    then_closed(KEY, SEALED, row="8")
    then_closed(KEY, other_person)
    then_closed(other_key, SEALED)


def test_any_flipped_bit_of_a_body_is_found() -> None:
    for altered in each_flip(SEALED):
        then_closed(KEY, altered)


def test_any_flipped_bit_of_a_wrapped_key_is_found() -> None:
    ring = LocalKeyRing({"k0": NEW, "k1": OLD}, "k1")  # ids one bit apart, so that one flip hits
    for altered in each_flip(ring.wrap(b"d" * 32)):
        with pytest.raises((CannotOpen, UnknownKey)):
            ring.unwrap(altered)


def test_whatever_is_cut_short_stays_closed() -> None:
    for length in range(len(SEALED)):
        then_closed(KEY, SEALED[:length])
    for length in range(len(KEY)):
        then_closed(KEY[:length], SEALED)
    then_closed(KEY, SEALED + b"\x00")
    then_closed(KEY + b"\x00", SEALED)


@given(st.binary(max_size=100))
def test_no_other_bytes_open_or_unwrap(data: bytes) -> None:
    then_closed(KEY, data)
    with pytest.raises(VaultError):
        BOTH_RING.unwrap(data)


def test_the_same_body_never_looks_the_same_twice() -> None:
    again = VAULT.seal(KEY, BODY, table="plans", row="7", version=1)
    assert again != SEALED
    assert BODY not in SEALED
    assert VAULT.new_data_key() != VAULT.new_data_key()


def test_rotation_keeps_old_bodies_open_and_then_lets_the_old_key_go() -> None:
    # 1. A body is sealed while k1 is the only key.
    before = given_a_vault(OLD_RING)
    wrapped = before.new_data_key()
    sealed = before.seal(wrapped, BODY, table="plans", row="7", version=1)
    assert wrapping_key_id(wrapped) == "k1"
    # 2. k2 wraps from now on; k1 still unwraps.
    during = given_a_vault(BOTH_RING)
    assert during.open(wrapped, sealed, table="plans", row="7", version=1) == BODY
    assert wrapping_key_id(during.new_data_key()) == BOTH_RING.current_id() == "k2"
    # 3. After a rewrap k1 can be dropped, and the body was not touched.
    rewrapped = during.rewrap(wrapped)
    after = given_a_vault(NEW_RING)
    assert wrapping_key_id(rewrapped) == "k2"
    assert after.open(rewrapped, sealed, table="plans", row="7", version=1) == BODY
    with pytest.raises(UnknownKey, match="k1"):
        after.open(wrapped, sealed, table="plans", row="7", version=1)


def test_a_key_of_the_same_name_is_not_the_same_key() -> None:
    with pytest.raises(CannotOpen):
        LocalKeyRing({"k1": NEW}, "k1").unwrap(OLD_RING.wrap(b"d" * 32))


def test_unwrapped_keys_are_kept_up_to_a_bound_and_can_be_forgotten() -> None:
    ring = CountingRing({"k1": OLD}, "k1")
    vault = Vault(DataKeys(ring, kept=2), KEYS)
    first, second, third = (vault.new_data_key() for _ in range(3))

    def used(wrapped: bytes) -> int:
        vault.seal(wrapped, BODY, table="plans", row="7", version=1)
        return ring.asked

    assert [used(first), used(first), used(second), used(first)] == [1, 1, 2, 2]
    assert [used(third), used(first), used(second)] == [3, 3, 4]
    vault.forget()
    assert used(second) == 5


salts = st.binary(min_size=16, max_size=255)


@given(st.binary(), salts, st.binary(), salts)
def test_a_commitment_binds_value_and_salt(a: bytes, b: bytes, c: bytes, d: bytes) -> None:
    assert (commit(a, b) == commit(c, d)) is ((a, b) == (c, d))


def test_a_commitment_is_what_any_verifier_computes() -> None:
    salt = b"s" * 16
    assert commit(BODY, salt) == hashlib.sha256(b"\x10" + salt + BODY).hexdigest()
    assert commit(BODY, salt + BODY[:1]) != commit(BODY[1:], salt + BODY[:1])
    assert commit(BODY, salt) != commit(BODY[1:], salt + BODY[:1])


@pytest.mark.parametrize("length", [0, 15, 256])
def test_a_commitment_needs_a_real_salt(length: int) -> None:
    with pytest.raises(VaultError):
        commit(BODY, bytes(length))


@pytest.mark.parametrize(
    ("keys", "current"),
    [
        ({}, "k1"),
        ({"k1": OLD}, "k2"),
        ({"k1": OLD[1:]}, "k1"),
        ({"k1": OLD, "k2": OLD}, "k2"),
        ({"": OLD}, ""),
        ({"k 1": OLD}, "k 1"),
        ({"ké": OLD}, "ké"),
        ({"k\ud800": OLD}, "k\ud800"),
        ({"k" * 33: OLD}, "k" * 33),
    ],
)
def test_a_ring_that_could_not_serve_is_refused(keys: dict[str, bytes], current: str) -> None:
    with pytest.raises(VaultError):
        LocalKeyRing(keys, current)


def test_every_key_has_32_bytes() -> None:
    with pytest.raises(VaultError):
        BOTH_RING.wrap(b"short")


def test_nothing_printed_or_raised_holds_a_secret() -> None:
    with pytest.raises(CannotOpen) as refused:
        VAULT.open(KEY, SEALED, table="flags", row="7", version=1)
    with pytest.raises(UnknownKey) as unknown:
        OLD_RING.unwrap(KEY)
    with pytest.raises(VaultError) as wrong:
        LocalKeyRing({"k1": OLD[1:]}, "k1")
    assert repr(VAULT) == "<Vault>"
    assert repr(BOTH_RING) == "<LocalKeyRing of 2, current k2>"
    raised = f"{refused.value!r} {unknown.value!r} {wrong.value!r}"
    held = f"{vars(VAULT)} {vars(BOTH_RING)} {vars(KEYS)}"
    shown = f"{raised} {VAULT!r} {BOTH_RING!r} {KEYS!r} {held}"
    for secret in (OLD, NEW, OLD[1:], PSEUDONYM_KEY, BODY, KEY, SEALED):
        assert secret.hex() not in shown
        assert repr(secret)[2:-1] not in shown
