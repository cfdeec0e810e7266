"""Turns that have nothing to do with each other never wait for each other."""

from flagservice.store import advisory_locks

SCHEMA = 4720142
"""Whoever brings the schema up to date: see `database.upgrade`."""


def test_every_turn_has_a_number_of_its_own() -> None:
    numbers = [advisory_locks._POLICIES, advisory_locks._ALARMS, advisory_locks._KEYS, SCHEMA]
    assert len(set(numbers)) == len(numbers)
