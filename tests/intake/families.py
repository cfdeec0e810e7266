"""Many families who have nothing to do with each other, made up in a repeatable way."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count, islice
from typing import Any

from tests.world import COUNCIL, HEALTH, POLICE, a_submission, person

_WEIGHTS = range(10, 1, -1)


def _numbers() -> Iterator[str]:
    """NHS numbers from the range kept for tests, each with its check digit."""
    for serial in count(10_000):
        digits = f"999{serial:06d}"
        check = -sum(int(d) * w for d, w in zip(digits, _WEIGHTS, strict=True)) % 11
        if check != 10:
            yield f"{digits}{check}"


NHS_NUMBERS = list(islice(_numbers(), 900))
KINDS = (
    "child-protection",
    "child-in-need",
    "unborn-child-protection",
    "unborn-child-in-need",
    "section-47",
    "perpetrator",
)


@dataclass(frozen=True)
class Made:
    """One family: its kind, who posts, what, and each member's number, birth date and practice."""

    place: int
    kind: str
    ods: str
    body: dict[str, Any]
    at: dict[str, tuple[str, str]]
    """practice and birth date by NHS number"""


_EVERYBODY = ["child", "mother", "father", "sibling", "partner"]


def made_up(chance: random.Random, place: int, practices: list[str]) -> Made:
    """A family of two to five, each member at a practice of its own."""
    kind = KINDS[place % len(KINDS)]
    unborn = kind.startswith("unborn-")
    roles = _EVERYBODY[unborn : chance.randint(3, 5)]
    numbers = NHS_NUMBERS[place * 5 : place * 5 + 5]
    at = dict(zip(numbers, chance.sample(practices, 5), strict=True))
    born = {
        number: str(_born(chance, role))
        for role, number in zip([*_EVERYBODY[unborn:], "partner"], numbers, strict=False)
    }
    people = [
        person(role, number, born[number], **_said(kind, role))
        for role, number in zip(roles, numbers, strict=False)
    ]
    if unborn:
        people.append({"role": "unborn", "expected_date": str(_day(chance, 2022, 1, within=90))})
    return Made(
        place,
        kind,
        _sender(kind, place),
        _body(chance, kind, place, people),
        {number: (at[number], born[number]) for number in numbers},
    )


def _sender(kind: str, place: int) -> str:
    if kind == "perpetrator":
        return POLICE
    return COUNCIL if place % 4 else HEALTH


def _said(kind: str, role: str) -> dict[str, Any]:
    said: dict[str, Any] = {"knows": "knows"}
    if role == "partner":
        said["nomination"] = "lives-with-child"
    if kind == "perpetrator":
        said["standing"] = {"father": "alleged-perpetrator", "partner": "neither"}.get(
            role, "victim"
        )
    return said


def _body(
    chance: random.Random, kind: str, place: int, people: list[dict[str, Any]]
) -> dict[str, Any]:
    posted = kind.removeprefix("unborn-")
    more: dict[str, Any] = {}
    if posted != "perpetrator":
        more["start"] = str(_day(chance, 2021, 1, within=90) + timedelta(days=270))
    if posted.startswith("child-"):
        more["review_due"] = str(_day(chance, 2022, 1))
    if posted == "child-protection":
        more["categories"] = sorted(
            chance.sample(["physical", "emotional", "sexual", "neglect"], 2)
        )
    return a_submission(posted, f"F-{place}", *people, **more)


def _born(chance: random.Random, role: str) -> date:
    """Children in the ten years before 2021, adults in the twelve years before 1992."""
    if role in ("child", "sibling"):
        return _day(chance, 2011, 40, within=3650)
    return _day(chance, 1980, 40, within=4380)


def _day(chance: random.Random, year: int, years: int, *, within: int = 366 * 40) -> date:
    """A day of so many years, as many days after their first as there are `within`."""
    return date(year, 1, 1) + timedelta(days=chance.randrange(365 * years) % within)
