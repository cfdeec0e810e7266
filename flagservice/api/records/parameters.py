"""The parameters of a FHIR request: what is not served is refused, unless the caller is lenient.

A parameter that is ignored in silence makes a search wider than its caller thinks. With
`Prefer: handling=lenient` the answer says that something was ignored.
https://hl7.org/fhir/R4/search.html#errors
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl

from fastapi import Request

from flagservice.api.openapi.requests import form_body
from flagservice.domain.errors import Fault, Invalid

NEVER: Final = {
    "_summary": "is not served: a resource is shown whole or not at all",
    "_elements": "is not served: a resource is shown whole or not at all",
    "_total": "is not served: a count is an answer",
    "_sort": "is not served: the order is that of lastUpdated",
    "_include": "is not served: nothing here refers to anything else that is",
    "_revinclude": "is not served: nothing here refers to anything else that is",
    "_has": "is not served: nothing here refers to anything else that is",
    "_contained": "is not served: nothing is contained",
    "_query": "is not served: there is no named query",
    "_filter": "is not served",
}
"""Refused for lenient callers, too: each would change what an answer means."""
_GENERAL: Final = ("_format",)
_UNNAMED: Final = "(unknown parameter)"
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ufffd]")
_MAY_BE_AN_NHS_NUMBER: Final = re.compile(
    r"(?<![0-9a-f])[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{4}(?![0-9a-f])"
)
"""Not within our own ids, which are hexadecimal."""
_NOT_IN_A_URL: Final = "an NHS number never stands in a URL: use POST _search"
_OF_OUR_OWN_MAKING: Final = ("cursor", "page")


@dataclass(frozen=True)
class Parameter:
    """One parameter that is served; with `again` it may be repeated, and all must hold."""

    name: str
    says: str
    example: str | int
    again: bool = False
    body_only: bool = False
    type: str = "string"


@dataclass(frozen=True)
class GivenParameters:
    """What a request asks, in its own order; `ignored` counts what is not served."""

    pairs: Sequence[tuple[str, str]] = field(default_factory=tuple)
    ignored: int = 0

    def all(self, name: str) -> list[str]:
        """Returns every value of one parameter."""
        return [value for given, value in self.pairs if given == name]

    def one(self, name: str) -> str | None:
        """Returns the value of a parameter that stands at most once."""
        return next(iter(self.all(name)), None)


def of_url(request: Request, *served: Parameter) -> GivenParameters:
    """Returns the parameters of the address; raises Invalid, and never repeats what it refuses."""
    pairs = request.query_params.multi_items()
    known = {one.name: one for one in served if not one.body_only}
    for name, value in pairs:
        _check_text(name, value)
        if name not in _OF_OUR_OWN_MAKING and _MAY_BE_AN_NHS_NUMBER.search(f"{name} {value}"):
            raise _refused(name, known, _NOT_IN_A_URL)
    return _given(pairs, known, lenient=is_lenient(request))


def of_form(request: Request, body: bytes, *served: Parameter) -> GivenParameters:
    """Returns the parameters of a posted form; none may stand in the address. Raises Invalid."""
    of_url(request)
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=bool(body))
    except ValueError:
        raise Invalid(Fault("body", "is not a form")) from None
    known = {one.name: one for one in served}
    for name, value in pairs:
        _check_text(name, value)
        linked = name in known and not known[name].body_only
        if linked and _MAY_BE_AN_NHS_NUMBER.search(value):
            raise _refused(name, known, "is no NHS number: links repeat it")
    return _given(pairs, known, lenient=is_lenient(request))


def is_lenient(request: Request) -> bool:
    """Returns whether the caller takes an answer that ignores what is not served."""
    preferred = ",".join(request.headers.getlist("Prefer")).replace(";", ",").lower()
    said = [part.strip().replace(" ", "") for part in preferred.split(",")]
    return "handling=lenient" in said and "handling=strict" not in said


def _given(
    pairs: Sequence[tuple[str, str]], known: Mapping[str, Parameter], *, lenient: bool
) -> GivenParameters:
    used: list[tuple[str, str]] = []
    for name, value in pairs:
        bare = name.partition(":")[0]
        if bare in NEVER:
            raise Invalid(Fault(bare, NEVER[bare]))
        if name in known:
            if not value:
                raise Invalid(Fault(name, "has a value"))
            if not known[name].again and name in [one for one, _ in used]:
                raise Invalid(Fault(name, "is given once"))
            used.append((name, value))
        elif name not in _GENERAL and (not lenient or bare.startswith(("patient", "subject"))):
            raise _refused(name, known, _served(known))
    general = sum(name in _GENERAL for name, _ in pairs)
    return GivenParameters(tuple(used), ignored=len(pairs) - len(used) - general)


def _served(known: Mapping[str, Parameter]) -> str:
    return f"the parameters are {', '.join(known)}" if known else "there is none here"


def _refused(name: str, known: Mapping[str, Parameter], rule: str) -> Invalid:
    return Invalid(Fault(name if name in known else _UNNAMED, rule))


def _check_text(name: str, value: str) -> None:
    if _CONTROL.search(name + value):
        raise Invalid(Fault("(parameter)", "has a character that no text has"))


def form_parameters(*served: Parameter, example: dict[str, str]) -> dict[str, Any]:
    """Returns OpenAPI's description of a form with these parameters."""
    properties = {one.name: {"type": one.type, "description": one.says} for one in served}
    schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return form_body(schema, example=example)


def url_parameters(*served: Parameter) -> dict[str, Any]:
    """Returns OpenAPI's description of these parameters in an address."""
    return {
        "parameters": [
            {
                "name": one.name,
                "in": "query",
                "description": one.says,
                "schema": {"type": one.type, "examples": [one.example]},
            }
            for one in served
            if not one.body_only
        ]
    }
