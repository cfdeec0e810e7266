"""One tenant's world: a whole service on a database of its own, and how it is reset.

A request meets one whole world: those inside at a reset finish in the old one, later ones meet the
new one.
"""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Final

from fastapi import FastAPI

from flagservice.api.access.callers import Api
from flagservice.api.edge.envelope import Envelope
from flagservice.api.edge.limits import Audience, Limits
from flagservice.app import serve
from flagservice.app.build import Installation
from flagservice.app.sandbox import admission, furnishing
from flagservice.app.sandbox.fault_middleware import FaultMiddleware
from flagservice.app.sandbox.reset import router
from flagservice.app.sandbox.tenants import Tenant
from flagservice.delivery.watch.alarms import judge
from flagservice.domain.errors import Conflict
from flagservice.settings import Settings

RESETS_A_MINUTE: Final = 10


@dataclass
class World:
    """One database with the application on it, closed when the last request has left."""

    tenant: Tenant
    installation: Installation
    app: Envelope
    api: Api
    _inside: int = 0
    _retired: bool = False
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def tend(self) -> int:
        """Does a round of what runs beside the API, and pushes nothing; returns how much it did."""
        watch = serve.watch_of(self.installation.settings)
        told = self.api.throttle_log.settle(self.installation.log) + judge(
            self.installation.log, watch
        )
        return told + self.installation.sequencer().sequence()

    def enter(self) -> None:
        """Counts one more inside, until `leave`."""
        with self._turn:
            self._inside += 1

    def leave(self) -> None:
        """Counts one fewer inside, and closes a retired world after the last."""
        with self._turn:
            self._inside -= 1
            last = self._retired and self._inside == 0
        if last:
            self._close()

    def retire(self) -> None:
        """Closes the world once it is empty."""
        with self._turn:
            self._retired = True
            last = self._inside == 0
        if last:
            self._close()

    def _close(self) -> None:
        self.installation.database.close()
        shutil.rmtree(self.tenant.world, ignore_errors=True)


class ServedTenant:
    """A tenant with its current world."""

    def __init__(self, tenant: Tenant, settings: Settings) -> None:
        self._settings = settings
        self._limits = Limits(settings.limits)
        self._resets = Limits({Audience.SERVICE: RESETS_A_MINUTE})
        self._resetting = threading.Lock()
        self._swap = threading.Lock()
        tenant.sweep()
        self._world = self._open(tenant)
        admission.renew(self._world.installation)

    @contextmanager
    def used(self) -> Iterator[World]:
        """Yields the current world, for one request or one round of a loop."""
        with self._swap:
            world = self._world
            world.enter()
        try:
            yield world
        finally:
            world.leave()

    def reset(self) -> None:
        """Resets the world to the scenarios; raises Throttled, or Conflict during another reset."""
        self._resets.take(Audience.SERVICE)
        if not self._resetting.acquire(blocking=False):
            raise Conflict("this tenant is being reset at this moment")
        try:
            after = self._world.tenant.next()
            furnishing.furnish(after, self._settings).database.close()
            fresh = self._open(after)
            after.write()
            with self._swap:
                before, self._world = self._world, fresh
            before.retire()
        finally:
            self._resetting.release()

    def close(self) -> None:
        """Closes the database, and keeps the world."""
        self._world.installation.database.close()

    def _open(self, tenant: Tenant) -> World:
        installation = furnishing.build_world(tenant, self._settings)
        inside = FastAPI()

        def also(app: FastAPI) -> None:
            nonlocal inside
            inside = app
            app.include_router(router)
            app.add_middleware(FaultMiddleware)
            app.state.reset = self.reset
            # A reset is no way round a limit.
            app.state.api = replace(app.state.api, limits=self._limits)

        app = serve.application(installation, also=also)
        return World(tenant, installation, app, inside.state.api)
