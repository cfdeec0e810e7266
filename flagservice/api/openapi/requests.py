"""Describes, for OpenAPI, bodies that our own reader reads."""

from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import SkipJsonSchema

FORM: Final = "application/x-www-form-urlencoded"
Json = dict[str, Any]
Absent = SkipJsonSchema[None]
"""A field that may be absent, and may not be null."""


def json_body(
    model: type[BaseModel], *, example: Json, media_type: str = "application/json"
) -> Json:
    """Returns OpenAPI's description of a body of this model."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    definitions = schema.pop("$defs", {})
    return _body(media_type, _inlined(schema, definitions), example)


def form_body(schema: Json, *, example: Json) -> Json:
    """Returns OpenAPI's description of a form."""
    return _body(FORM, schema, example)


def _body(media_type: str, schema: Json, example: Json) -> Json:
    content = {media_type: {"schema": schema, "example": example}}
    return {"requestBody": {"required": True, "content": content}}


def _inlined(schema: Any, definitions: Json) -> Any:
    if isinstance(schema, list):
        return [_inlined(part, definitions) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inlined(definitions[schema["$ref"].rsplit("/", 1)[1]], definitions)
    return {key: _inlined(value, definitions) for key, value in schema.items()}
