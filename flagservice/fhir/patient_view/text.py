"""Reads and writes the text of a Bundle for a patient's view. What is shown stays as written.

FHIR's decimals mean their digits (1.0 is not 1.00), so numbers are carried as they stand.
https://hl7.org/fhir/R4/json.html
"""

import json
from typing import Any

from flagservice.fhir.patient_view.view import FilteredBundle, patient_view


class _Number(str):
    """A number as it was written."""

    __slots__ = ()


def patient_view_of(text: bytes) -> tuple[bytes, FilteredBundle]:
    """Returns the text that may be shown of a Bundle's text, and the view. Never raises.

    Text that is not JSON is no Bundle; https://hl7.org/fhir/R4/json.html allows no NaN. Nor is one
    in which an object has two properties of one name. Readers differ in which of them they take, so
    what was labelled for one would be shown by another.
    """
    try:
        value = json.loads(
            text,
            parse_float=_Number,
            parse_int=_Number,
            parse_constant=_refuse,
            object_pairs_hook=_object,
        )
    except (ValueError, RecursionError):
        value = None
    view = patient_view(value)
    return _written(view.shown).encode("ascii") + b"\n", view


def _refuse(constant: str) -> Any:
    raise ValueError(constant)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    held = dict(pairs)
    if len(held) != len(pairs):
        raise ValueError
    return held


def _written(value: Any) -> str:
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(k)}:{_written(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_written, value)) + "]"
    return json.dumps(value)
