"""Reads and writes JSON so that what was sent is what is kept.

Python's own reader keeps the last of two equal keys in silence and rounds 72.50 to 72.5. FHIR wants
a decimal's precision preserved: https://hl7.org/fhir/R4/json.html#primitive
"""

import json
from dataclasses import dataclass
from typing import Any, NoReturn

Resource = dict[str, Any]

MOST_LEVELS = 64


class Unreadable(ValueError):
    """The bytes are not strict JSON in UTF-8."""


@dataclass(frozen=True, slots=True)
class Decimal:
    """A number with a point or an exponent, in the digits that it was written with."""

    digits: str


def read(body: bytes) -> object:
    """Returns the value in the body, with every decimal as written; raises Unreadable."""
    try:
        value: object = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_object_of_unequal_keys,
            parse_float=Decimal,
            parse_constant=_refuse_constant,
        )
        _refuse_deep(value, room=MOST_LEVELS)
        write(value)  # a lone surrogate is refused now, not when it is stored
    except (ValueError, RecursionError):
        raise Unreadable from None
    return value


def read_object(body: bytes) -> Resource:
    """Returns the object in the body; raises Unreadable."""
    value = read(body)
    if not isinstance(value, dict):
        raise Unreadable
    return value


def write(value: object) -> bytes:
    """Returns the value as compact JSON in UTF-8."""
    return _text(value).encode("utf-8")


def _text(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{_text(key)}:{_text(held)}" for key, held in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_text(held) for held in value) + "]"
    if isinstance(value, Decimal):
        return value.digits
    return json.dumps(value, ensure_ascii=False)


def _refuse_deep(value: object, *, room: int) -> None:
    """Refuses nesting too deep for an answer that holds it some levels down."""
    if not isinstance(value, (dict, list)):
        return
    if room == 0:
        raise Unreadable
    for held in value.values() if isinstance(value, dict) else value:
        _refuse_deep(held, room=room - 1)


def _object_of_unequal_keys(pairs: list[tuple[str, Any]]) -> Resource:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Unreadable
    return found


def _refuse_constant(_: str) -> NoReturn:
    raise Unreadable
