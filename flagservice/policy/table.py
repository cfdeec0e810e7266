"""Loads a policy from its text, or refuses it with the row and the reason.

Refused: an unknown word, a repeated id, a case that no placement or two placements match, a rule
that no case reaches, an element that no rule mentions, a missing `because` or `source`.
"""

import hashlib
import tomllib
from collections import Counter
from dataclasses import dataclass

from pydantic import ValidationError

from flagservice.domain.elements import Element, Kind
from flagservice.policy.case import Case, every_case
from flagservice.policy.rows import ElementRule, Placement, PolicyFile


class UnusablePolicy(Exception):
    """The file does not load; the message names the row and the reason."""


@dataclass(frozen=True)
class Policy:
    """One version of one kind's policy; `digest` is the SHA-256 of its text."""

    kind: Kind
    version: int
    digest: str
    text: str
    placements: tuple[Placement, ...]
    disclosures: tuple[ElementRule, ...]
    placement_of: dict[Case, Placement]

    @property
    def name(self) -> str:
        """Kind and version, as an officer cites it."""
        return f"{self.kind} v{self.version}"


def load(text: str) -> Policy:
    """The policy that the text is; raises UnusablePolicy."""
    rows = _read(text)
    _check_ids(rows)
    _check_elements(rows)
    placement_of = {case: _only_placement(rows, case) for case in every_case(rows.kind)}
    _check_reached(rows, placement_of)
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Policy(
        rows.kind, rows.version, digest, text, rows.placements, rows.disclosures, placement_of
    )


def _read(text: str) -> PolicyFile:
    try:
        return PolicyFile.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as wrong:
        raise UnusablePolicy(f"not TOML: {wrong}") from None
    except ValidationError as wrong:
        raise UnusablePolicy("; ".join(map(str, _reasons(wrong)))) from None


def _reasons(wrong: ValidationError) -> list[str]:
    return [
        f"{'.'.join(map(str, detail['loc']))}: {detail['msg']}"
        for detail in wrong.errors(include_url=False)
    ]


def _check_ids(rows: PolicyFile) -> None:
    times = Counter(row.id for row in (*rows.placements, *rows.disclosures))
    twice = sorted(id_ for id_, count in times.items() if count > 1)
    if twice:
        raise UnusablePolicy(f"the same id stands twice: {', '.join(twice)}")


def _check_elements(rows: PolicyFile) -> None:
    mentioned = {element for rule in rows.disclosures for element in rule.elements}
    silent = [element for element in Element if element not in mentioned]
    if silent:
        raise UnusablePolicy(f"no rule mentions {', '.join(silent)}")


def _only_placement(rows: PolicyFile, case: Case) -> Placement:
    matching = [row for row in rows.placements if row.matches(case)]
    if len(matching) == 1:
        return matching[0]
    which = " and ".join(row.id for row in matching) or "no row"
    raise UnusablePolicy(
        f"{which} match {case.role}, standing {case.standing}, {case.knows}, {case.state}:"
        " exactly one must"
    )


def _check_reached(rows: PolicyFile, placement_of: dict[Case, Placement]) -> None:
    """A placement answers whatever it matches; a rule does so only where anything is told."""
    told = [case for case, placement in placement_of.items() if placement.tells(case.phase)]
    idle = [rule.id for rule in rows.disclosures if not any(map(rule.matches, told))]
    if idle:
        raise UnusablePolicy(f"no case reaches {', '.join(idle)}")
