"""The word for a search's next page: ours alone to read, one word for one page, of any live key."""

from datetime import UTC, datetime

import pytest

from flagservice.api.records.cursors import Feed, SearchPosition, opened_page, sealed_page
from flagservice.domain.errors import Invalid
from flagservice.store.sealing.keyrings import LocalKeyRing
from flagservice.store.sealing.pseudonyms import LocalPseudonymKeys
from flagservice.store.sealing.vault import Vault


def test_a_page_outlives_the_key_that_sealed_it_and_new_ones_are_under_the_new_key() -> None:
    feed, position = (
        Feed("B83901", "Flag"),
        SearchPosition([], "", datetime(2022, 1, 4, 9, 30, tzinfo=UTC)),
    )
    ring, first, second = LocalKeyRing({"k1": bytes(range(32))}, "k1"), bytes(32), bytes([1] * 32)
    old = Vault(ring, LocalPseudonymKeys({1: first}))
    both = Vault(ring, LocalPseudonymKeys({1: first, 2: second}))
    new = Vault(ring, LocalPseudonymKeys({2: second}))
    before, after = sealed_page(old, feed, position), sealed_page(both, feed, position)
    assert opened_page(both, feed, before) == opened_page(new, feed, after) == position
    with pytest.raises(Invalid):
        opened_page(new, feed, before)


def test_one_page_is_one_word() -> None:
    """What differed each time would make two worlds look different to whoever sees them alike."""
    vault = Vault(LocalKeyRing({"k1": bytes(range(32))}, "k1"), LocalPseudonymKeys({1: bytes(32)}))
    position = SearchPosition([("status", "active")], "", datetime(2022, 1, 4, tzinfo=UTC))
    words = {sealed_page(vault, Feed("B83901", "Flag"), position) for _ in range(3)}
    assert len(words) == 1
