"""The web application and the threads beside it."""

import contextlib
import threading
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from functools import partial
from typing import Final

import structlog
from fastapi import FastAPI
from joserfc.jwk import ECKey
from starlette.concurrency import run_in_threadpool

from flagservice.api import governance, monitoring, refusals, social_care
from flagservice.api.access import token_endpoint
from flagservice.api.access.callers import Api
from flagservice.api.access.tokens import Tokens
from flagservice.api.edge.envelope import Envelope
from flagservice.api.edge.limits import MINUTE, Limits
from flagservice.api.edge.throttle_log import ThrottleLog
from flagservice.api.openapi import description, page
from flagservice.api.records import routes
from flagservice.api.records.fast_path import FastPath
from flagservice.app.build import Installation
from flagservice.app.version import CHANGED, software_version
from flagservice.audit.log import Actor, Deed, Work
from flagservice.delivery.push.fhir_rest import FhirRest
from flagservice.delivery.push.worker import Worker
from flagservice.delivery.watch.alarms import AlarmLimits, judge
from flagservice.domain.days.intervals import bank_holidays
from flagservice.fhir import writing
from flagservice.intake.policies.enforcement import sweep_next
from flagservice.settings import Settings

_log = structlog.get_logger()
_STARTING: Final = Actor("start")


def application(
    installation: Installation,
    *,
    threads: tuple["Loop", ...] = (),
    also: Callable[[FastAPI], None] = lambda _: None,
) -> Envelope:
    """Returns the API of an installation, in its envelope; the loops run while it does.

    `also` may put more into the application, inside the envelope: the sandbox does.
    """

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        # Proving every policy takes a second, and the bank holidays half: no first plan waits.
        await run_in_threadpool(installation.log.perform, _STARTING, partial(_warm, installation))
        for loop in loops_:
            loop.start()
        yield
        for loop in loops_:
            loop.stop()
        throttle_log.settle(installation.log, at_end=True)

    app, api = described(), _api_of(installation)
    throttle_log = api.throttle_log
    loops_ = (
        *threads,
        Loop("throttle-log", partial(throttle_log.settle, installation.log), pause=MINUTE / 2),
    )
    app.router.lifespan_context = lifespan
    app.state.api = api
    app.add_middleware(FastPath, log=installation.log)
    also(app)
    return Envelope(app, new_id=installation.log.new_id, refusing=refusals.refusing(app))


def _warm(installation: Installation, work: Work) -> None:
    bank_holidays(work.today.year)
    writing.models()
    proved = list(installation.policies.rulebook(work).policies.values())
    work.record(Deed.POLICY_READ, in_force=len(proved))


def _api_of(installation: Installation) -> Api:
    base = installation.settings.base
    key = ECKey.import_key(installation.keys.token_pem, {"use": "sig"})
    tokens = Tokens(f"{base}/oauth2/token", key)
    limits = Limits(installation.settings.limits)
    return Api(
        installation.log,
        installation.policies,
        tokens,
        f"{base}/fhir/R4",
        software_version(),
        CHANGED,
        limits,
        ThrottleLog(limits.clock),
    )


def described() -> FastAPI:
    """Returns the routes alone, as OpenAPI describes them."""
    app = FastAPI(
        title="flagservice",
        version=software_version(),
        description="Safeguarding plans and notifications as flags in the right GP records.",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        # FastAPI's own tracing writes query strings into spans.
        telemetry={"tracing": False, "logs": False, "metrics": False, "auto_configure": False},
    )
    first = (token_endpoint.router, monitoring.router, social_care.router)
    for router in (*first, *routes.ROUTERS, governance.router):
        app.include_router(router)
    app.include_router(page.router_of(app))
    refusals.install(app)
    description.install(app)
    return app


class Loop:
    """Repeats one thing in a thread, until stopped; a fault does not end it.

    `over` is set when it is stopped, so that what takes long can end early.
    """

    def __init__(
        self,
        name: str,
        once: Callable[[], int],
        *,
        pause: float,
        full: int = 1,
        over: threading.Event | None = None,
    ) -> None:
        self._name = name
        self._once = once
        self._pause = pause
        self._full = full
        self._over = over or threading.Event()
        self._thread = threading.Thread(target=self.run, name=name, daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stops after the round in hand, waiting up to ten seconds."""
        self._over.set()
        self._thread.join(timeout=10)

    def run(self) -> None:
        """Repeats until stopped, with a pause after a fault or a round that was not full."""
        while not self._over.is_set():
            if self._safely() < self._full:
                self._over.wait(self._pause)

    def _safely(self) -> int:
        try:
            return self._once()
        except Exception as wrong:  # noqa: BLE001, the next round may do better; the type is logged
            _log.error("loop fault", process=self._name, error=type(wrong).__name__)
            return 0


def run(*loops: Loop) -> None:
    """Runs the loops until the process is asked to end."""
    for loop in loops:
        loop.start()
    try:
        threading.Event().wait()
    finally:
        for loop in loops:
            loop.stop()


def worker_of(installation: Installation) -> Worker:
    """Returns what delivers."""
    lease = timedelta(seconds=installation.settings.lease_seconds)
    return Worker(installation.log, FhirRest(within=lease / 3), lease=lease)


def worker_loop(worker: Worker) -> Loop:
    """Returns the loop that delivers; once stopped, it gives back what was not begun."""
    return Loop("worker", worker.run_once, pause=0.2, over=worker.over)


def watch_of(settings: Settings) -> AlarmLimits:
    """Returns what an installation takes for an alarm."""
    return AlarmLimits(settings.alarm_people, settings.alarm_hours, settings.alarm_rejections)


def loops(installation: Installation, *, deliver: bool) -> tuple[Loop, ...]:
    """Returns the loops beside the API; with `deliver`, also the worker and the policies' sweep."""
    # A batch costs a commit and a signature: without a pause those who poll would wait for each.
    one = installation.sequencer()
    sequencer = Loop("sequencer", one.sequence, pause=0.5, full=one.batch)
    watch = watch_of(installation.settings)
    alarms = Loop("alarms", partial(judge, installation.log, watch), pause=MINUTE / 2)
    if not deliver:
        return (sequencer, alarms)
    return (
        sequencer,
        alarms,
        worker_loop(worker_of(installation)),
        Loop("policies", partial(sweep_next, installation.log, installation.policies), pause=2),
    )
