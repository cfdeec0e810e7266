"""Knows how a practice is reached, and whether anything structured may leave for it.

A practice is admitted while it is registered, is not suspended, and runs a version of a system that
has a valid leak-check result. Every attempt and every read asks that anew, inside its unit of work.
So nothing has to be taken away when a result runs out or a version changes.
"""

import ipaddress
import json
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy import ColumnElement, and_, bindparam, exists
from sqlmodel import col, select

from flagservice.admission.decisions import OperatorDecision
from flagservice.admission.result_notes import AHEAD, VALID_FOR
from flagservice.admission.results import is_valid, is_valid_between
from flagservice.audit.log import Deed, Work
from flagservice.domain.errors import Fault, Invalid, NotFound
from flagservice.store import tables
from flagservice.store.columns import Instant
from flagservice.store.lists import one_of

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


@dataclass(frozen=True)
class EndpointRegistration:
    """How a practice is reached, and what it runs."""

    practice: str
    url: str
    token: str = field(repr=False)
    system: str
    version: str


@dataclass(frozen=True)
class Endpoint:
    """The base address of a practice's FHIR server, and the token that it takes."""

    practice: str
    url: str
    token: str = field(repr=False)


def register(
    work: Work,
    registration: EndpointRegistration,
    *,
    decision: OperatorDecision,
    allow_loopback: bool,
) -> None:
    """Records how a practice is reached, in place of what was recorded before. Raises Invalid.

    It ends a suspension. A version without a valid result of its own is not admitted.
    """
    _check(registration, allow_loopback=allow_loopback)
    data_key = work.vault.new_data_key()
    secret = {"token": registration.token, **decision.kept()}
    row = tables.EndpointRow(
        practice=registration.practice,
        url=registration.url.rstrip("/"),
        system=registration.system,
        system_version=registration.version,
        registered=work.now,
        data_key=data_key,
        sealed=b"",
    )
    row.sealed = work.vault.seal_row(row, json.dumps(secret).encode())
    work.session.merge(row)
    work.record(
        Deed.PRACTICE_REGISTERED,
        practice=registration.practice,
        system=registration.system,
        version=registration.version,
    )


def _check(registration: EndpointRegistration, *, allow_loopback: bool) -> None:
    address = urlsplit(registration.url)
    loopback = allow_loopback and address.hostname in _LOOPBACK
    if address.scheme != "https" and not (address.scheme == "http" and loopback):
        raise Invalid(Fault("url", "is an https address"))
    if address.username or address.query or address.fragment or not address.hostname:
        raise Invalid(Fault("url", "is a base address: no user, query or fragment"))
    if _is_our_own(address.hostname) and not loopback:
        raise Invalid(Fault("url", "is the address of another machine, and none that is our own"))
    for name, text in (("system", registration.system), ("version", registration.version)):
        if not text or text != text.strip():
            raise Invalid(Fault(name, "is what the leak-check result calls it, letter for letter"))


def _is_our_own(host: str) -> bool:
    """Returns whether it is this machine, or one of our network alone, as a cloud's metadata are.

    A practice may have a private address: those of the health network are. Numbers that are read as
    an address only later (127.1, 0x7f000001) count as our own.
    """
    name = host.rstrip(".")
    try:
        there = ipaddress.ip_address(name)
    except ValueError:
        last = name.rpartition(".")[2]
        return last == "localhost" or last.isdecimal() or last.startswith("0x")
    there = getattr(there, "ipv4_mapped", None) or there
    own = there.is_loopback or there.is_link_local or there.is_unspecified
    return own or there.is_multicast or there.is_reserved


def suspend(work: Work, practice: str, *, decision: OperatorDecision) -> None:
    """Stops all that goes out to this practice's system, until it is registered anew."""
    row = work.session.get(tables.EndpointRow, practice)
    if row is None:
        raise NotFound("no system of this practice is registered")
    opened = work.vault.open_row(row)
    decided = json.loads(opened) | decision.kept_as("suspended")
    row.sealed = work.vault.seal_row(row, json.dumps(decided).encode())
    row.suspended = work.now
    work.session.add(row)
    work.record(Deed.PRACTICE_SUSPENDED, practice=practice)


def is_admitted(now: datetime) -> ColumnElement[bool]:
    """Returns the one rule, as a condition on endpoints, for a query about many practices."""
    return _runs(is_valid(now))


def _runs(valid: ColumnElement[bool]) -> ColumnElement[bool]:
    result = exists().where(
        col(tables.LeakResultRow.system) == col(tables.EndpointRow.system),
        col(tables.LeakResultRow.system_version) == col(tables.EndpointRow.system_version),
        valid,
    )
    return and_(col(tables.EndpointRow.suspended).is_(None), result)


_ADMITTED: Final = select(col(tables.EndpointRow.practice)).where(
    one_of(col(tables.EndpointRow.practice), "practices"),
    _runs(is_valid_between(bindparam("since", type_=Instant), bindparam("until", type_=Instant))),
)
"""made once: every poll asks it"""


def admitted_of(work: Work, practices: Collection[str]) -> frozenset[str]:
    """Returns those of these practices whose systems are admitted now, by one statement."""
    asked = {"practices": list(practices), "since": work.now - VALID_FOR, "until": work.now + AHEAD}
    return frozenset(work.session.connection().execute(_ADMITTED, asked).scalars())


def admitted(work: Work, practice: str) -> bool:
    """Returns whether this practice's system is admitted now."""
    return _admitted(work, practice) is not None


def endpoint_of(work: Work, practice: str) -> Endpoint | None:
    """Returns how to reach a practice, if it is admitted."""
    row = _admitted(work, practice)
    if row is None:
        return None
    opened = work.vault.open_row(row)
    return Endpoint(practice, row.url, json.loads(opened)["token"])


def _admitted(work: Work, practice: str) -> tables.EndpointRow | None:
    asked = (
        select(tables.EndpointRow)
        .where(col(tables.EndpointRow.practice) == practice)
        .where(is_admitted(work.now))
    )
    return work.session.exec(asked).first()
