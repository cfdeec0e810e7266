"""What every request may carry, and what OpenAPI says of a body that our own reader reads."""

from typing import Annotated, Any, Final

from fastapi import Header
from pydantic import BaseModel
from pydantic.json_schema import SkipJsonSchema

from flagservice.api.openapi import examples

FORM: Final = "application/x-www-form-urlencoded"
Json = dict[str, Any]
Absent = SkipJsonSchema[None]
"""In a schema a field that may be absent is no field that may be null."""
RequestId = Annotated[
    str | Absent,
    Header(
        alias="X-Request-ID",
        description="mirrored",
        json_schema_extra={"format": "uuid"},
        examples=[examples.REQUEST_ID],
    ),
]
CorrelationId = Annotated[
    str | Absent,
    Header(
        alias="X-Correlation-ID",
        description="mirrored",
        json_schema_extra={"format": "uuid"},
        examples=[examples.CORRELATION_ID],
    ),
]
ActingFor = Annotated[
    str | Absent,
    Header(
        alias="NHSD-End-User-Organisation-ODS",
        description="who is acted for; if it is given, it is the token's own organisation",
        json_schema_extra={"pattern": "^[A-Z0-9]{3,10}$"},
        examples=["B83901"],
    ),
]


async def mirrored_ids(request_id: RequestId = None, correlation_id: CorrelationId = None) -> None:
    """Says that a request may carry these ids; the envelope checks and mirrors them."""


def json_body(
    model: type[BaseModel], *, example: Json, media_type: str = "application/json"
) -> Json:
    """Returns what OpenAPI says of a body of this model."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    definitions = schema.pop("$defs", {})
    return _body(media_type, _inlined(schema, definitions), example)


def form_body(schema: Json, *, example: Json) -> Json:
    """Returns what OpenAPI says of a form."""
    return _body(FORM, schema, example)


def _body(media_type: str, schema: Json, example: Json) -> Json:
    content = {media_type: {"schema": schema, "example": example}}
    return {"requestBody": {"required": True, "content": content}}


def _inlined(schema: Any, definitions: Json) -> Any:
    """Returns the schema with definitions in place of references."""
    if isinstance(schema, list):
        return [_inlined(part, definitions) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inlined(definitions[schema["$ref"].rsplit("/", 1)[1]], definitions)
    return {key: _inlined(value, definitions) for key, value in schema.items()}
