"""Models that say exactly what is sent, and the refusals of routes.

https://spec.openapis.org/oas/v3.1.0 and, of problem details, https://www.rfc-editor.org/rfc/rfc9457
"""

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal

import orjson
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from flagservice.api.openapi import examples
from flagservice.domain.errors import Fault
from flagservice.fhir.outcomes import outcome

FHIR_JSON: Final = "application/fhir+json"
PROBLEM_JSON: Final = "application/problem+json"
Json = dict[str, Any]
Responses = dict[int | str, dict[str, Any]]
_DESCRIPTIONS: Final = {
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
OF_EVERY_ROUTE: Final = (422, 429, 500, 503)
OF_EVERY_CALLER: Final = (401, 403)
OF_A_BODY: Final = (413, 415)
_WAIT: Final[Json] = {
    "Retry-After": {"description": "seconds to wait", "schema": {"type": "integer", "minimum": 1}}
}


class AnswerModel(BaseModel):
    """Something that is sent, with these fields and no other."""

    model_config = ConfigDict(extra="forbid", frozen=True, from_attributes=True)


class FieldProblem(AnswerModel):
    """One field, and the rule that it breaks; its value is never repeated."""

    field: str
    rule: str


class Problem(AnswerModel):
    """A refusal to a caller that does not speak FHIR: problem details."""

    type: Literal["about:blank"]
    status: int
    title: str
    errors: list[FieldProblem]


class OAuthError(AnswerModel):
    """A refusal of the token endpoint: https://www.rfc-editor.org/rfc/rfc6749#section-5.2"""

    error: str
    error_description: str
    message_id: str


class FhirResource(BaseModel):
    """A FHIR R4 resource. `/fhir/R4/metadata` and the published profiles say more of each."""

    model_config = ConfigDict(extra="allow")

    resourceType: str  # noqa: N815, FHIR's own name


class OperationOutcome(BaseModel):
    """A refusal to a caller that speaks FHIR: https://hl7.org/fhir/R4/operationoutcome.html"""

    resourceType: Literal["OperationOutcome"]  # noqa: N815, FHIR's own name
    issue: Annotated[list[dict[str, Any]], Field(min_length=1)]


class FhirResponse(JSONResponse):
    """An answer in FHIR."""

    media_type = FHIR_JSON


def problem(status: int, title: str, faults: Sequence[Fault] = ()) -> Problem:
    """Returns the problem details of a refusal."""
    errors = [FieldProblem(field=fault.field, rule=fault.rule) for fault in faults]
    return Problem(type="about:blank", status=status, title=title, errors=errors)


def refused(*statuses: int) -> Responses:
    """Returns OpenAPI's responses for these refusals, as problem details."""
    return {status: _refusal(status, PROBLEM_JSON, Problem) for status in statuses}


def refused_in_fhir(*statuses: int) -> Responses:
    """Returns OpenAPI's responses for these refusals, as an OperationOutcome."""
    return {status: _refusal(status, FHIR_JSON, OperationOutcome) for status in statuses}


def refused_by_oauth(*statuses: int) -> Responses:
    """Returns OpenAPI's responses for these refusals, as OAuth has them."""
    return {status: _refusal(status, "application/json", OAuthError) for status in statuses}


def _refusal(status: int, media_type: str, model: type[BaseModel]) -> Json:
    description = _DESCRIPTIONS[status]
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    content = {media_type: {"schema": schema, "example": _example(status, model)}}
    said: Json = {"description": description, "content": content}
    return said | {"headers": _WAIT} if status == 429 else said


def _example(status: int, model: type[BaseModel]) -> Json:
    rule, faults = _DESCRIPTIONS[status], (examples.FAULT,) if status == 422 else ()
    if model is OperationOutcome:
        told: Json = orjson.loads(outcome(status, rule, faults))
        return told
    if model is OAuthError:
        return {
            "error": "invalid_request",
            "error_description": rule,
            "message_id": examples.REQUEST_ID,
        }
    return problem(status, rule, faults).model_dump()
