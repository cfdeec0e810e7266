"""Holds every answer that a test of the API gets against what the API's description says of it."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpx
import jsonschema_rs

from flagservice.app.serve import described


@dataclass(frozen=True)
class Operation:
    """One operation of the description, and the addresses that it is for."""

    method: str
    address: re.Pattern[str]
    responses: dict[str, Any]


@cache
def description() -> dict[str, Any]:
    return described().openapi()


@cache
def operations() -> list[Operation]:
    """Those without a gap first: `/Flag/_history` is no `/Flag/{id}`."""
    return [
        Operation(method.upper(), _addresses(path), operation["responses"])
        for path, methods in sorted(description()["paths"].items(), key=lambda one: "{" in one[0])
        for method, operation in methods.items()
    ]


def _addresses(path: str) -> re.Pattern[str]:
    gap = ".+" if path.startswith("/receipts/") else "[^/]+"
    parts = re.split(r"\{[a-z_]+\}", path)
    return re.compile(gap.join(map(re.escape, parts)))


def operation_of(request: httpx.Request) -> Operation | None:
    """Returns what was asked, if there is such an operation."""
    path = request.url.raw_path.partition(b"?")[0].decode("ascii")
    return next(
        (
            one
            for one in operations()
            if one.method == request.method and one.address.fullmatch(path)
        ),
        None,
    )


def then_as_described(answer: httpx.Response) -> None:
    """Its status, its media type and its body are ones that the description names."""
    operation = operation_of(answer.request)
    if operation is None:
        return
    where = f"{answer.request.method} {operation.address.pattern} {answer.status_code}"
    said = operation.responses.get(str(answer.status_code))
    assert said is not None, f"{where} is not described"
    if "content" not in said:
        assert answer.content == b"", where
        return
    ((media_type, one),) = said["content"].items()
    assert answer.headers["Content-Type"].partition(";")[0] == media_type, where
    if media_type.endswith("json"):
        problems = [
            problem.message for problem in _validator(where, one).iter_errors(answer.json())
        ]
        assert problems == [], where


_VALIDATORS: dict[str, Any] = {}


def _validator(where: str, said: dict[str, Any]) -> Any:
    if where not in _VALIDATORS:
        schema = {**said["schema"], "components": description()["components"]}
        _VALIDATORS[where] = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
    return _VALIDATORS[where]
