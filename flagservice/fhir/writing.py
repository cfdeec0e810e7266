"""Writes a built resource as the bytes that push and poll serve, once it has been checked.

It is checked on write and never again: by the R4 models (shape) and by our profile (meaning).
https://hl7.org/fhir/R4/json.html
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

import orjson
from pydantic import ValidationError

from flagservice.fhir.profile.check import Profile


class UnfitResource(Exception):
    """A resource that we built does not fit its profile, so it is not issued.

    It quotes nothing.
    """


@cache
def models() -> dict[str, Any]:
    """Returns the R4 models by resource type; imported here, since most programs write none."""
    from fhir.resources.R4B.flag import Flag  # noqa: PLC0415
    from fhir.resources.R4B.task import Task  # noqa: PLC0415

    return {"Flag": Flag, "Task": Task}


def to_bytes(resource: dict[str, Any], profiles: Mapping[str, Profile]) -> bytes:
    """Returns the bytes of a Flag or Task that fits its profile. Raises UnfitResource."""
    type_ = resource["resourceType"]
    try:
        models()[type_].model_validate(resource)
    except ValidationError as wrong:
        where = sorted({".".join(map(str, e["loc"])) for e in wrong.errors(include_input=False)})
        raise UnfitResource(f"not an R4 {type_}: {', '.join(where)}") from None
    problems = profiles[type_].problems(resource)
    if problems:
        raise UnfitResource("; ".join(problems))
    return orjson.dumps(resource)
