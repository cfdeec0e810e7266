"""The people that a submission names, and what a policy may know about them."""

import re
from enum import StrEnum
from typing import Annotated

from nhs_number.validate import is_valid
from pydantic import AfterValidator

_TEN_DIGITS = re.compile(r"[0-9]{10}", re.ASCII)
_PLACEHOLDER = re.compile(r"([0-9])\1{9}", re.ASCII)


class Role(StrEnum):
    """A person's role, relative to one plan. It is never inferred from sex."""

    CHILD = "child"
    UNBORN = "unborn"
    SIBLING = "sibling"
    MOTHER = "mother"
    FATHER = "father"
    PARENT = "parent"
    PARTNER = "partner"


RECORDS = tuple(role for role in Role if role is not Role.UNBORN)
"""The roles that have a GP record; an unborn child has none, its mother has."""


class Standing(StrEnum):
    """What the person is in a report of domestic abuse."""

    NEITHER = "neither"
    VICTIM = "victim"
    ALLEGED_PERPETRATOR = "alleged-perpetrator"
    BOTH = "both"


class Knows(StrEnum):
    """What the record's holder has been told. It never leaves the service."""

    KNOWS = "knows"
    PRESUMED = "presumed"
    UNKNOWN = "unknown"
    MUST_NOT_KNOW = "must-not-know"


class State(StrEnum):
    """What the submitter, the register or a recorded decision has settled about the person."""

    INCLUDED = "included"
    EXCLUDED = "excluded"
    UNCONFIRMED = "unconfirmed"
    APPROVED = "approved"
    DECLINED = "declined"


class Phase(StrEnum):
    """Whether the plan, enquiry or notification is open."""

    OPEN = "open"
    ENDED = "ended"


def together(standings: list[Standing]) -> Standing:
    """Returns one person's standing from all that every agency says, in any order."""
    victim = any(s in (Standing.VICTIM, Standing.BOTH) for s in standings)
    alleged = any(s in (Standing.ALLEGED_PERPETRATOR, Standing.BOTH) for s in standings)
    if victim and alleged:
        return Standing.BOTH
    if alleged:
        return Standing.ALLEGED_PERPETRATOR
    return Standing.VICTIM if victim else Standing.NEITHER


def check_nhs_number(text: str) -> str:
    """Returns an NHS number of ten ASCII digits. Raises ValueError.

    The check digit must match, and one repeated digit is refused as a placeholder.
    """
    if not _TEN_DIGITS.fullmatch(text):
        raise ValueError("an NHS number is ten digits 0 to 9, without spaces")
    if _PLACEHOLDER.fullmatch(text):
        raise ValueError("one digit repeated is a placeholder, not an NHS number")
    if not is_valid(text):
        raise ValueError("the check digit does not match")
    return text


NHSNumber = Annotated[str, AfterValidator(check_nhs_number)]
NHS_NUMBER_SYSTEM = "https://fhir.nhs.uk/Id/nhs-number"
