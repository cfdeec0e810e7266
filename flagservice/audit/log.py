"""The only door to the database: every unit of work begins here, and leaves a leaf or fails.

A leaf says who did what to which random id, when, and for which request. It holds no content. It is
in the commit of the deed, so it is durable before the first byte of an answer.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cache, partial
from types import SimpleNamespace
from typing import Any, Protocol, TypeVar

import orjson
from sqlalchemy import Insert
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, SQLModel

from flagservice.domain.days.london import day_of
from flagservice.store import leaves
from flagservice.store.database import Database, may_be_done_again
from flagservice.store.sealing.places import place_of
from flagservice.store.sealing.pseudonyms import live
from flagservice.store.sealing.vault import Vault

T = TypeVar("T")
_TRIES = 8


class Deed(StrEnum):
    """Everything that can be done. What is not on this list cannot be recorded."""

    SUBMITTED = "submitted"
    REPEATED = "repeated"
    SUPERSEDED = "superseded"
    RULED = "ruled"
    DISCLOSED = "disclosed"
    TAKEN_BACK = "taken-back"
    HELD = "held"
    DECIDED = "decided"
    NOT_REACHED = "not-reached"
    READ = "read"
    SEARCHED = "searched"
    FED = "fed"
    DIGESTED = "digested"
    ACKNOWLEDGED = "acknowledged"
    QUERIED = "queried"
    REJECTED = "rejected-by-practice"
    QUERIES_READ = "queries-read"
    PROVENANCE_READ = "provenance-read"
    AUDIT_READ = "audit-read"
    RECEIPT_READ = "receipt-read"
    WORKLIST_READ = "worklist-read"
    GOVERNANCE_READ = "governance-read"
    STATUS_READ = "status-read"
    REFUSED = "refused"
    ATTEMPTED = "attempted"
    DELIVERED = "delivered"
    NOT_DELIVERED = "not-delivered"
    CLOSED = "closed-by-decision"
    TOKEN_ISSUED = "token-issued"  # noqa: S105, a deed and no secret
    CLIENT_ADDED = "client-added"
    CLIENT_REVOKED = "client-revoked"
    PRACTICE_REGISTERED = "practice-registered"
    PRACTICE_SUSPENDED = "practice-suspended"
    CHECKER_ADDED = "checker-added"
    CHECKER_REVOKED = "checker-revoked"
    LEAK_RESULT_ACCEPTED = "leak-result-accepted"
    LEAK_RESULT_WITHDRAWN = "leak-result-withdrawn"
    REGISTER_LOADED = "register-loaded"
    APPROVER_ADDED = "approver-added"
    APPROVER_REVOKED = "approver-revoked"
    POLICY_PROPOSED = "policy-proposed"
    POLICY_APPROVED = "policy-approved"
    POLICY_IN_FORCE = "policy-in-force"
    POLICY_RULED_AGAIN = "policy-ruled-again"
    POLICY_READ = "policy-read"
    KEYS_ROTATED = "keys-rotated"
    THROTTLED = "throttled"
    ALARM_RAISED = "alarm-raised"
    ALARMS_JUDGED = "alarms-judged"
    CLIENT_KEY_ADDED = "client-key-added"
    CLIENT_KEY_DROPPED = "client-key-dropped"
    CLIENT_KEYS_READ = "client-keys-read"
    SANDBOX_RESET = "sandbox-reset"


class Unrecorded(Exception):
    """A unit of work was about to commit without a leaf."""


class Overtaken(Exception):
    """Another unit of work changed what this one had looked at. It is done once more."""


class Clock(Protocol):
    """The one clock. It is passed in."""

    def __call__(self) -> datetime:
        """Returns now, in UTC."""


@dataclass(frozen=True)
class Actor:
    """Who does the deed: a client of the API, or a part of the service."""

    name: str
    ods: str = ""
    request_id: str = ""


class Work:
    """One unit of work: a session, its instant, and the leaves of its commit."""

    def __init__(self, session: Session, actor: Actor, *, log: "Log") -> None:
        self.session = session
        self.actor = actor
        self.vault = log.vault.within(partial(live, session))
        self.new_id = log.new_id
        self.now = log.clock()
        self.leaves: list[dict[str, Any]] = []
        self._kept: dict[str, list[dict[str, Any]]] = {}
        self.made: set[str] = set()
        """The ids of people who were made here: nothing else is kept of them yet."""

    @property
    def today(self) -> date:
        """The day of this unit of work, in London."""
        return day_of(self.now)

    def keep(self, table: type[SQLModel], **row: Any) -> None:
        """Keeps a whole new row, at which this unit of work does not look again. See `write`."""
        self._kept.setdefault(str(table.__tablename__), []).append(row)

    def keep_sealed(
        self, table: type[SQLModel], body: bytes, *, data_key: bytes, **row: Any
    ) -> None:
        """Keeps a new row as `keep` does, with a body that is sealed for that row."""
        place = place_of(SimpleNamespace(**row), table)
        sealed = self.vault.seal(data_key, body, **place._asdict())
        self.keep(table, sealed=sealed, **row)

    def write(self) -> None:
        """Writes all that was made or changed so far: each table's rows at once, parents first."""
        self.session.flush()
        if not self._kept:
            return
        connection = self.session.connection()
        for name, insert in _inserts():
            rows = self._kept.pop(name, None)
            if rows:
                connection.execute(insert, rows)
        if self._kept:
            raise Unrecorded("rows were kept for a table that does not exist")

    def record(self, deed: Deed, **about: str | int) -> None:
        """Adds one leaf. `about` holds random ids, practice codes, rule ids and counts."""
        leaf_id = self.new_id()
        body = {
            "about": about,
            "actor": self.actor.name,
            "at": self.now.isoformat(),
            "deed": deed,
            "id": leaf_id,
            "ods": self.actor.ods,
            "request": self.actor.request_id,
        }
        written = orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
        self.leaves.append({"id": leaf_id, "at": self.now, "body": written})


