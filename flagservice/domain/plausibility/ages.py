"""Ages that contradict roles: rows that were swapped, or a column that was shifted, in an extract.

A birth date that the register confirms says nothing about whether the number stands in the right
row. What cannot be is refused; what can be, but seldom is, is asked of the submitter. Siblings may
be of any age, and nobody's role is inferred from sex.
"""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import Final

from flagservice.domain.errors import Fault
from flagservice.domain.people import Role
from flagservice.domain.statements import Person

ADULT: Final = 18
TOO_OLD_FOR_A_CHILD: Final = 26
"""Care leavers are supported until 25."""
LEAST_PARENT: Final = 9
LIKELY_PARENT: Final = 13
OLDEST_MOTHER: Final = 60
PARENTS: Final = (Role.MOTHER, Role.FATHER, Role.PARENT)


class Doubt(StrEnum):
    """Why a person may be in the wrong row."""

    ADULT_CHILD = "adult-child"
    YOUNG_PARENT = "young-parent"
    YOUNG_PARTNER = "young-partner"
    OLD_MOTHER = "old-mother"


DOUBTED: Final = {
    Doubt.ADULT_CHILD: "the child is 18 or older",
    Doubt.YOUNG_PARENT: "a parent was younger than 13 at the birth",
    Doubt.YOUNG_PARTNER: "the partner is younger than 13",
    Doubt.OLD_MOTHER: "the mother was 61 or older at the birth",
}
"""What its submitter is told of a doubt."""


def age_on(born: date, day: date) -> int:
    """Returns the whole years of somebody's age on a day; before the birth it is below zero."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def age_faults(people: Sequence[Person]) -> list[Fault]:
    """Returns each parent who cannot be one: born after the child, or younger than 9 at the birth.

    A notification may name children of several parents: a parent is measured by the youngest.
    """
    birth = _youngest(people)
    return [
        Fault(f"people[{place}].date_of_birth", "a parent is at least 9 years older than the child")
        for place, person in enumerate(people)
        if person.role in PARENTS and person.withdrawn is None and birth is not None
        if person.date_of_birth is not None and age_on(person.date_of_birth, birth) < LEAST_PARENT
    ]


def outgrown_faults(people: Sequence[Person], *, day: date) -> list[Fault]:
    """Returns each child who is none any more on a day, and each partner who still is."""
    found = []
    for place, person in enumerate(people):
        field = f"people[{place}].date_of_birth"
        match person.role, person.date_of_birth if person.withdrawn is None else None:
            case Role.CHILD, date() as born if age_on(born, day) >= TOO_OLD_FOR_A_CHILD:
                found.append(Fault(field, "a child is younger than 26"))
            case Role.PARTNER, date() as born if age_on(born, day) < LEAST_PARENT:
                found.append(Fault(field, "a partner is at least 9 years old"))
    return found


def doubt_of(person: Person, people: Sequence[Person], *, day: date) -> Doubt | None:
    """Returns why this person may be in the wrong row, as things stand on a day."""
    born, birth = person.date_of_birth, _youngest(people)
    if born is None or person.withdrawn is not None:
        return None
    if person.role is Role.CHILD and age_on(born, day) >= ADULT:
        return Doubt.ADULT_CHILD
    if person.role is Role.PARTNER and age_on(born, day) < LIKELY_PARENT:
        return Doubt.YOUNG_PARTNER
    if person.role not in PARENTS or birth is None:
        return None
    if age_on(born, birth) < LIKELY_PARENT:
        return Doubt.YOUNG_PARENT
    old = person.role is Role.MOTHER and age_on(born, birth) > OLDEST_MOTHER
    return Doubt.OLD_MOTHER if old else None


def _youngest(people: Sequence[Person]) -> date | None:
    """Returns the day on which the youngest child was born, or is expected."""
    children = [p for p in people if p.role is Role.CHILD and p.withdrawn is None]
    births = [child.date_of_birth for child in children]
    expected = [person.expected_date for person in people if person.role is Role.UNBORN]
    return max((day for day in (*births, *expected) if day is not None), default=None)
