"""The closed vocabulary of everything that a flag can say."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """The kind of a plan, enquiry or notification."""

    CHILD_PROTECTION = "child-protection"
    CHILD_IN_NEED = "child-in-need"
    UNBORN_CHILD_PROTECTION = "unborn-child-protection"
    UNBORN_CHILD_IN_NEED = "unborn-child-in-need"
    SECTION_47 = "section-47"
    STRATEGY_MEETING = "strategy-meeting"
    PRE_PROCEEDINGS = "pre-proceedings"
    UNBORN_SECTION_47 = "unborn-section-47"
    UNBORN_STRATEGY_MEETING = "unborn-strategy-meeting"
    UNBORN_PRE_PROCEEDINGS = "unborn-pre-proceedings"
    PERPETRATOR = "perpetrator"
    DOMESTIC_ABUSE_VICTIM = "domestic-abuse-victim"
    MARAC = "marac"
    UNBORN_DOMESTIC_ABUSE = "unborn-domestic-abuse"
    """what any notification tells of an unborn child, on the record of its mother"""


AFTER_BIRTH: Final = {
    Kind.UNBORN_CHILD_PROTECTION: Kind.CHILD_PROTECTION,
    Kind.UNBORN_CHILD_IN_NEED: Kind.CHILD_IN_NEED,
    Kind.UNBORN_SECTION_47: Kind.SECTION_47,
    Kind.UNBORN_STRATEGY_MEETING: Kind.STRATEGY_MEETING,
    Kind.UNBORN_PRE_PROCEEDINGS: Kind.PRE_PROCEEDINGS,
}
"""What a plan of an unborn child's kind becomes when the child is born."""

NOTIFICATIONS: Final = (
    Kind.PERPETRATOR,
    Kind.DOMESTIC_ABUSE_VICTIM,
    Kind.MARAC,
    Kind.UNBORN_DOMESTIC_ABUSE,
)
"""What is said of domestic abuse. Its sender is told that it was received, and no more."""


class Element(StrEnum):
    """One nameable thing that a flag could say."""

    CONCERN = "concern"
    PLAN_CATEGORY = "plan-category"
    START = "start"
    PLACED = "placed"
    END = "end"
    EXPIRES = "expires"
    REVIEW_DUE = "review-due"
    REVIEW_BY = "review-by"
    EXPECTED_DATE = "expected-date"
    DUTY_DESK = "duty-desk"
    AGENCY = "agency"


class PlanCategory(StrEnum):
    """The categories of a child protection plan (DfE letters PHY, EMO, SAB and NEG)."""

    PHYSICAL = "physical"
    EMOTIONAL = "emotional"
    SEXUAL = "sexual"
    NEGLECT = "neglect"


@dataclass(frozen=True)
class Desk:
    """A duty desk: an organisation and its switchboard, never a person."""

    name: str
    phone: str


@dataclass(frozen=True)
class Organisation:
    """An agency or practice, by its ODS code."""

    ods: str
    name: str


@dataclass(frozen=True)
class Coding:
    """A code beside the canonical address of the system that it is from."""

    system: str
    code: str
    display: str


Value = date | Desk | Organisation | Coding | tuple[PlanCategory, ...]
Elements = Mapping[Element, Value]
