"""Reads a policy's text into a table, or refuses it with the row and the reason.

It refuses an unknown word, a repeated id, a case that no placement or two placements match, a rule
that no case reaches, and a missing `because` or `source`. What it reads is not proved yet, and
rules nothing: `policy.proof.load` alone gives a policy to the floors above.
"""

import hashlib
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from flagservice.domain.elements import Kind
from flagservice.domain.errors import CannotRun
from flagservice.policy.case import Case, every_case
from flagservice.policy.rows import ElementRule, Placement, PolicyFile


class UnusablePolicy(CannotRun):
    """The file does not load. The message names the row and the reason."""


@dataclass(frozen=True)
class Policy:
    """One version of one kind's policy. `digest` is the SHA-256 of its text."""

    kind: Kind
    version: int
    digest: str
    text: str
    placements: tuple[Placement, ...]
    disclosures: tuple[ElementRule, ...]
    placement_of: dict[Case, Placement]

    @property
    def name(self) -> str:
        """Kind and version, as an officer cites them."""
        return f"{self.kind} v{self.version}"


def read(text: str) -> Policy:
    """Returns the table that the text is, not proved yet. Raises UnusablePolicy."""
    rows = _read(text)
    _check_ids(rows)
    placement_of = {case: _only_placement(rows, case) for case in every_case(rows.kind)}
    _check_reached(rows, placement_of)
    digest = digest_of(text)
    return Policy(
        rows.kind, rows.version, digest, text, rows.placements, rows.disclosures, placement_of
    )


def digest_of(text: str) -> str:
    """Returns the SHA-256 by which a policy's text is known."""
    return hashlib.sha256(text.encode()).hexdigest()


def _read(text: str) -> PolicyFile:
    try:
        file = tomllib.loads(text)
    except tomllib.TOMLDecodeError as wrong:
        raise UnusablePolicy(f"not TOML: {wrong}") from None
    try:
        return PolicyFile.model_validate(file)
    except ValidationError as wrong:
        raise UnusablePolicy("; ".join(_reasons(wrong, file))) from None


def _reasons(wrong: ValidationError, file: dict[str, Any]) -> Iterator[str]:
    """Yields each broken rule, by the id of its row."""
    for detail in wrong.errors(include_url=False):
        match detail["loc"]:
            case (str(table), int(place), *field):
                row = file[table][place]
                named = row.get("id") if isinstance(row, dict) else None
                at = [named or f"{table}, row {place + 1}", *map(str, field)]
            case field:
                at = [*map(str, field)]
        yield f"{', '.join(map(str, at))}: {detail['msg'].removeprefix('Value error, ')}"


def _check_ids(rows: PolicyFile) -> None:
    times = Counter(row.id for row in (*rows.placements, *rows.disclosures))
    twice = sorted(id_ for id_, count in times.items() if count > 1)
    if twice:
        raise UnusablePolicy(f"the same id stands twice: {', '.join(twice)}")


def _only_placement(rows: PolicyFile, case: Case) -> Placement:
    matching = [row for row in rows.placements if row.matches(case)]
    if len(matching) == 1:
        return matching[0]
    which = " and ".join(row.id for row in matching) or "no row"
    raise UnusablePolicy(
        f"one placement for each case: {which} match {case.role}, standing {case.standing},"
        f" {case.knows}, {case.state}: exactly one must say what happens there"
    )


def _check_reached(rows: PolicyFile, placement_of: dict[Case, Placement]) -> None:
    """Refuses a rule that no case reaches in which anything is told.

    A placement answers whatever it matches, so all of its cases count.
    """
    told = [case for case, placement in placement_of.items() if placement.tells(case.phase)]
    idle = [rule.id for rule in rows.disclosures if not any(map(rule.matches, told))]
    if idle:
        raise UnusablePolicy(
            f"no row unreachable: no case reaches {', '.join(idle)}: it is about records that are"
            " told nothing, so its author thinks otherwise"
        )
