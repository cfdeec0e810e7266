"""Completes the API's description: rights, bodies that are not JSON of ours, and every refusal.

What a framework would guess (JSON everywhere, its own validation errors, no rights at all) is
replaced by what a caller really meets. https://spec.openapis.org/oas/v3.1.0
"""

from typing import Any, Final

from fastapi import FastAPI
from fastapi.routing import RouteContext, iter_route_contexts

from flagservice.api.access.callers import RequiresScopes
from flagservice.api.openapi import examples
from flagservice.api.refusals import FHIR_PATH
from flagservice.clients.assertions import ASSERTION_TYPE
from flagservice.clients.kinds import SCOPES
from flagservice.clients.scopes import rights

Json = dict[str, Any]
_TOKEN_PATH: Final = "/oauth2/token"  # noqa: S105, an address and no secret
_MIRRORED: Final = ("X-Request-ID", "X-Correlation-ID")
_ACTING: Final[Json] = {"$ref": "#/components/parameters/NHSD-End-User-Organisation-ODS"}
_REFUSED: Final = {
    400: "the client assertion is refused",
    401: "the caller did not prove who it is",
    403: "the caller has no such right",
    404: "there is no such thing for this caller",
    406: "the caller takes no form that there is here: FHIR 4.0 as JSON",
    409: "the same reference, version or key was used for something else",
    413: "the body is too large",
    415: "the body is of a type that is not read here",
    422: "the request breaks a rule: each is named by field, and nothing is quoted",
    429: "asked too often, by this client here or by this address in vain",
    500: "something went wrong here; it is recorded",
    503: "the audit cannot be written: nothing is answered",
}
_BEFORE: Final = "this version was taken before, or a newer one was: nothing has changed"
_ASKING: Final = "`system/Flag.rs` asks for both rights, `system/*.rs` for all that a client holds"
_WAIT: Final[Json] = {
    "Retry-After": {"description": "seconds to wait", "schema": {"type": "integer", "minimum": 1}}
}
_RECEIPTS: Final = ("post_plan", "post_enquiry", "post_notification", "get_receipt")
_TEXT: Final[Json] = {"type": "string"}


def _object(required: str, **properties: Json) -> Json:
    return {"type": "object", "required": required.split(), "properties": properties}


_SCHEMAS: Final[Json] = {
    "Problem": _object(
        "type status title errors",
        type=_TEXT,
        status={"type": "integer"},
        title=_TEXT,
        errors={"type": "array", "items": _object("field rule", field=_TEXT, rule=_TEXT)},
    ),
    "Receipt": _object(
        "reference version records",
        reference=_TEXT,
        version={"type": "integer"},
        submission=_TEXT,
        records={
            "type": "array",
            "items": _object(
                "person role status",
                person={"type": "integer"},
                role=_TEXT,
                status=_TEXT,
                decide_by={"type": "string", "format": "date"},
            ),
        },
    ),
    "OAuthError": _object(
        "error error_description message_id", error=_TEXT, error_description=_TEXT, message_id=_TEXT
    ),
    "OperationOutcome": _object(
        "resourceType issue",
        resourceType={"const": "OperationOutcome"},
        issue={"type": "array", "items": {"type": "object"}},
    ),
    "Resource": _object("resourceType", resourceType=_TEXT),
}
_FORM: Final = "application/x-www-form-urlencoded"
_BODIES: Final[dict[str, tuple[str, Json]]] = {
    "post_token": (
        _FORM,
        _object(
            "grant_type client_assertion_type client_assertion",
            grant_type={"const": "client_credentials"},
            client_assertion_type={"const": ASSERTION_TYPE},
            client_assertion=_TEXT,
            scope=_TEXT,
        ),
    )
}


def install(app: FastAPI) -> None:
    """From now on the app describes itself as `complete` does."""
    plain = app.openapi

    def described() -> Json:
        return complete(plain(), list(iter_route_contexts(app.routes)))

    app.openapi = described  # type: ignore[method-assign]  # the way that FastAPI's manual shows


def complete(description: Json, routes: list[RouteContext]) -> Json:
    """The description of these routes with rights, bodies and refusals."""
    components = description["components"]
    for guessed in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(guessed, None)
    components["schemas"] |= _SCHEMAS
    components["parameters"] = {name: _mirrored(name) for name in _MIRRORED} | _organisation()
    components["securitySchemes"] = {"clients": _scheme()}
    for route in routes:
        for method in route.methods or ():
            operation = description["paths"][route.path_format][method.lower()]
            operation |= _operation(route, operation)
            _give_examples(route, operation)
    return description


