"""Puts the parts together: files become policies and profiles, keys a vault, all a service."""

from dataclasses import dataclass
from datetime import date, timedelta
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from flagservice.app.clock import clock_of
from flagservice.app.keys.keyset import Keys, KeysMissing, load_keys, make_keys, missing_keys
from flagservice.app.witness import Witness
from flagservice.audit.log import Actor, Log
from flagservice.audit.sequence import Sequencer
from flagservice.delivery.push.fhir_rest import FhirRest
from flagservice.delivery.push.worker import Worker
from flagservice.domain.elements import Kind
from flagservice.fhir.profile.check import Profile
from flagservice.intake.policies.in_force import PoliciesInForce, start
from flagservice.intake.rulebook import Rulebook
from flagservice.policy.desks import Desks, load_desks
from flagservice.policy.proof.prove import load
from flagservice.policy.table import read
from flagservice.settings import Settings
from flagservice.store.database import Database

CHANGED: Final = date(2026, 11, 23)
"""When what the service offers last changed, as its CapabilityStatement says."""
_STARTING: Final = Actor("start")


@dataclass(frozen=True)
class Parts:
    """Everything that a process of the service needs."""

    settings: Settings
    database: Database
    keys: Keys
    log: Log
    shelf: PoliciesInForce

    def sequencer(self) -> Sequencer:
        """What builds the audit's tree."""
        witness = Witness(self.settings.witness_folder)
        return Sequencer(self.database, self.keys.signer, self.log.clock, witness=witness)

    def worker(self) -> Worker:
        """What delivers."""
        lease = timedelta(seconds=self.settings.lease_seconds)
        return Worker(self.log, FhirRest(within=lease / 3), lease=lease)


def build(settings: Settings) -> Parts:
    """Opens the database at its newest schema; its first policies come into force."""
    clock = clock_of(settings)
    _first_start(settings)
    keys = load_keys(settings)
    database = Database(settings.database)
    database.upgrade()
    database.check_durable()
    log = Log(database, keys.vault, clock=clock)
    shelf = PoliciesInForce(read_desks(settings.home), read_profiles(settings.home))
    shipped = [read(path.read_text("utf-8")) for path in policy_files(settings.home)]
    log.perform(_STARTING, lambda work: start(work, shipped, desks=shelf.desks))
    return Parts(settings, database, keys, log, shelf)


def software_version() -> str:
    """The version that is installed, or that of a checkout."""
    try:
        return version("flagservice")
    except PackageNotFoundError:
        return "0.1.0"


def read_rulebook(home: Path) -> Rulebook:
    """What is shipped: the newest version of each kind's policy, proved; desks and profiles."""
    policies = [load(path.read_text("utf-8")) for path in policy_files(home)]
    by_kind = {policy.kind: policy for policy in policies}
    return Rulebook(by_kind, read_desks(home), read_profiles(home))


def policy_files(home: Path) -> list[Path]:
    """The newest shipped version of each kind."""
    return [_newest(home / "policies" / kind) for kind in Kind]


def read_desks(home: Path) -> Desks:
    """The duty desks that a flag may name."""
    return load_desks((home / "policies" / "desks.toml").read_text("utf-8"))


def read_profiles(home: Path) -> dict[str, Profile]:
    """The profiles that a copy must fit, by resource type."""
    profiles = home / "profiles"
    value_sets = _texts(profiles, "ValueSet-*.json")
    extensions = [
        (profiles / f"StructureDefinition-{name}.json").read_text("utf-8")
        for name in ("review-due", "expected-date", "duty-desk")
    ]
    loaded = [
        Profile.load(text, value_sets=value_sets, extensions=extensions)
        for text in _texts(profiles, "StructureDefinition-Safeguarding*.json")
    ]
    return {profile.definition.type: profile for profile in loaded}


def _newest(folder: Path) -> Path:
    return max(folder.glob("v*.toml"), key=lambda path: int(path.stem[1:]))


def _texts(folder: Path, pattern: str) -> list[str]:
    return [path.read_text("utf-8") for path in sorted(folder.glob(pattern))]


def init_keys(settings: Settings) -> None:
    """Makes the keys that are not there yet; raises KeysMissing where data waits for older ones."""
    there = not settings.database_url and (settings.data / "flagservice.db").exists()
    gone = missing_keys(settings)
    if there and gone:
        raise KeysMissing(f"there is a database, and {', '.join(gone)} is gone: nothing opens it")
    make_keys(settings.keys_folder, settings.origin)


def _first_start(settings: Settings) -> None:
    """The embedded default makes its own keys, once: before there is anything to open with them."""
    if not settings.database_url:
        settings.data.mkdir(parents=True, exist_ok=True)
        init_keys(settings)
