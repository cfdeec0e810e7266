"""A placement that is held: which side decides, who comes after it, and what is decided."""

from enum import StrEnum


class Owner(StrEnum):
    """The side that decides a held placement."""

    SUBMITTER = "submitter"
    PRACTICE = "practice safeguarding lead"


class Escalation(StrEnum):
    """To whom a hold goes once it is overdue: a post, never a person's name."""

    SUBMITTER = "submitter's safeguarding duty manager"
    PRACTICE = "practice Caldicott Guardian"


class HoldOutcome(StrEnum):
    """What the side decides."""

    PLACE = "place"
    WITHHOLD = "withhold"
