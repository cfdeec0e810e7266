"""The tenants of the sandbox, on disk: one folder for each, with its key, its clients, its world.

    <data>/sandbox/<name>/tenant.json    who it is, and which of its worlds stands
    <data>/sandbox/<name>/keys           outlive a reset, so that tokens do
    <data>/sandbox/<name>/world-<n>      a database; the one before goes when nobody is in it

`tenant.json` is replaced whole: a crash leaves the world before a reset, or the one after it.
"""

import json
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Final

from flagservice.app.clock import NotInProduction
from flagservice.app.files import put
from flagservice.clients.kinds import ClientKind
from flagservice.domain.errors import Conflict, Fault, Invalid, NotFound
from flagservice.settings import Settings

PRACTICE: Final = "B83951"
SECOND: Final = "B83952"
UNADMITTED: Final = "B83953"
FACES: Final = {
    "gp-system": (PRACTICE, ClientKind.GP_SYSTEM),
    "gp-system-second": (SECOND, ClientKind.GP_SYSTEM),
    "gp-system-unadmitted": (UNADMITTED, ClientKind.GP_SYSTEM),
    "practice-lead": (PRACTICE, ClientKind.PRACTICE_LEAD),
    "childrens-services": ("E08000032", ClientKind.CHILDRENS_SERVICES),
    "police": ("Q0WYP", ClientKind.POLICE),
    "zero-to-nineteen": ("TAD00", ClientKind.ZERO_TO_NINETEEN),
    "governance": ("X26", ClientKind.GOVERNANCE),
    "operator": ("X26", ClientKind.OPERATOR),
}
"""A tenant's clients by face: the organisation, and the kind of client."""
NOBODY: Final = "_nobody"
"""The tenant without clients, for a request that names no known client."""
_NAME: Final = re.compile(r"[a-z][a-z0-9-]{1,38}[a-z0-9]")


@dataclass(frozen=True)
class Tenant:
    """One supplier or council: its public key, and the ids of its clients by face."""

    folder: Path
    name: str
    public_key: str = field(repr=False)
    clients: dict[str, str]
    generation: int = 1

    @property
    def world(self) -> Path:
        """Returns the folder of the current world."""
        return self.folder / f"world-{self.generation}"

    def next(self) -> "Tenant":
        """Returns the same tenant with the next world."""
        return replace(self, generation=self.generation + 1)

    def write(self) -> None:
        """Makes this the tenant's current state, on disk."""
        said = asdict(self)
        del said["folder"]
        put(self.folder / "tenant.json", json.dumps(said).encode())

    def sweep(self) -> None:
        """Removes worlds that a crash left behind."""
        for left in self.folder.glob("world-*"):
            if left != self.world:
                shutil.rmtree(left, ignore_errors=True)

    def discard(self) -> None:
        """Removes the tenant's folder."""
        shutil.rmtree(self.folder, ignore_errors=True)


@dataclass(frozen=True)
class Tenants:
    """All tenants below one data folder."""

    folder: Path

    @classmethod
    def of(cls, settings: Settings) -> "Tenants":
        """Raises NotInProduction where these settings could reach a database with real people."""
        refuse_production(settings)
        folder = settings.data.resolve() / "sandbox"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return cls(folder)

    def everybody(self) -> Iterator[Tenant]:
        """Yields the tenants now there, also those that another process has just added."""
        for path in sorted(self.folder.glob("*/tenant.json")):
            yield _read(path)

    def named(self, name: str) -> Tenant:
        """Returns the tenant of this name; raises NotFound."""
        path = self.folder / name / "tenant.json"
        if not path.exists():
            raise NotFound("there is no such tenant")
        return _read(path)

    def new(self, name: str, public_key: str) -> Tenant:
        """Returns a tenant in a hidden folder, until `keep`; raises Invalid or Conflict."""
        if name != NOBODY and not _NAME.fullmatch(name):
            raise Invalid(Fault("name", "is 3 to 40 small letters, digits and hyphens"))
        if (self.folder / name).exists():
            raise Conflict("there is a tenant of this name")
        folder = Path(tempfile.mkdtemp(dir=self.folder, prefix=".new-"))
        faces = () if name == NOBODY else FACES
        return Tenant(folder, name, public_key, {face: secrets.token_hex(16) for face in faces})

    def keep(self, tenant: Tenant) -> Tenant:
        """Puts a new tenant in place, whole, and returns it."""
        tenant.write()
        tenant.folder.rename(self.folder / tenant.name)
        return replace(tenant, folder=self.folder / tenant.name)


def refuse_production(settings: Settings) -> None:
    """Raises NotInProduction where settings bring keys or a database: the sandbox makes its own."""
    if settings.database_url:
        raise NotInProduction(
            "the sandbox keeps each tenant in a database of its own below the data folder:"
            " unset FLAGSERVICE_DATABASE_URL"
        )
    if settings.keys is not None or settings.key_encryption_keys is not None:
        raise NotInProduction("the sandbox makes its own keys: unset FLAGSERVICE_KEYS and the like")
    if (settings.data / "flagservice.db").exists() or (settings.data / "keys").exists():
        raise NotInProduction(
            "this data folder holds a service that is no sandbox: set FLAGSERVICE_DATA to another"
        )


def _read(path: Path) -> Tenant:
    return Tenant(path.parent, **json.loads(path.read_text("utf-8")))
