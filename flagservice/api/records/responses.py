"""Answers to GP systems: stored bytes as they are, with the headers that name them."""

from email.utils import format_datetime
from typing import Any, Final

import orjson
from fastapi import APIRouter, Request, Response

from flagservice.api.openapi import examples
from flagservice.api.openapi.answers import (
    FHIR_JSON,
    OF_EVERY_CALLER,
    OF_EVERY_ROUTE,
    FhirResponse,
    refused_in_fhir,
)
from flagservice.api.records.parameters import Parameter
from flagservice.domain.copies import Form
from flagservice.domain.errors import Fault, Invalid
from flagservice.fhir.bundles import IssuedVersion
from flagservice.fhir.flags import resource_type

FORMS: Final = {resource_type(form): form for form in Form}
MOST, USUAL = 200, 50
COUNT: Final = Parameter(
    "_count",
    f"how many on a page: 1 to {MOST}, else {USUAL}",
    example=examples.COUNT,
    type="integer",
)


def fhir_router(*, callers_alone: bool = True) -> APIRouter:
    """Returns a router that answers in FHIR; with `callers_alone` every route needs a token."""
    met = (406, *OF_EVERY_ROUTE, *(OF_EVERY_CALLER if callers_alone else ()))
    return APIRouter(
        prefix="/fhir/R4",
        tags=["records"],
        default_response_class=FhirResponse,
        responses=refused_in_fhir(*met),
    )


def fhir(content: bytes, **headers: str) -> Response:
    """Returns these bytes as FHIR."""
    return Response(content, headers=headers, media_type=FHIR_JSON)


def parameters(*parts: dict[str, Any]) -> Response:
    """Returns a Parameters resource with these parts."""
    return written({"resourceType": "Parameters", "parameter": list(parts)})


def written(resource: dict[str, Any]) -> Response:
    """Returns a resource that is made here, not stored."""
    return fhir(orjson.dumps(resource))


def count_of(text: str | None) -> int:
    """Returns the size of the page; raises Invalid."""
    if text is None:
        return USUAL
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and 1 <= int(text) <= MOST):
        raise Invalid(Fault("_count", f"is a number from 1 to {MOST}"))
    return int(text)


def one(request: Request, stored: IssuedVersion) -> Response:
    """Returns one version, or 304 where it is held: https://hl7.org/fhir/R4/http.html#cread"""
    if _is_held(request, stored):
        return Response(status_code=304, headers=_named(stored))
    return whole(stored)


def whole(stored: IssuedVersion) -> Response:
    """Returns one version, with its tag and its hour."""
    return fhir(stored.content, **_named(stored))


def _named(stored: IssuedVersion) -> dict[str, str]:
    # A finer date would join relatives: they stand nearly alike in their practices' hours.
    hour = stored.issued.replace(minute=0, second=0, microsecond=0)
    return {"ETag": f'W/"{stored.version_id}"', "Last-Modified": format_datetime(hour, usegmt=True)}


def _is_held(request: Request, stored: IssuedVersion) -> bool:
    """Returns whether a tag says so; a date never does, since it is of many versions."""
    tags = ",".join(request.headers.getlist("If-None-Match")).split(",")
    listed = [tag.strip().removeprefix("W/") for tag in tags]
    return "*" in listed or f'"{stored.version_id}"' in listed
