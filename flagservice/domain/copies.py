"""Where a copy of a flag stands, and the words in which that is told."""

from enum import StrEnum


class Form(StrEnum):
    """What a practice is sent of a plan."""

    FLAG = "flag"
    REQUEST = "request"
    """a task for the practice's safeguarding lead, in place of a flag"""


class CopyStatus(StrEnum):
    """Where one copy stands at its practice."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    """ended: it stays as history"""
    ENTERED_IN_ERROR = "entered-in-error"
    REMOVED = "removed"
    """taken back: nothing of it stays"""


class Label(StrEnum):
    """A security label that a copy carries, by its code. The policy says which ones."""

    NOPAT = "NOPAT"
    """no disclosure to the patient, family or carers"""
    PERSISTLABEL = "PERSISTLABEL"
    """its labels go with it wherever it is passed on"""
    RESTRICTED = "R"
    VERY_RESTRICTED = "V"


class DeliveryState(StrEnum):
    """Where one delivery stands."""

    OPEN = "open"
    DELIVERED = "delivered"
    SUPERSEDED = "superseded"
    NEVER_SENT = "nothing was ever sent"
    CLOSED = "closed by decision"


class ReceiptWord(StrEnum):
    """What the submitter is told of one record."""

    ACCEPTED = "accepted"
    RECEIVED = "received"
    NOT_REACHED = "not reached"
    HELD = "held"
    PLACED = "placed"
    REQUESTED = "requested"
    DELIVERED = "delivered"
    HANDLED = "handled"
    ENDED = "ended"
    TAKEN_BACK = "taken back"


class NotReached(StrEnum):
    """Why a record is not reached yet."""

    NOT_IDENTIFIED = "not-identified"
    NO_PRACTICE = "no-practice"
    NOT_THEIR_PATIENT = "the-practice-says-not-its-patient"
