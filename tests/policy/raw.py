"""A policy file as the plain rows that stand in it, read with nothing of ours."""

import tomllib
from typing import Any

from tests.policy.approved import KNOWS, RECORDS, STANDINGS, STATES

PHASES = ("open", "ended")
ELEMENTS = (
    "concern",
    "plan-category",
    "start",
    "placed",
    "end",
    "expires",
    "review-due",
    "review-by",
    "expected-date",
    "duty-desk",
    "agency",
)
READERS = (
    "practice",
    "practice-staff",
    "patient",
    "proxy",
    "print",
    "insurer",
    "notification",
    "letter",
    "subject-access",
    "shared-care",
    "next-practice",
    "research",
    "submitter",
)
WORDS = {
    "roles": RECORDS,
    "standings": STANDINGS,
    "knows": KNOWS,
    "states": STATES,
    "phases": PHASES,
    "elements": ELEMENTS,
    "readers": READERS,
}
Row = dict[str, Any]


def rows(text: str) -> tuple[list[Row], list[Row]]:
    """The placements and the disclosures, each list of words written out."""
    file = tomllib.loads(text)
    disclosures = [{"readers": ["practice"], **row} for row in file["disclosures"]]
    return [_whole(row) for row in file["placements"]], [_whole(row) for row in disclosures]


def _whole(row: Row) -> Row:
    listed = {name: list(WORDS[name]) for name in WORDS if row.get(name) == "any"}
    return {**row, **listed}


def phases_told(placement: Row) -> list[str]:
    """The phases in which this placement tells the record anything."""
    if placement["action"] not in ("place", "request"):
        return []
    return ["open", "ended"] if placement["after_end"] == "history" else ["open"]
