"""Tokens, a sign of life, and what an operator watches."""

from typing import Annotated, Final
from urllib.parse import parse_qsl

import orjson
from fastapi import APIRouter, Depends, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

from flagservice.api.assertions import BadAssertion, claimed_client
from flagservice.api.bodies import body_of
from flagservice.api.callers import Asked, Faced, may
from flagservice.api.health import health
from flagservice.api.limits import Audience, peer_of
from flagservice.audit.log import Actor
from flagservice.delivery.standing import Standing, standing

router = APIRouter(tags=["service"])
_FORM: Final = "application/x-www-form-urlencoded"
_TOKENS: Final = Actor("token endpoint")
Operates = Annotated[Asked, Depends(may("service.read"))]


@router.post("/oauth2/token")
def post_token(
    face: Faced, request: Request, body: Annotated[bytes, Depends(body_of(_FORM))]
) -> Response:
    """OAuth 2 client credentials with `private_key_jwt`: the only way in."""
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=True)
    except ValueError:
        raise BadAssertion("the body is not a form") from None
    if len({name for name, _ in pairs}) != len(pairs):
        raise BadAssertion("a parameter is given twice")
    form = dict(pairs)
    peer = peer_of(request.client.host if request.client else "")
    face.limits.check(Audience.OUTSIDERS, peer)
    face.limits.take(Audience.TOKENS, claimed_client(form), peer)
    token = face.log.perform(_TOKENS, lambda work: face.tokens.issue(work, form))
    return Response(orjson.dumps(token), media_type="application/json")


@router.get("/_ping")
def ping() -> Response:
    """Alive. The same bytes for everybody, always."""
    return Response(b'{"status":"pass"}', media_type="application/json")


@router.get("/_status")
def status(face: Faced, asked: Operates) -> Response:
    """How the service is, check by check, with what is owed and how old the oldest is."""
    body = health(face.perform(asked, standing), version=face.version)
    return Response(orjson.dumps(body), media_type="application/json")


@router.get("/metrics")
def metrics(face: Faced, asked: Operates) -> Response:
    """The same figures for Prometheus. No label names a person, a practice or a kind."""
    return Response(_exposed(face.perform(asked, standing)), media_type=CONTENT_TYPE_LATEST)


def _exposed(now: Standing) -> bytes:
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
    return generate_latest(registry)
