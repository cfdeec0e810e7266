"""How a practice is reached. Nothing structured leaves for a practice that was not admitted.

Admission is a recorded human decision: somebody named says that this practice's system hides our
flags from its patients.
"""

import json
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from flagservice.audit.log import Deed, Work
from flagservice.domain.errors import Fault, Invalid, NotFound
from flagservice.store import tables

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


@dataclass(frozen=True)
class Admission:
    """Who admitted which practice's system, and why."""

    practice: str
    url: str
    token: str = field(repr=False)
    by: str
    reason: str


@dataclass(frozen=True)
class Reach:
    """The base address of a practice's FHIR server, and the token that it takes."""

    practice: str
    url: str
    token: str = field(repr=False)


def admit(work: Work, admission: Admission, *, allow_loopback: bool) -> None:
    """Records the decision; from now on the practice is pushed to, and may read its feed."""
    _check(admission, allow_loopback=allow_loopback)
    data_key = work.vault.new_data_key()
    secret = {"token": admission.token, "by": admission.by, "reason": admission.reason}
    sealed = work.vault.seal(
        data_key, json.dumps(secret).encode(), table="endpoint", row=admission.practice, version=1
    )
    work.session.merge(
        tables.Endpoint(
            practice=admission.practice,
            url=admission.url.rstrip("/"),
            admitted=work.now,
            data_key=data_key,
            sealed=sealed,
        )
    )
    work.record(Deed.PRACTICE_ADMITTED, practice=admission.practice)


def _check(admission: Admission, *, allow_loopback: bool) -> None:
    address = urlsplit(admission.url)
    loopback = allow_loopback and address.hostname in _LOOPBACK
    if address.scheme != "https" and not (address.scheme == "http" and loopback):
        raise Invalid(Fault("url", "is an https address"))
    if address.username or address.query or address.fragment or not address.hostname:
        raise Invalid(Fault("url", "is a base address: no user, query or fragment"))
    if not admission.by.strip() or not admission.reason.strip():
        raise Invalid(Fault("by, reason", "admission is a decision: say who, and why"))


def suspend(work: Work, practice: str, *, by: str, reason: str) -> None:
    """From now on nothing goes out to this practice's system, until it is admitted anew."""
    row = work.session.get(tables.Endpoint, practice)
    if row is None:
        raise NotFound("no system of this practice was admitted")
    if not by.strip() or not reason.strip():
        raise Invalid(Fault("by, reason", "a suspension is a decision: say who, and why"))
    opened = work.vault.open(row.data_key, row.sealed, table="endpoint", row=practice, version=1)
    decided = json.loads(opened) | {"suspended_by": by, "suspended_why": reason}
    row.sealed = work.vault.seal(
        row.data_key, json.dumps(decided).encode(), table="endpoint", row=practice, version=1
    )
    row.suspended = work.now
    work.session.add(row)
    work.record(Deed.PRACTICE_SUSPENDED, practice=practice)


def admitted(work: Work, practice: str) -> bool:
    """Is this practice's system admitted?"""
    row = work.session.get(tables.Endpoint, practice)
    return row is not None and row.suspended is None


def reach(work: Work, practice: str) -> Reach | None:
    """How to reach an admitted practice."""
    row = work.session.get(tables.Endpoint, practice)
    if row is None or row.suspended is not None:
        return None
    opened = work.vault.open(row.data_key, row.sealed, table="endpoint", row=practice, version=1)
    return Reach(practice, row.url, json.loads(opened)["token"])
