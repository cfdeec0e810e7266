"""Turns that have nothing to do with each other never wait for each other."""

from flagservice.store import turns

SCHEMA = 4720142
"""Whoever brings the schema up to date: see `database.upgrade`."""


def test_every_turn_has_a_number_of_its_own() -> None:
    numbers = [turns._POLICIES, turns._ALARMS, turns._KEYS, SCHEMA]
    assert len(set(numbers)) == len(numbers)
