"""A sign of life, and what an operator watches."""

from typing import Annotated, Literal

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

from flagservice.api.access.callers import ApiDep, Caller, requires
from flagservice.api.health import ServiceHealth, health
from flagservice.api.openapi.answers import OF_EVERY_CALLER, OF_EVERY_ROUTE, AnswerModel, refused
from flagservice.connections.endings import FIGURES
from flagservice.delivery.watch.status import ServiceStatus, service_status

router = APIRouter(tags=["service"], responses=refused(*OF_EVERY_ROUTE))
Operates = Annotated[Caller, requires("service.read")]


class Ping(AnswerModel):
    """A sign of life."""

    status: Literal["pass"]


@router.get("/_ping", response_model=Ping)
async def ping() -> Response:
    """Returns the same bytes, always."""
    return Response(b'{"status":"pass"}', media_type="application/json")


@router.get("/_status", response_model_exclude_none=True, responses=refused(*OF_EVERY_CALLER))
def status(api: ApiDep, caller: Operates) -> ServiceHealth:
    """Returns the health of each check, what is owed, and how old the oldest is."""
    return health(api.perform(caller, service_status), version=api.version)


@router.get("/metrics", response_class=PlainTextResponse, responses=refused(*OF_EVERY_CALLER))
def metrics(api: ApiDep, caller: Operates) -> Response:
    """Returns the same figures, and those of connections, for Prometheus.

    No label names a person, a practice or a kind.
    """
    return Response(_exposed(api.perform(caller, service_status)), media_type=CONTENT_TYPE_LATEST)


def _exposed(now: ServiceStatus) -> bytes:
    registry = CollectorRegistry()
    owed = Gauge("flagservice_deliveries_open", "Versions owed", ["urgency"], registry=registry)
    for urgency, count in now.owed.items():
        owed.labels(urgency).set(count)
    for name, value in (
        ("oldest_owed_seconds", now.oldest_owed_seconds),
        ("worker_lag_seconds", now.worker_lag_seconds),
        ("holds_open", now.holds),
        ("holds_overdue", now.holds_overdue),
        ("oldest_hold_days", now.oldest_hold_days),
        ("records_not_reached", now.not_reached),
        ("leaves_waiting", now.leaves_waiting),
        ("unproven_seconds", now.unproven_seconds),
        ("checkpoint_age_seconds", now.checkpoint_age_seconds),
        ("alarms_last_day", now.alarms),
    ):
        Gauge(f"flagservice_{name}", name.replace("_", " "), registry=registry).set(value)
    return generate_latest(registry) + generate_latest(FIGURES)
