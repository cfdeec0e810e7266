"""Answers every refusal: a status, an error in the caller's own format, and a leaf.

The FHIR side answers with OperationOutcome, the others with problem details (RFC 9457). A refusal
names field and rule, and holds nothing of what was sent. Its leaf is written before it is sent.
"""

from collections.abc import Callable, Sequence
from typing import Final

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from flagservice.api.access.callers import actor_of, api_of
from flagservice.api.edge.bodies import WrongMediaType
from flagservice.api.edge.envelope import Application, Receive, Scope, Send, TooLarge
from flagservice.api.edge.limits import Audience, Throttled, peer_of
from flagservice.api.edge.throttle_log import ThrottledCaller
from flagservice.api.openapi.answers import FHIR_JSON, PROBLEM_JSON, OAuthError, problem
from flagservice.api.records.negotiation import NotAcceptable
from flagservice.audit.log import Actor, Deed
from flagservice.clients.assertions import BadAssertion
from flagservice.domain.errors import (
    Conflict,
    Fault,
    Forbidden,
    Invalid,
    NotFound,
    Refusal,
    Unauthenticated,
)
from flagservice.fhir.outcomes import outcome

FHIR_PATH: Final = "/fhir/R4"
_STATUS: Final = {
    Invalid: 422,
    Conflict: 409,
    Forbidden: 403,
    Unauthenticated: 401,
    NotFound: 404,
    WrongMediaType: 415,
    NotAcceptable: 406,
}
_KNOWN: Final = (Refusal, HTTPException, RequestValidationError, TooLarge, ClientDisconnect)
_RULES: Final = {
    400: "the request ended before its body did",
    404: "there is nothing here",
    405: "this method is not allowed here",
    413: "the body is too large",
    415: "this media type is not understood",
    422: "the request breaks a rule",
    500: "something went wrong here; it is recorded",
}
_log = structlog.get_logger()


def install(app: FastAPI) -> None:
    """Installs the handlers; `HTTPException` covers unknown routes and methods."""
    for refused in (*_KNOWN, Exception):
        app.add_exception_handler(refused, _answer)


def refusing(app: FastAPI) -> Callable[[Fault], Application]:
    """Returns the maker of `app`'s answer to a fault that is found before any route."""

    def of(fault: Fault) -> Application:
        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            scope["app"] = app
            answered = await _answer(Request(scope), Invalid(fault))
            await answered(scope, receive, send)

        return answer

    return of


async def _answer(request: Request, wrong: Exception) -> Response:
    wrong = _too_often(request, wrong) or wrong
    status, rule, faults = _read(wrong)
    if status == 500:
        # The type alone: a message or a traceback could hold what was sent.
        _log.error("fault", error=type(wrong).__name__, request_id=_request_id(request))
    try:
        await run_in_threadpool(_record, request, status, wrong)
    except Exception as lost:  # noqa: BLE001, whatever it is, nothing leaves unrecorded
        _log.error("audit unavailable", error=type(lost).__name__)
        status, rule, faults = 503, "the audit cannot be written: nothing is answered", ()
    return _response(request, wrong, status=status, rule=rule, faults=faults)


def _read(wrong: Exception) -> tuple[int, str, Sequence[Fault]]:
    match wrong:
        case Invalid():
            return 422, wrong.rule, wrong.faults
        case BadAssertion():
            return wrong.status, wrong.rule, ()
        case Throttled():
            return 429, wrong.rule, ()
        case Refusal():
            return _STATUS[type(wrong)], wrong.rule, ()
        case TooLarge():
            return 413, _RULES[413], (Fault("body", "is too large"),)
        case ClientDisconnect():
            return 400, _RULES[400], ()
        case RequestValidationError():
            faults = _query_faults(wrong)
            return 422, _RULES[422], faults
        case HTTPException():
            return wrong.status_code, _RULES.get(wrong.status_code, "refused"), ()
    return 500, _RULES[500], ()


def _query_faults(wrong: RequestValidationError) -> Sequence[Fault]:
    return [
        Fault(str(detail["loc"][-1]), "is missing or does not fit") for detail in wrong.errors()
    ]


def _too_often(request: Request, wrong: Exception) -> Throttled | None:
    """Counts an unproven caller by address; returns Throttled over the limit."""
    if isinstance(wrong, Throttled) or hasattr(request.state, "actor"):
        return None
    peer = peer_of(request.client.host if request.client else "")
    try:
        api_of(request).limits.take(Audience.OUTSIDERS, peer)
    except Throttled as throttled:
        return throttled
    return None


def _record(request: Request, status: int, wrong: Exception) -> None:
    api = api_of(request)
    actor: Actor = getattr(request.state, "actor", None) or actor_of(request.scope)
    if isinstance(wrong, Throttled):
        api.throttle_log.record(ThrottledCaller(actor.name, actor.ods, wrong.audience), api.log)
        return
    route = request.scope.get("route")
    path = getattr(route, "path", "(no such route)")
    said = request.scope.get("flagservice.organisation", actor.ods)
    other = {"organisation": said} if said != actor.ods else {}
    api.log.perform(
        actor,
        lambda work: work.record(
            Deed.REFUSED, route=path, method=request.method, status=status, **other
        ),
    )


def _request_id(request: Request) -> str:
    return str(request.scope.get("flagservice.request_id", ""))


def _response(
    request: Request, wrong: Exception, *, status: int, rule: str, faults: Sequence[Fault]
) -> Response:
    headers = _headers(status, wrong)
    if request.url.path.startswith(FHIR_PATH):
        content = outcome(status, rule, faults)
        return Response(content, status, headers, media_type=FHIR_JSON)
    if isinstance(wrong, BadAssertion):
        body = OAuthError(
            error=wrong.error, error_description=rule, message_id=_request_id(request)
        )
        content = body.model_dump_json().encode()
        return Response(content, status, headers, media_type="application/json")
    content = problem(status, rule, faults).model_dump_json().encode()
    return Response(content, status, headers, media_type=PROBLEM_JSON)


def _headers(status: int, wrong: Exception) -> dict[str, str]:
    if status == 405 and isinstance(wrong, HTTPException) and wrong.headers:
        return {name: value for name, value in wrong.headers.items() if name == "Allow"}
    if status == 429 and isinstance(wrong, Throttled):
        return {"Retry-After": str(wrong.wait)}
    return {"WWW-Authenticate": "Bearer"} if status == 401 else {}
