"""Searches by token over what a resource says. https://hl7.org/fhir/R4/search.html#token

A token is `system|code`, `|code` (a code without a system), `system|` (anything of a system) or
`code`. Commas between tokens mean or.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

_SYSTEMS: Final = {
    "Flag": "http://hl7.org/fhir/flag-status",
    "Task": "http://hl7.org/fhir/task-status",
}
_COMMA: Final = re.compile(r"(?<!\\)((?:\\\\)*),")
_BAR: Final = re.compile(r"(?<!\\)((?:\\\\)*)\|")
_ESCAPED: Final = re.compile(r"\\([\\,|$])")


@dataclass(frozen=True)
class Token:
    """What a coding is compared with. Without a system or a code, any will do."""

    system: str | None
    code: str | None

    def matches(self, system: str | None, code: str) -> bool:
        """Returns whether the coding is one of these."""
        return self.code in (None, code) and (self.system is None or self.system == (system or ""))


def tokens(text: str) -> list[Token] | None:
    """Returns the alternatives of one parameter, or None where the text is no list of tokens."""
    found = [_token(part) for part in _split(_COMMA, text)]
    return None if None in found else [one for one in found if one is not None]


def _token(text: str) -> Token | None:
    parts = [_ESCAPED.sub(r"\1", part) for part in _split(_BAR, text)]
    match parts:
        case [code] if code:
            return Token(None, code)
        case [system, code] if system or code:
            return Token(system, code or None)
        case _:
            return None


def _split(separator: re.Pattern[str], text: str) -> list[str]:
    """Splits at each separator that is not escaped. Backslashes stay with what they end."""
    marked = separator.sub("\\1\0", text)
    return marked.split("\0")


def says(resource: Mapping[str, Any], wanted: Mapping[str, Sequence[Sequence[Token]]]) -> bool:
    """Returns whether it matches one token of every repetition of each parameter."""
    return all(
        any(one.matches(*coding) for one in alternatives for coding in codings)
        for name, repetitions in wanted.items()
        for codings in [list(_codings(resource, name))]
        for alternatives in repetitions
    )


def _codings(resource: Mapping[str, Any], name: str) -> Iterator[tuple[str | None, str]]:
    if name == "status":
        yield _SYSTEMS[resource["resourceType"]], resource["status"]
        return
    concepts = resource.get(name, [])
    for concept in concepts if isinstance(concepts, list) else [concepts]:
        for coding in concept["coding"]:
            yield coding.get("system"), coding["code"]
