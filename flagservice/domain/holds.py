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


class Question(StrEnum):
    """What a side is asked."""

    PLACEMENT = "placement"
    """whether a flag may be placed"""
    IDENTITY = "identity"
    """who it is: a corrected version answers it"""
    LEFT_OUT = "left-out"
    """what became of a person whom the newest version does not name: a version answers it"""
    AGAIN = "again"
    """whether a recorded "no" still stands, now that something else is said"""
    WIDENING = "widening"
    """whether a record may be told again what an accusation, since withdrawn, took from it"""


ANSWERED_BY_A_VERSION = (Question.IDENTITY, Question.LEFT_OUT)
"""What no decision to place answers: the next version does."""


class HoldOutcome(StrEnum):
    """What the side decides."""

    PLACE = "place"
    WITHHOLD = "withhold"
