"""Adds the models of refusals to what FastAPI makes of the routes.

FastAPI describes an additional answer under the route's own media type. A refusal has another, so
a route refers to its model by name.
"""

from typing import Any

from fastapi import FastAPI
from pydantic.json_schema import models_json_schema

from flagservice.api.openapi.answers import OAuthError, OperationOutcome, Problem

_REFERENCE = "#/components/schemas/{model}"


def install(app: FastAPI) -> None:
    """Makes the app describe itself with the models of its refusals."""
    plain = app.openapi

    def described() -> dict[str, Any]:
        description = plain()
        _, refusals = models_json_schema(
            [(model, "serialization") for model in (Problem, OAuthError, OperationOutcome)],
            ref_template=_REFERENCE,
        )
        description["components"]["schemas"] |= refusals["$defs"]
        return description

    app.openapi = described  # type: ignore[method-assign]  # the way that FastAPI's manual shows
