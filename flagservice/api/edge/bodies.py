"""Bodies as bytes: the envelope bounds them, and our own reader reads them.

A framework's reader would accept a repeated key, take a number for a date and quote what was sent.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request

from flagservice.domain.errors import Refusal


class WrongMediaType(Refusal):
    """The body is of a type that this route does not read."""


def body_of(*media_types: str) -> Callable[[Request], Coroutine[Any, Any, bytes]]:
    """Returns the dependency that yields a body of one of these types."""

    async def body(request: Request) -> bytes:
        given = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if given not in media_types:
            raise WrongMediaType(f"the body is {' or '.join(media_types)}")
        return await request.body()

    return body
