"""Nothing joins the records of one family at their practices (P6).

Between practices, a value is a link if two members of one family share it more often than members
of unrelated families posted in that hour. Members are compared like with like: the same kind, the
same pair of roles, as many versions posted.
"""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import combinations
from math import sqrt
from typing import Any

import pytest

from flagservice.domain.codes import (
    BARS_CODE,
    CATEGORY_CODES,
    CODES,
    ODS_SYSTEM,
    SAFEGUARDING,
    SNOMED_CT,
)
from flagservice.domain.people import NHS_NUMBER_SYSTEM
from flagservice.fhir.flags import CANONICAL, IDENTIFIER
from flagservice.fhir.labels import security
from flagservice.policy.rows import DeskChoice
from tests.intake.families import Made, made_up
from tests.world import World

FAMILIES, PRACTICES = 120, [f"B839{place:02d}" for place in range(24)]
LABELS = security(("NOPAT", "PERSISTLABEL", "R", "V"))
CODINGS = [*CATEGORY_CODES.values(), SAFEGUARDING, *(code.coding for code in CODES.values())]
CONSTANTS = {
    *(word for coding in CODINGS for word in (coding.system, coding.code, coding.display)),
    *(word for label in LABELS for word in label.values()),
    *(SNOMED_CT, BARS_CODE, ODS_SYSTEM, NHS_NUMBER_SYSTEM),
    *("Flag", "Task", "active", "inactive", "requested", "order", "Patient", "Organization"),
    *("phone", "work"),
}


@dataclass
class Told:
    """All that left towards one member's record: values by where they stand."""

    family: Made
    number: str
    practice: str
    values: dict[str, set[str]] = field(default_factory=dict)

    @property
    def likeness(self) -> tuple[str, str, int, bool]:
        """Whom this member may be compared with."""
        people = self.family.body["people"]
        role = next(one["role"] for one in people if one.get("nhs_number") == self.number)
        return self.family.kind, role, _versions(self.family), bool(_siblings(self.family))


def _siblings(family: Made) -> list[dict[str, Any]]:
    """The sibling's own plan, which is a second ground of its parents' flags."""
    people = family.body["people"]
    swapped = {"child": "sibling", "sibling": "child"}
    roles = [person["role"] for person in people]
    if "sibling" not in roles or "child" not in roles or family.kind == "perpetrator":
        return []
    others = [{**one, "role": swapped.get(one["role"], one["role"])} for one in people]
    own = {"reference": f"S-{family.place}", "people": others}
    # Each child's record has its own plan's days, and may.
    for name, way in (("start", -1), ("review_due", 1)):
        if name in family.body:
            day = date.fromisoformat(family.body[name])
            own[name] = str(day + way * timedelta(days=7 + family.place % 23))
    return [{**family.body, **own}]


def _versions(family: Made) -> int:
    return 1 + (family.place % 3 == 0)


@pytest.fixture(scope="module")
def told() -> Iterator[list[Told]]:
    """Every member's flags, of many families who are all posted within one hour."""
    world = World("sqlite://", seed=11)
    chance = random.Random(5)
    families = [made_up(chance, place, PRACTICES) for place in range(FAMILIES)]
    for family in families:
        for number, (practice, born) in family.at.items():
            world.registered(number, born, practice)
    for family in families:
        for body in (family.body, *_siblings(family)):
            world.posts(family.ods, body)
        if _versions(family) == 2:
            world.posts(family.ods, {**family.body, "version": 2, **_amended(family)})
        world.now += timedelta(seconds=10)
    yield [found for family in families for found in _told(world, family)]
    world.close()


def _amended(family: Made) -> dict[str, Any]:
    return {"categories": ["neglect"]} if "categories" in family.body else {}


def _told(world: World, family: Made) -> Iterator[Told]:
    own = {value for value, _ in _desks(world, family.ods)}
    for number, (practice, _) in family.at.items():
        one = Told(family, number, practice)
        for resource in world.held_at(practice, number):
            for where, value in _leaves(resource, ""):
                constant = value.startswith((CANONICAL, IDENTIFIER)) or value in CONSTANTS | own
                if not constant:
                    one.values.setdefault(where, set()).add(value)
        if one.values:
            yield one


