"""Puts a service together: a database at its newest schema, keys, the audit's log, policies."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

from flagservice.app.clock import clock_of
from flagservice.app.keys.keyset import Keys, KeysMissing, load_keys, make_keys, missing_keys
from flagservice.app.release import read_desks, read_profiles, shipped_policies
from flagservice.app.witness import Witness
from flagservice.audit.log import Actor, Log, Work
from flagservice.audit.sequence import Sequencer
from flagservice.intake.policies.in_force import PoliciesInForce, start
from flagservice.settings import Settings
from flagservice.store.database import Database

T = TypeVar("T")
OPERATOR: Final = Actor("operator at the command line")
_STARTING: Final = Actor("start")


@dataclass(frozen=True)
class Installation:
    """What a process of the service needs: where it keeps what, its keys, its policies."""

    settings: Settings
    database: Database
    keys: Keys
    log: Log
    policies: PoliciesInForce

    def perform(self, deed: Callable[[Work], T]) -> T:
        """Does one unit of work as the operator, and returns its result."""
        return self.log.perform(OPERATOR, deed)

    def sequencer(self) -> Sequencer:
        """Returns what builds the audit's tree."""
        witness = Witness(self.settings.witness_folder)
        return Sequencer(self.database, self.keys.signer, self.log.clock, witness=witness)


@dataclass
class _Kept:
    one: Installation | None = None

    def installation(self) -> Installation:
        if self.one is None:
            self.one = build(Settings())
        return self.one


_KEPT: Final[ContextVar[_Kept | None]] = ContextVar("kept", default=None)


@contextmanager
def opened() -> Iterator[Installation]:
    """Yields the service for one command, and closes its database after it."""
    kept = _KEPT.get()
    if kept is not None:
        yield kept.installation()
        return
    installation = build(Settings())
    try:
        yield installation
    finally:
        installation.database.close()


@contextmanager
def kept_open() -> Iterator[None]:
    """Lets the commands that run meanwhile share one service, opened for the first of them."""
    kept = _Kept()
    token = _KEPT.set(kept)
    try:
        yield
    finally:
        _KEPT.reset(token)
        if kept.one is not None:
            kept.one.database.close()


def build(settings: Settings) -> Installation:
    """Returns the service, with its database at the newest schema.

    Where a kind has no policy yet, the release's own comes into force.
    """
    clock = clock_of(settings)
    _first_start(settings)
    keys = load_keys(settings)
    database = Database(settings.database)
    database.upgrade()
    database.check_durable()
    log = Log(database, keys.vault, clock=clock)
    policies = PoliciesInForce(read_desks(settings.home), partial(read_profiles, settings.home))
    shipped = shipped_policies(settings.home)
    log.perform(_STARTING, lambda work: start(work, shipped, desks=policies.desks))
    return Installation(settings, database, keys, log, policies)


def init_keys(settings: Settings) -> None:
    """Makes the missing keys; raises KeysMissing where data needs older ones."""
    there = not settings.database_url and (settings.data / "flagservice.db").exists()
    gone = missing_keys(settings)
    if there and gone:
        raise KeysMissing(f"there is a database, and {', '.join(gone)} is gone: nothing opens it")
    make_keys(settings.keys_folder, settings.origin)


def _first_start(settings: Settings) -> None:
    if not settings.database_url:
        settings.data.mkdir(parents=True, exist_ok=True)
        init_keys(settings)
