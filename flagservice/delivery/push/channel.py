"""A way to a practice's system: what goes out by it, and all that can come of it."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final, Protocol

from flagservice.admission.endpoints import Endpoint


@dataclass(frozen=True)
class OutgoingVersion:
    """One version to send: where to, and its stored bytes."""

    endpoint: Endpoint
    stored: bytes


class SendOutcome(StrEnum):
    """What came of one send: every possible reply has its place here."""

    DELIVERED = "delivered"
    UNKNOWN = "unknown: network, time-out or server error"
    BUSY = "busy"
    NOT_THEIRS = "not their patient"
    CONFLICT = "conflict"
    POISONED = "refused as invalid"
    CREDENTIALS = "credentials refused"
    ELSEWHERE = "redirected: never followed"
    UNVERIFIED = "taken, but not there when read back"


ENDPOINT_ILL: Final = {
    SendOutcome.UNKNOWN,
    SendOutcome.BUSY,
    SendOutcome.CREDENTIALS,
    SendOutcome.ELSEWHERE,
}
"""Outcomes that speak of the endpoint, not of this one flag."""
FLAG_REFUSED: Final = {SendOutcome.POISONED, SendOutcome.CONFLICT, SendOutcome.UNVERIFIED}
"""Outcomes that speak of this one flag: it waits, and the person's others go past it."""


@dataclass(frozen=True)
class Reply:
    """An outcome, and how long the receiver asked us to wait."""

    outcome: SendOutcome
    after: timedelta | None = None


class Channel(Protocol):
    """A way to a practice's system."""

    def send(self, version: OutgoingVersion) -> Reply:
        """Tries once. Any doubt is an outcome, never an exception."""
