"""A pseudonym finds, a digest compares: neither says anything to who has not got the key."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flagservice.store.sealing.ciphers import UnknownKey, VaultError
from flagservice.store.sealing.keyrings import LocalKeyRing
from flagservice.store.sealing.pseudonyms import LocalPseudonymKeys
from flagservice.store.sealing.vault import Vault

PSEUDONYM_KEY = b"p" * 32
BOTH_RING = LocalKeyRing({"k1": b"o" * 32, "k2": b"n" * 32}, "k2")
NEW_RING = LocalKeyRing({"k2": b"n" * 32}, "k2")
BODY = b"a child protection plan"
NHS_NUMBER = "9000000009"


def given_a_vault(ring: LocalKeyRing = BOTH_RING) -> Vault:
    return Vault(ring, LocalPseudonymKeys({1: PSEUDONYM_KEY}))


VAULT = given_a_vault()
KEY = VAULT.new_data_key()


@given(st.text(), st.text(), st.text(), st.text())
def test_a_pseudonym_differs_by_value_and_purpose(a: str, b: str, c: str, d: str) -> None:
    same = (a, b) == (c, d)
    assert (VAULT.pseudonym(a, purpose=b) == VAULT.pseudonym(c, purpose=d)) is same


def test_a_pseudonym_differs_by_key_and_shows_its_version() -> None:
    ours = VAULT.pseudonym(NHS_NUMBER, purpose="person")
    other = Vault(BOTH_RING, LocalPseudonymKeys({1: b"q" * 32}))
    others = other.pseudonym(NHS_NUMBER, purpose="person")
    assert ours.startswith("1:")
    assert len(bytes.fromhex(ours.removeprefix("1:"))) == 32
    assert ours != others
    assert ours == given_a_vault(NEW_RING).pseudonym(NHS_NUMBER, purpose="person")
    assert ours.removeprefix("1:") != hashlib.sha256(NHS_NUMBER.encode()).hexdigest()


def test_a_string_that_cannot_be_encoded_is_not_quoted_in_an_exception() -> None:
    assert VAULT.pseudonym("\ud800", purpose="person") != VAULT.pseudonym("?", purpose="person")


def test_while_pseudonym_keys_rotate_a_look_up_finds_the_old_ones_too() -> None:
    old = VAULT.pseudonym(NHS_NUMBER, purpose="person")
    keys = {1: PSEUDONYM_KEY, 2: b"r" * 32, 3: b"s" * 32}
    rotated = Vault(BOTH_RING, LocalPseudonymKeys(keys))
    known = rotated.pseudonyms(NHS_NUMBER, purpose="person")
    assert [pseudonym[:2] for pseudonym in known] == ["3:", "2:", "1:"]
    assert known[0] == rotated.pseudonym(NHS_NUMBER, purpose="person")
    assert known[2] == old


def test_a_unit_of_work_gives_pseudonyms_of_the_versions_that_rows_carry_there() -> None:
    keys = LocalPseudonymKeys({1: PSEUDONYM_KEY, 2: b"r" * 32})
    asked: list[int] = []

    def versions() -> tuple[int, ...]:
        asked.append(1)
        return (1,)

    within = Vault(BOTH_RING, keys).within(versions)
    assert asked == []
    assert within.pseudonyms(NHS_NUMBER, purpose="person") == (
        VAULT.pseudonym(NHS_NUMBER, purpose="person"),
    )
    assert within.pseudonym("another", purpose="person").startswith("1:")
    assert asked == [1]


def test_a_version_of_the_pseudonym_key_that_is_not_here_is_named() -> None:
    with pytest.raises(UnknownKey, match="version 2"):
        VAULT.within(lambda: (2, 1)).pseudonyms(NHS_NUMBER, purpose="person")


@pytest.mark.parametrize(
    "keys", [{}, {0: PSEUDONYM_KEY}, {1: PSEUDONYM_KEY, 2: PSEUDONYM_KEY}, {1: PSEUDONYM_KEY[1:]}]
)
def test_pseudonym_keys_that_could_not_serve_are_refused(keys: dict[int, bytes]) -> None:
    with pytest.raises(VaultError):
        LocalPseudonymKeys(keys)


@given(st.binary(), st.text(), st.binary(), st.text())
def test_a_digest_tells_the_same_value_under_one_data_key(
    a: bytes, b: str, c: bytes, d: str
) -> None:
    same = (a, b) == (c, d)
    assert (VAULT.digest(KEY, a, purpose=b) == VAULT.digest(KEY, c, purpose=d)) is same


def test_a_digest_says_nothing_under_another_data_key_and_outlives_every_rotation() -> None:
    ours = VAULT.digest(KEY, BODY, purpose="copy")
    assert ours != VAULT.digest(VAULT.new_data_key(), BODY, purpose="copy")
    assert ours != hashlib.sha256(BODY).hexdigest()
    later = Vault(BOTH_RING, LocalPseudonymKeys({2: b"r" * 32}))
    assert ours == later.digest(later.rewrap(KEY), BODY, purpose="copy")
