"""The refusals of flagservice, in one tree. They name a field and a rule, and quote nothing.

Refusal
├── Invalid          what was sent breaks a rule: one or more (field, rule) pairs
├── Conflict         the same key was used for something else
├── Forbidden        the caller is known, and has no such right
├── Unauthenticated  the caller is not known
└── NotFound         there is no such thing, or none for this caller: the same answer
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """One broken rule. `field` is a path in our own field names, `rule` is plain English."""

    field: str
    rule: str


class CannotRun(Exception):
    """A program of the service cannot run here. The text is for an operator.

    It holds no person's data.
    """


class Refusal(Exception):
    """Something was refused. `rule` says why, and holds no person's data."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


class Invalid(Refusal):
    """What was sent breaks at least one rule."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__("; ".join(f"{fault.field}: {fault.rule}" for fault in faults))
        self.faults = faults


class Conflict(Refusal):
    """The same reference and version, or the same key, was used for something else."""


class Forbidden(Refusal):
    """The caller has no such right."""


class Unauthenticated(Refusal):
    """The caller did not prove who it is."""


class NotFound(Refusal):
    """There is no such thing, or only one of another caller. Both get this answer."""
