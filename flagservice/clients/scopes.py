"""What a scope opens, spelled as SMART App Launch v2 does: `system/Flag.rs`, or less of it.

`r` is read, vread and the history of one resource; `s` is search, and the history of a type or of
everything. A client may ask for a wildcard, `system/*.rs`; its token holds the rights that it
covers, and never the wildcard. An unknown scope grants nothing.
https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

_FHIR: Final = re.compile(r"system/([A-Za-z]+|\*)\.(c?r?u?d?s?)")
_ANY: Final = "*"


def rights(scopes: Iterable[str]) -> frozenset[str]:
    """Returns each right by itself: `system/Flag.rs` is `system/Flag.r` and `system/Flag.s`."""
    return frozenset(right for scope in scopes for right in _apart(scope))


def granted(held: Iterable[str], asked: Iterable[str]) -> list[str]:
    """Returns the part of what a client holds that it asks for, in `held`'s order and spelling."""
    wanted = rights(asked)
    return [part for scope in held if (part := _part(scope, wanted))]


def _part(scope: str, wanted: frozenset[str]) -> str:
    match = _FHIR.fullmatch(scope)
    if match is None:
        return scope if scope in wanted else ""
    type_, letters = match.groups()
    left = [
        letter for letter in letters if {f"system/{t}.{letter}" for t in (type_, _ANY)} & wanted
    ]
    return f"system/{type_}.{''.join(left)}" if left else ""


@lru_cache(256)
def _apart(scope: str) -> tuple[str, ...]:
    match = _FHIR.fullmatch(scope)
    if match is None:
        return (scope,)
    type_, letters = match.groups()
    return tuple(f"system/{type_}.{letter}" for letter in letters)
