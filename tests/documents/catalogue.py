"""Writes the rule catalogue for people: `docs/rules/catalogue.md` and `docs/rules/sources.md`.

Both come from `policies/assurance/rules.toml` and `policies/assurance/sources.toml`, so that an
officer reads the same rules that the tests trace.
"""

import string
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

HOME: Final = Path(__file__).parents[2]
Entries = dict[str, dict[str, Any]]

FAMILIES: Final = {
    "F": "What GP systems do",
    "C": "Codes",
    "INV-": "Promises",
    "DOC-": "Documenting and coding",
    "RED-": "Hiding from the online view",
    "PXY-": "Children, proxies and age",
    "DA-": "Domestic abuse, perpetrators and MARAC",
    "PRT-": "Other outward views",
    "SAR-": "Subject access",
    "LIFE-": "Life of a flag",
    "LAW-": "Duty, basis and minimisation",
    "RTE-": "Routes to other practices",
    "FHIR-": "Encoding",
    "S": "Settlements",
    "M1-": "Matrix: kind and record",
    "M2-": "Matrix: class and reader",
    "LT-": "Leak tests",
    "EV-": "Evidence",
    "HZ-": "Hazards",
}
"""The families by how their ids begin; what begins otherwise is of `KNOWLEDGE`."""
KNOWLEDGE: Final = "What the holder knows, and classes"
WRITTEN: Final = "<!-- written by make generate -->"


def pages() -> dict[Path, str]:
    """Both pages, by their path in the repository."""
    rules, sources = _read("rules"), _read("sources")
    return {
        Path("docs/rules/catalogue.md"): "\n".join(_catalogue(rules)) + "\n",
        Path("docs/rules/sources.md"): "\n".join(_sources(sources, rules)) + "\n",
    }


def _read(name: str) -> Entries:
    return tomllib.loads((HOME / f"policies/assurance/{name}.toml").read_text("utf-8"))


def _catalogue(rules: Entries) -> Iterator[str]:
    yield "# The rule catalogue"
    yield ""
    yield WRITTEN
    yield ""
    yield (
        f"All {len(rules)} rules, in our words, with the grade of each, where it was read, who"
        " sees to it, and what stands today. [How to read it](README.md); [sources](sources.md)."
    )
    for title, family in _families(rules).items():
        yield from ("", f"## {title}", "")
        yield "| id | rule | grade | read in | held by |"
        yield "|---|---|---|---|---|"
        yield from (_row(id_, entry) for id_, entry in family.items())


def _families(rules: Entries) -> dict[str, Entries]:
    found: dict[str, Entries] = {}
    for id_, entry in rules.items():
        found.setdefault(_family(id_), {})[id_] = entry
    return found


def _family(id_: str) -> str:
    stem = id_.rstrip(string.digits)
    named = id_[: id_.find("-") + 1] if "-" in id_ else stem
    numbered = stem != id_ or "-" in id_
    return FAMILIES.get(named, KNOWLEDGE) if numbered else KNOWLEDGE


def _row(id_: str, entry: dict[str, Any]) -> str:
    read = ", ".join([*entry.get("read_in", ()), *entry.get("follows_from", ())])
    held = ", ".join(entry["held_by"])
    because = entry.get("because", "")
    cells = (id_, entry["says"], entry["grade"], read, f"{held}. {because}" if because else held)
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def _sources(sources: Entries, rules: Entries) -> Iterator[str]:
    yield "# Where the rules were read"
    yield ""
    yield WRITTEN
    yield ""
    yield (
        "Where a note says that a copy was read, look at the publisher's own page before you cite"
        " it. An address without a path is the publisher's: search it for the title."
    )
    yield from ("", "| id | title | publisher | rules |", "|---|---|---|---|")
    for id_, source in sources.items():
        note = f" {source['note']}" if "note" in source else ""
        at = f", <https://{source['address']}>" if "address" in source else ""
        cited = [rule for rule, entry in rules.items() if id_ in entry.get("read_in", ())]
        cells = (id_, f"{source['title']}.{note}", f"{source['publisher']}{at}", ", ".join(cited))
        yield f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"
