"""Reads the JSON texts of profiles and value sets. What is not as expected is refused.

https://hl7.org/fhir/R4/structuredefinition.html and https://hl7.org/fhir/R4/valueset.html
"""

import json
from collections.abc import Mapping, Sequence

Json = Mapping[str, object]
Codes = Mapping[tuple[str, str], str | None]
"""(system, code) and, where the value set gives one, the display that goes with it."""


class UnusableProfile(Exception):
    """A profile asks for something that the checker does not do."""


def read_value_set(text: str) -> tuple[str, Codes]:
    """Returns the address of a value set and its codes, which it must list one by one."""
    data = parsed(text, "ValueSet")
    compose = mapping(data.get("compose"), "compose")
    insist(compose.keys() == {"include"}, "a value set may only include")
    codes: dict[tuple[str, str], str | None] = {}
    for part in listing(compose["include"], "include"):
        include = mapping(part, "include")
        insist(include.keys() == {"system", "concept"}, "a value set must list its codes")
        system = string(include["system"], "system")
        for listed in listing(include["concept"], "concept"):
            concept = mapping(listed, "concept")
            display = concept.get("display")
            key = system, string(concept.get("code"), "code")
            codes[key] = None if display is None else string(display, "display")
    return string(data.get("url"), "url"), codes


def parsed(text: str, resource_type: str) -> Json:
    """Returns the one resource that a text holds."""
    try:
        data = mapping(json.loads(text), resource_type)
    except ValueError as error:
        raise UnusableProfile(f"{resource_type}: it is not JSON") from error
    insist(data.get("resourceType") == resource_type, f"{resource_type} expected")
    return data


def insist(condition: bool, rule: str) -> None:
    """Refuses the profile unless the condition holds."""
    if not condition:
        raise UnusableProfile(rule)


def mapping(value: object, where: str) -> Json:
    """Returns the value if it is an object."""
    if not isinstance(value, dict):
        raise UnusableProfile(f"{where}: an object is needed")
    return value


def listing(value: object, where: str) -> Sequence[object]:
    """Returns the value if it is a list."""
    if not isinstance(value, list):
        raise UnusableProfile(f"{where}: a list is needed")
    return value


def string(value: object, where: str) -> str:
    """Returns the value if it is text with something in it."""
    if not isinstance(value, str) or not value:
        raise UnusableProfile(f"{where}: text is needed")
    return value


def count(value: object, where: str) -> int:
    """Returns a minimum."""
    if type(value) is not int or value < 0:
        raise UnusableProfile(f"{where}: min must be a count")
    return value


def limit(value: object, where: str) -> int | None:
    """Returns a maximum, or None for `*`."""
    if value == "*":
        return None
    digits = string(value, where)
    insist(digits.isascii() and digits.isdecimal(), f"{where}: max must be a count or *")
    return int(digits)
