"""The duty desks that a flag may name. They come from the policy, never from a submission."""

import tomllib
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from flagservice.domain.elements import Desk, Organisation
from flagservice.policy.rows import DeskChoice
from flagservice.policy.table import UnusablePolicy


class _Desk(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(min_length=3, max_length=80)]
    phone: Annotated[str, Field(pattern=r"^[0-9 ]{5,16}$")]

    def desk(self) -> Desk:
        return Desk(self.name, self.phone)


class _AgencyDesk(_Desk):
    organisation: Annotated[str, Field(min_length=3, max_length=80)]


class Desks(BaseModel):
    """Every desk: one that names no agency, and one for each organisation that submits."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    neutral: _Desk
    agency: dict[Annotated[str, Field(pattern=r"^[A-Z0-9]{3,10}$")], _AgencyDesk]

    def has(self, ods: str) -> bool:
        """Returns whether the policy knows this organisation's desk."""
        return ods in self.agency

    def of(self, ods: str, choice: DeskChoice | None) -> Desk:
        """Returns the desk that a placement row chooses."""
        return (self.agency[ods] if choice is DeskChoice.AGENCY else self.neutral).desk()

    def organisation(self, ods: str) -> Organisation:
        """Returns the agency, by code and name."""
        return Organisation(ods, self.agency[ods].organisation)

    @model_validator(mode="after")
    def _names_nobody(self) -> "Desks":
        for desk in self.agency.values():
            if desk.phone == self.neutral.phone:
                raise ValueError("neutral: its number is an agency's, and so says which")
            if any(name in self.neutral.name for name in (desk.name, desk.organisation)):
                raise ValueError("neutral: its name is an agency's, and so says which")
        return self


def load_desks(text: str) -> Desks:
    """Returns the desks that the text lists. Raises UnusablePolicy."""
    try:
        return Desks.model_validate(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, ValidationError) as wrong:
        raise UnusablePolicy(f"desks: {wrong}") from None