def _desks(world: World, ods: str) -> Iterator[tuple[str, str]]:
    desks = world.rulebook.desks
    for which in DeskChoice:
        desk = desks.of(ods, which)
        yield from ((desk.name, which), (desk.phone, which))
    yield from ((ods, "agency"), (desks.organisation(ods).name, "agency"))


def _leaves(value: Any, where: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _leaves(part, f"{where}.{name}")
    elif isinstance(value, list):
        for part in value:
            yield from _leaves(part, where)
    else:
        yield where, str(value)


def links(told: list[Told]) -> list[str]:
    """Where members of one family share a value more often than chance lets strangers share it.

    "More often" is by more than three standard deviations of what is to be expected.
    """
    shared, expected, spread = Counter[str](), Counter[str](), Counter[str]()
    for one, other in combinations(told, 2):
        if one.family is other.family and one.practice != other.practice:
            strangers = _strangers(told, one, other)
            for where in {*one.values, *other.values}:
                often = sum(_share(one, stranger, where) for stranger in strangers)
                rate = often / len(strangers)
                shared[where] += _share(one, other, where)
                expected[where] += rate
                spread[where] += rate * (1 - rate)
    return sorted(
        where
        for where in shared
        if shared[where] - expected[where] > 3 * sqrt(spread[where] + 1 / FAMILIES)
    )


def _strangers(told: list[Told], one: Told, other: Told) -> list[Told]:
    """Members of unrelated families who are as the other is, at another practice than the one."""
    return [
        stranger
        for stranger in told
        if stranger.family is not one.family
        and stranger.likeness == other.likeness
        and stranger.practice != one.practice
    ]


def _share(one: Told, other: Told, where: str) -> bool:
    """Does a value of the one, standing there, stand anywhere at the other?"""
    everything = {value for values in other.values.values() for value in values}
    return bool(one.values.get(where, set()) & everything)


def test_no_value_joins_the_members_of_a_family_between_practices(told: list[Told]) -> None:
    assert len({one.family.place for one in told}) >= 100
    assert len(told) > 250
    assert sum(bool(_siblings(one.family)) for one in told) > 50
    assert links(told) == []


@pytest.mark.parametrize(
    "leak",
    [
        lambda family: family.body["reference"],
        lambda family: family.body.get("start", "none"),
        lambda family: family.body["people"][0].get("date_of_birth", "none"),
        lambda family: next(iter(family.at)),
        lambda family: f"2022-01-04T09:{family.place % 60:02d}:00Z",
    ],
    ids=["its reference", "its start", "a birth date", "a number", "its minute"],
)
def test_a_value_that_did_join_them_would_be_found(told: list[Told], leak: Any) -> None:
    leaky = [
        Told(one.family, one.number, one.practice, {**one.values, ".leak": {leak(one.family)}})
        for one in told
    ]
    assert ".leak" in links(leaky)


def test_no_part_of_an_id_stands_in_another(told: list[Told]) -> None:
    """Ids of one family that begin alike would join its records, though no two are the same."""
    ids = [
        value for one in told for where in (".id", ".meta.versionId") for value in one.values[where]
    ]
    assert all(len(value) == 32 for value in ids)
    seen = Counter(value[at : at + 8] for value in ids for at in range(0, 25, 4))
    assert max(seen.values()) == 1


def test_no_value_of_one_member_stands_in_anothers_flag_alone(told: list[Told]) -> None:
    """Ids, NHS numbers and days: none that two members of one family share is theirs alone."""
    owners: dict[str, set[int]] = {}
    for one in told:
        for values in one.values.values():
            for value in values:
                owners.setdefault(value, set()).add(one.family.place)
    alone = {value for value, families in owners.items() if len(families) == 1}
    for one, other in combinations(told, 2):
        if one.family is other.family:
            everything = {value for values in other.values.values() for value in values}
            mine = {value for values in one.values.values() for value in values}
            assert not mine & everything & alone