class Log:
    """Opens units of work on one database."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        *,
        clock: Clock,
        new_id: Callable[[], str] = lambda: secrets.token_hex(16),
    ) -> None:
        self._database = database
        self.vault = vault
        self.clock = clock
        self.new_id = new_id

    def is_waiting(self, actor: Actor, question: Callable[[Work], bool]) -> bool:
        """Returns whether there is work to do. It leaves no leaf, since it tells only that."""
        with self._database.transaction() as session:
            answer = question(Work(session, actor, log=self)) is True
            session.rollback()  # whatever a question changed has no leaf, so it is not kept
            return answer

    def perform(self, actor: Actor, deed: Callable[[Work], T]) -> T:
        """Does a deed in one transaction with its leaves, and again where it lost a race."""
        tries = 0
        while True:
            tries += 1
            try:
                return self._once(actor, deed)
            except (DBAPIError, Overtaken) as wrong:
                again = isinstance(wrong, Overtaken) or may_be_done_again(wrong)
                if tries == _TRIES or not again:
                    raise

    def perform_together(
        self, actors: Sequence[Actor], deeds: Callable[[Sequence[Work]], None]
    ) -> None:
        """Does several units of work in one transaction, with the leaves of each.

        All are committed or none. A unit of work that was refused has left no leaf and changed
        nothing.
        """
        with self._database.transaction(waits=False) as session:
            works = [Work(session, actor, log=self) for actor in actors]
            deeds(works)
            _keep_leaves(session, [work for work in works if work.leaves])

    def _once(self, actor: Actor, deed: Callable[[Work], T]) -> T:
        with self._database.transaction() as session:
            work = Work(session, actor, log=self)
            done = deed(work)
            work.write()
            if not work.leaves:
                raise Unrecorded("a unit of work left no leaf")
            _keep_leaves(session, [work])
        return done


def _keep_leaves(session: Session, works: Sequence[Work]) -> None:
    """Writes the leaves at the end of the transaction that they are about, in one statement."""
    leaves.write(session, [leaf for work in works for leaf in work.leaves])


@cache
def _inserts() -> Sequence[tuple[str, Insert]]:
    """Returns an insert for each table, parents first. They are made once: making is slow."""
    return [(table.name, table.insert()) for table in SQLModel.metadata.sorted_tables]