def _give_examples(route: RouteContext, operation: Json) -> None:
    """Of each parameter, of the body, and of each refusal."""
    path = str(route.path)
    for parameter in operation["parameters"]:
        if "$ref" not in parameter:
            parameter["example"] = examples.of_parameter(path, parameter["name"])
    for said in operation.get("requestBody", {}).get("content", {}).values():
        name = str(route.name)
        said["example"] = examples.BODIES[name if name in examples.BODIES else path]
    for status, answer in operation["responses"].items():
        for media_type, said in answer.get("content", {}).items():
            if not status.startswith("2"):
                rule = answer["description"]
                said["example"] = examples.of_refusal(int(status), rule, media_type=media_type)


def _mirrored(name: str) -> Json:
    schema = {"type": "string", "format": "uuid"}
    said = {"name": name, "in": "header", "description": "mirrored", "schema": schema}
    return {**said, "example": examples.of_parameter("", name)}


def _organisation() -> Json:
    name = "NHSD-End-User-Organisation-ODS"
    schema = {"type": "string", "pattern": "^[A-Z0-9]{3,10}$"}
    rule = "who is acted for; if it is given, it is the token's own organisation"
    said = {"name": name, "in": "header", "description": rule, "schema": schema}
    return {name: {**said, "example": examples.of_parameter("", name)}}


def _scheme() -> Json:
    holders = {
        right: "for " + ", ".join(kind for kind, held in SCOPES.items() if right in rights(held))
        for right in sorted(rights(scope for held in SCOPES.values() for scope in held))
    }
    flow = {"tokenUrl": _TOKEN_PATH, "scopes": holders}
    return {"type": "oauth2", "description": _ASKING, "flows": {"clientCredentials": flow}}


def _operation(route: RouteContext, plain: Json) -> Json:
    """What has to be said otherwise of one operation."""
    scopes = _scopes(route)
    said: Json = {"security": [{"clients": scopes}] if scopes else []}
    mirrored = [{"$ref": f"#/components/parameters/{name}"} for name in _MIRRORED]
    said["parameters"] = [*plain.get("parameters", ()), *mirrored, *([_ACTING] if scopes else [])]
    if "POST" in (route.methods or ()) and route.name in _BODIES:
        media_type, schema = _BODIES[route.name]
        said["requestBody"] = {"required": True, "content": {media_type: {"schema": schema}}}
    has_body = "requestBody" in {**plain, **said}
    said["responses"] = _answers(route, plain["responses"]) | _refusals(route, has_body=has_body)
    return said


def _scopes(route: RouteContext) -> list[str]:
    """The right that the route's own dependency checks: see `callers.may`."""
    caller = [dependency.call for dependency in route.dependant.dependencies]
    return [scope for call in caller if isinstance(call, RequiresScopes) for scope in call.scopes]


def _answers(route: RouteContext, plain: Json) -> Json:
    """What comes back where nothing is refused, in the media type that it really has."""
    answers: Json = {status: said for status, said in plain.items() if status.startswith("2")}
    for said in answers.values():
        if str(route.path).startswith(FHIR_PATH):
            said["content"] = _content("application/fhir+json", "Resource")
        elif route.name == "metrics":
            said["content"] = {"text/plain": {"schema": _TEXT}}
        elif route.name in _RECEIPTS:
            said["content"] = _content("application/json", "Receipt")
    if route.name in ("read", "vread") and "Provenance" not in str(route.path):
        answers["304"] = {"description": "the caller holds this version"}
    if "201" in answers:
        answers["200"] = answers["201"] | {"description": _BEFORE}
    return answers


def _content(media_type: str, schema: str) -> Json:
    return {media_type: {"schema": {"$ref": f"#/components/schemas/{schema}"}}}


def _refusals(route: RouteContext, *, has_body: bool) -> Json:
    side = ("application/problem+json", "Problem")
    if str(route.path).startswith(FHIR_PATH):
        side = ("application/fhir+json", "OperationOutcome")
    told: Json = {
        str(status): {"description": _REFUSED[status], "content": _content(*side)}
        for status in _met(route, has_body)
    }
    told["429"]["headers"] = _WAIT
    if route.path == _TOKEN_PATH:
        for status in ("400", "401", "403"):
            told[status]["content"] = _content("application/json", "OAuthError")
    return told


def _met(route: RouteContext, has_body: bool) -> list[int]:
    """The refusals that a caller of this route can meet."""
    met = [422, 429, 500, 503]
    if _scopes(route) or route.path == _TOKEN_PATH:
        met += [401, 403]
    if "{" in str(route.path):
        met.append(404)
    if str(route.path).startswith(FHIR_PATH):
        met.append(406)
    if has_body:
        met += [413, 415, 422]
    if has_body and not str(route.path).startswith(FHIR_PATH):
        met.append(400 if route.path == _TOKEN_PATH else 409)
    return sorted(set(met))
