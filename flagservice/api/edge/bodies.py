"""Bodies as bytes: read whole by the envelope, and by our own reader after that.

A framework's reader would accept a repeated key, take a number for a date and quote what was sent.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request
from pydantic import BaseModel

from flagservice.domain.errors import Refusal


class WrongMediaType(Refusal):
    """The body is of a type that this route does not read."""


def body_of(*media_types: str) -> Callable[[Request], Coroutine[Any, Any, bytes]]:
    """The dependency that yields the body of a request of one of these types."""

    async def body(request: Request) -> bytes:
        given = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if given not in media_types:
            raise WrongMediaType(f"the body is {' or '.join(media_types)}")
        return await request.body()

    return body


def described(model: type[BaseModel], media_type: str = "application/json") -> dict[str, Any]:
    """What OpenAPI says of such a body."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    definitions = schema.pop("$defs", {})
    inlined = _inline(schema, definitions)
    return {"requestBody": {"required": True, "content": {media_type: {"schema": inlined}}}}


def _inline(schema: Any, definitions: dict[str, Any]) -> Any:
    """OpenAPI of one route stands alone: definitions take the place of references to them."""
    if isinstance(schema, list):
        return [_inline(part, definitions) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inline(definitions[schema["$ref"].rsplit("/", 1)[1]], definitions)
    return {key: _inline(value, definitions) for key, value in schema.items()}
