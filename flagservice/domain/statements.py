"""What a submission says about one person: who, how sure, how involved, and what they know."""

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from flagservice.domain.elements import Kind
from flagservice.domain.errors import Fault
from flagservice.domain.people import Knows, NHSNumber, Role, Standing

_A_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


def _only_a_day(value: object) -> object:
    # Ten digits without hyphens would be read as seconds since 1970.
    if not isinstance(value, str) or not _A_DAY.fullmatch(value):
        raise ValueError("a day is written YYYY-MM-DD")
    return value


Day = Annotated[date, Field(strict=False), BeforeValidator(_only_a_day)]


class Strict(BaseModel):
    """A model with no unknown field, no coercion, and no change after reading."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Identity(StrEnum):
    """Whether the submitter has verified that this is the person (paternity included)."""

    CONFIRMED = "confirmed"
    UNCONFIRMED = "unconfirmed"


class Involvement(StrEnum):
    """Whether the person is invited, engaged, nominated or also a subject."""

    INCLUDED = "included"
    EXCLUDED = "excluded"


class Nomination(StrEnum):
    """Why a partner or other adult is nominated as relevant to the child."""

    LIVES_WITH_CHILD = "lives-with-child"
    CARES_FOR_CHILD = "cares-for-child"
    PARENTS_PARTNER = "partner-of-parent"


class NotIdentified(StrEnum):
    """Why a person who matters is not identified yet."""

    NOT_NAMED = "not-named"
    NOT_TRACED = "not-traced"


class Withdrawal(StrEnum):
    """Why what was said of a person is taken back."""

    WRONG_PERSON = "wrong-person"
    POSTED_IN_ERROR = "posted-in-error"
    NOT_UPHELD = "not-upheld"
    """it was said of this person, and did not stand"""


IN_ERROR: Final = (Withdrawal.WRONG_PERSON, Withdrawal.POSTED_IN_ERROR)
"""What never should have been said: everything that was told is `entered-in-error`."""


class Person(Strict):
    """One person that a submission names.

    `ended` ends this person's part and no other's. `withdrawn` takes back all that was said of the
    person under this reference. Somebody who is merely left out stays, and is asked about.
    """

    role: Role
    nhs_number: NHSNumber | None = None
    date_of_birth: Day | None = None
    expected_date: Day | None = None
    not_identified: NotIdentified | None = None
    identity: Identity = Identity.UNCONFIRMED
    involvement: Involvement = Involvement.EXCLUDED
    nomination: Nomination | None = None
    standing: Standing = Standing.NEITHER
    knows: Knows = Knows.UNKNOWN
    ended: Day | None = None
    withdrawn: Withdrawal | None = None

    def faults(self, at: str) -> list[Fault]:
        """Returns what does not fit together in this person."""
        if self.role is Role.UNBORN:
            return self._unborn_faults(at)
        found = []
        if self.expected_date is not None:
            found.append(Fault(f"{at}.expected_date", "is only for an unborn child"))
        if self.not_identified is None:
            found += self._identified_faults(at)
        elif self.nhs_number is not None or self.date_of_birth is not None:
            found.append(Fault(f"{at}.not_identified", "does not go with a number or a birth date"))
        nominated = self.role is Role.PARTNER and self.involvement is Involvement.INCLUDED
        if nominated and self.nomination is None:
            found.append(Fault(f"{at}.nomination", "is needed: why this adult is relevant"))
        if not nominated and self.nomination is not None:
            found.append(Fault(f"{at}.nomination", "is only for a partner who is included"))
        return found + self._taken_back_faults(at)

    def _taken_back_faults(self, at: str) -> list[Fault]:
        found = []
        if self.withdrawn is not None and self.ended is not None:
            found.append(Fault(f"{at}.ended", "does not go with withdrawn"))
        if self.nhs_number is None:
            found += [
                Fault(f"{at}.{field}", "needs the NHS number that was sent before")
                for field in ("withdrawn", "ended")
                if getattr(self, field) is not None
            ]
        return found

    def _unborn_faults(self, at: str) -> list[Fault]:
        found = []
        if self.nhs_number is not None:
            found.append(Fault(f"{at}.nhs_number", "an unborn child has no NHS number"))
        if self.date_of_birth is not None:
            found.append(Fault(f"{at}.date_of_birth", "an unborn child has no date of birth"))
        if self.expected_date is None:
            found.append(Fault(f"{at}.expected_date", "is needed for an unborn child"))
        return found + self._taken_back_faults(at)

    def _identified_faults(self, at: str) -> list[Fault]:
        found = []
        if self.nhs_number is None:
            found.append(Fault(f"{at}.nhs_number", "is needed, or say not_identified"))
        if self.date_of_birth is None:
            found.append(Fault(f"{at}.date_of_birth", "is needed, to check against the register"))
        return found


@dataclass(frozen=True)
class Statement:
    """What one version says about one person's record. `place` is its place in the list."""

    place: int
    person: Person
    kind: Kind
