"""Reads a supplier's description of its test system: addresses, tokens, twins."""

import tomllib
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from flagservice.domain.errors import Fault, Invalid
from flagservice.domain.people import check_nhs_number

_TEXTS: Final = ("system", "version", "patient_base", "push_base", "push_token")
_OPTIONAL: Final = ("clinician_base", "clinician_token")
_TABLES: Final = ("flagged", "plain")
_TWIN: Final = ("nhs_number", "token")
_MOST_PAUSE: Final = 600
_PAUSE: Final = 4


@dataclass(frozen=True)
class Twin:
    """One synthetic patient: the number, the patient's own token, perhaps a proxy's."""

    nhs_number: str
    token: str = field(repr=False)
    proxy_token: str = field(default="", repr=False)


@dataclass(frozen=True)
class FhirEndpoint:
    """A FHIR base address and its token."""

    base: str
    token: str = field(repr=False)


@dataclass(frozen=True)
class SupplierSystem:
    """A supplier's test system: its name and exact version, its sides, and its twins.

    The check waits `pause` after each filing. An instant counts as an answer's own only within half
    of it (see `likeness`), so with no pause nothing is excused.
    """

    name: str
    version: str
    patient_base: str
    push: FhirEndpoint
    clinician: FhirEndpoint
    flagged: Twin
    plain: Twin
    pause: timedelta


def read_system(text: str) -> SupplierSystem:
    """Returns the system that a TOML file describes; raises Invalid."""
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise Invalid(Fault("file", "is TOML")) from None
    unknown = sorted(set(said) - {*_TEXTS, *_OPTIONAL, *_TABLES, "pause_seconds"})
    if unknown:
        raise Invalid(Fault(unknown[0], "is not a known field"))
    texts = {name: _text(said, name) for name in _TEXTS}
    twins = {name: _twin(said.get(name), name) for name in _TABLES}
    if twins["flagged"].nhs_number == twins["plain"].nhs_number:
        raise Invalid(Fault("plain.nhs_number", "is another than flagged.nhs_number"))
    if bool(twins["flagged"].proxy_token) != bool(twins["plain"].proxy_token):
        raise Invalid(Fault("proxy_token", "is there for both twins, or for neither"))
    push = FhirEndpoint(_address(texts["push_base"], "push_base"), texts["push_token"])
    return SupplierSystem(
        name=texts["system"],
        version=texts["version"],
        patient_base=_address(texts["patient_base"], "patient_base"),
        push=push,
        clinician=_clinician(said, push),
        flagged=twins["flagged"],
        plain=twins["plain"],
        pause=_pause(said),
    )


def _clinician(said: dict[str, Any], push: FhirEndpoint) -> FhirEndpoint:
    if not any(name in said for name in _OPTIONAL):
        return push
    base, token = (_text(said, name) for name in _OPTIONAL)
    return FhirEndpoint(_address(base, "clinician_base"), token)


def _twin(said: Any, name: str) -> Twin:
    if not isinstance(said, dict) or set(said) - {*_TWIN, "proxy_token"}:
        raise Invalid(Fault(name, f"is a table of {', '.join(_TWIN)} and perhaps proxy_token"))
    number, token = (_text(said, field_, f"{name}.{field_}") for field_ in _TWIN)
    proxy = _text(said, "proxy_token", f"{name}.proxy_token") if "proxy_token" in said else ""
    return Twin(_synthetic(number, name), token, proxy)


def _synthetic(number: str, name: str) -> str:
    try:
        valid = check_nhs_number(number).startswith("9")
    except ValueError:
        valid = False
    if not valid:
        raise Invalid(Fault(f"{name}.nhs_number", "is a valid number of the test range, 9xx"))
    return number


def _text(said: dict[str, Any], name: str, place: str = "") -> str:
    value = said.get(name)
    if not isinstance(value, str) or not value.strip():
        raise Invalid(Fault(place or name, "is needed, as text"))
    return value.strip()


def _address(text: str, name: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username:
        raise Invalid(Fault(name, "is a base address: no user and no query"))
    return text.rstrip("/")


def _pause(said: dict[str, Any]) -> timedelta:
    seconds = said.get("pause_seconds", _PAUSE)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise Invalid(Fault("pause_seconds", "is a number"))
    if not 0 <= seconds <= _MOST_PAUSE:
        raise Invalid(Fault("pause_seconds", f"lies between 0 and {_MOST_PAUSE}"))
    return timedelta(seconds=seconds)
