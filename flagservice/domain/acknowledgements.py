"""What a practice answers to a version that it got: closed lists of codes, and no free text."""

from enum import StrEnum


class AcknowledgementOutcome(StrEnum):
    """What became of a version at the practice."""

    FILED = "filed"
    FILED_NOT_SHOWN = "filed-not-shown"
    """filed, and the practice has seen that the patient's view does not show it"""
    QUERIED = "queried"
    REJECTED = "rejected"
    """not this practice's patient"""


class QueryReason(StrEnum):
    """Why a practice asks. It is a code, never words, since it reaches the agency."""

    DESK_NOT_REACHED = "desk-not-reached"
    THOUGHT_ENDED = "thought-ended"
    APPEARS_TWICE = "appears-twice"
    DOES_NOT_FIT = "does-not-fit-the-record"
    REVIEW_OVERDUE = "review-overdue"
