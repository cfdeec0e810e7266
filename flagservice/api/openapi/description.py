"""Adds to FastAPI's description what is the same for every route.

These are the envelope's headers and the models of refusals. A route names such a model, since
FastAPI would describe it under the route's own media type.
"""

from functools import cache
from typing import Any, Final

from fastapi import FastAPI
from pydantic.json_schema import models_json_schema

from flagservice.api.openapi import examples
from flagservice.api.openapi.answers import OAuthError, OperationOutcome, Problem

Json = dict[str, Any]
_REFERENCE: Final = "#/components/schemas/{model}"
_UUID: Final[Json] = {"type": "string", "format": "uuid"}
_ODS_CODE: Final[Json] = {"type": "string", "pattern": "^[A-Z0-9]{3,10}$", "examples": ["B83901"]}
_MIRRORED: Final[dict[str, Json]] = {
    "X-Request-ID": {
        "description": "mirrored",
        "schema": _UUID | {"examples": [examples.REQUEST_ID]},
    },
    "X-Correlation-ID": {
        "description": "mirrored",
        "schema": _UUID | {"examples": [examples.CORRELATION_ID]},
    },
}
_ACTING: Final[dict[str, Json]] = {
    "NHSD-End-User-Organisation-ODS": {
        "description": "who is acted for; if it is given, it is the token's own organisation",
        "schema": _ODS_CODE,
    }
}
"""Where a token is needed."""


def install(app: FastAPI) -> None:
    """Makes the app describe itself with these headers and models."""
    plain = app.openapi

    @cache
    def described() -> Json:
        return _completed(plain())

    app.openapi = described  # type: ignore[method-assign]  # the way that FastAPI's manual shows


def _completed(plain: Json) -> Json:
    """Returns a new description, and leaves `plain` as it is: two readers may each make one."""
    paths = {
        path: {method: _with_headers(operation) for method, operation in methods.items()}
        for path, methods in plain["paths"].items()
    }
    return {**plain, "paths": paths, "components": _components(plain["components"])}


def _components(plain: Json) -> Json:
    _, refusals = models_json_schema(
        [(model, "serialization") for model in (Problem, OAuthError, OperationOutcome)],
        ref_template=_REFERENCE,
    )
    headers = {
        name: {"name": name, "in": "header", **said} for name, said in (_MIRRORED | _ACTING).items()
    }
    schemas = plain["schemas"] | refusals["$defs"]
    return {**plain, "schemas": schemas, "parameters": headers}


def _with_headers(operation: Json) -> Json:
    read = _MIRRORED | (_ACTING if "security" in operation else {})
    named = [{"$ref": f"#/components/parameters/{name}"} for name in read]
    return {**operation, "parameters": [*operation.get("parameters", ()), *named]}
