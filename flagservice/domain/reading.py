"""Reads bytes into a submission, or refuses them by field and rule, quoting nothing."""

import json
import re
from collections.abc import Iterator
from datetime import date
from typing import TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from flagservice.domain.errors import Fault, Invalid
from flagservice.domain.statements import Strict
from flagservice.domain.submissions import Submission

DEEPEST = 12
MOST_FAULTS = 50
# A string without its end goes on to the end of the text, so that this takes one walk.
_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*+"?|[][{}]', re.DOTALL)
S = TypeVar("S", bound=Submission)
M = TypeVar("M", bound=Strict)

_RULES = {
    "json_invalid": "is not JSON",
    "extra_forbidden": "there is no such field",
    "missing": "is needed",
    "string_type": "is text",
    "bool_type": "is true or false",
    "int_type": "is a whole number",
    "list_type": "is a list",
    "model_type": "is an object",
    "enum": "is none of the allowed words",
    "literal_error": "is none of the allowed words",
    "string_pattern_mismatch": "has characters or a length that this field does not allow",
    "string_too_long": "is too long",
    "string_too_short": "is too short",
    "too_long": "has too many entries",
    "too_short": "has too few entries",
    "greater_than_equal": "is too small",
    "less_than_equal": "is too large",
}


def read_submission(model: type[S], raw: bytes, *, today: date) -> S:
    """Returns the submission in a request's body. Raises Invalid with every fault found."""
    submission = read(model, raw)
    faults = submission.faults(today)
    if faults:
        raise Invalid(*faults)
    return submission


def read(model: type[M], raw: bytes) -> M:
    """Returns a strict model from JSON bytes. Raises Invalid.

    The bytes are UTF-8, no object has a key twice, and nothing is nested too deeply.
    """
    _check_json(raw)
    try:
        return model.model_validate_json(raw)
    except ValidationError as wrong:
        known = _field_names(model)
        details = wrong.errors(include_url=False, include_input=False)
        raise Invalid(*(_fault(detail, known) for detail in details[:MOST_FAULTS])) from None


def _check_json(raw: bytes) -> None:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise Invalid(Fault("body", "is not UTF-8")) from None
    if _depth(text) > DEEPEST:
        raise Invalid(Fault("body", f"is nested more than {DEEPEST} deep"))
    try:
        json.loads(text, object_pairs_hook=_no_repeated_key, parse_constant=_no_constant)
    except ValueError:
        raise Invalid(Fault("body", "is not JSON")) from None


def _depth(text: str) -> int:
    """Returns how deep the brackets outside strings are nested."""
    deepest = depth = 0
    for bracket in _STRING_OR_BRACKET.finditer(text):
        depth += (bracket[0] in "[{") - (bracket[0] in "]}")
        deepest = max(deepest, depth)
    return deepest


def _no_repeated_key(pairs: list[tuple[str, object]]) -> dict[str, object]:
    if len({key for key, _ in pairs}) != len(pairs):
        raise Invalid(Fault("body", "has the same key twice in one object"))
    return dict(pairs)


def _no_constant(_: str) -> object:
    raise ValueError


def _field_names(model: type[Strict]) -> frozenset[str]:
    return frozenset(_names(model.model_json_schema()))


def _names(schema: object) -> Iterator[str]:
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key == "properties" and isinstance(value, dict):
                yield from value
            yield from _names(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _names(value)


def _fault(detail: ErrorDetails, known: frozenset[str]) -> Fault:
    """Returns the fault with its path in our own field names.

    An unknown key could be a person's name, so it is left out.
    """
    path = ""
    for step in detail["loc"]:
        if isinstance(step, int):
            path += f"[{step}]"
        else:
            path += f".{step}" if step in known else ".(unknown field)"
    return Fault(path.lstrip(".") or "body", _rule(detail))


def _rule(detail: ErrorDetails) -> str:
    if detail["type"] == "value_error":
        return str(detail["ctx"]["error"])
    if detail["type"].startswith(("date", "time")):
        return "is not a day of the calendar, written YYYY-MM-DD"
    return _RULES.get(detail["type"], "does not fit this field")
