"""Every rule of the catalogue is traced to what holds it, and nothing named there is missing.

The ids and their grades stand here a second time, written down from the catalogue by themselves:
an entry that is lost, or one that nobody asked for, cannot go unseen.
"""

import ast
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import cache
from typing import Any

import pytest

from tests.policy.approved import HOME

TRACED = HOME / "policies/assurance/rules.toml"
SOURCES = HOME / "policies/assurance/sources.toml"
README = HOME / "policies/assurance/README.md"
Table = dict[str, dict[str, Any]]

GRADED = {
    "F{}": "A B A/B",
    "C{:02}": "A B A B/C A A A A B/A B B B B B B B B B B A A A A A A A C A",
    "INV-{:02}": "A/B A A J A A A/B J",
    "DOC-{:02}": "A A A A/J A B/J B A A B A/J B B/J A J B B",
    "RED-{:02}": "A J B B B/J B A A A A/J A A A A J A",
    "PXY-{:02}": "A A A A/J A/J A J A J",
    "DA-{:02}": "B B/J B B/J B B/A J B/J A B/C B A B/J A/J A A/J",
    "PRT-{:02}": "B A/J A B A/J J A/J A A",
    "SAR-{:02}": "A A/C B B A/C B B/J A A J J C",
    "LIFE-{:02}": "A/J J A A A J/B J J J J C J J A/J",
    "LAW-{:02}": "A A/J A A/B B/C B C B A C C B/J C C B",
    "RTE-{:02}": "A A/J A/J J A/J J B/J J A B",
    "FHIR-{:02}": "J J A/J A/C J B/J J J J J",
    "S{:02}": " ".join(["J"] * 25),
}
"""The grades of a family, from its first id on."""
UNGRADED = {
    "LT-{:02}": (
        *(0, 1, 2, 3, 4, 5, 7, 8, 12, 13, 14, 16, 17, 18, 21, 22, 24, 27, 28, 32, 33, 36, 37, 39),
        *(40, 41, 42, 45, 47, 48, 49, 50, 52),
    ),
    "EV-{:02}": range(1, 21),
    "HZ-{:02}": range(1, 19),
}
"""The numbers of a family to which the catalogue gives no grades; the leak tests have gaps."""
NAMED = {
    "": ("class", "K", "U", "N", "V", "X"),
    "M1-": (
        *("child-protection-plan", "child-in-need-plan", "unborn-child", "section-47"),
        *("strategy-meeting", "pre-proceedings", "perpetrator", "domestic-abuse-victim", "marac"),
        "previous-plan",
    ),
    "M2-": (
        *("clinician-with-right", "clinician-without-right", "practice-staff", "ONL", "PXY", "SAR"),
        *("PRN", "LTR", "SHC", "INS", "XGP", "NTF", "research", "council", "police"),
    ),
}
"""What the catalogue names without a number: the classes, and the rows of its matrices."""
HOLDERS = ("us", "receiving system", "deployer", "not yet")
FIELDS = {"says", "grade", "read_in", "follows_from", "held_by", "rows", "tests", "because"}


def catalogue() -> dict[str, str]:
    """Every id that there is, with its grade."""
    found = {"subjectKnows": "J"}
    for form, grades in GRADED.items():
        found |= {form.format(n): grade for n, grade in enumerate(grades.split(), start=1)}
    for form, numbers in UNGRADED.items():
        found |= {form.format(n): "none" for n in numbers}
    for before, words in NAMED.items():
        found |= {before + word: "none" for word in words}
    return found


def traced() -> Table:
    """What the project says holds each rule; an id that stands twice is no TOML."""
    return tomllib.loads(TRACED.read_text("utf-8"))


@cache
def the_sources() -> frozenset[str]:
    """Every source in which a rule was read."""
    return frozenset(tomllib.loads(SOURCES.read_text("utf-8")))


@cache
def the_rows() -> dict[str, list[str]]:
    """What each row of each policy cites, as `id grade`."""
    files = [tomllib.loads(path.read_text("utf-8")) for path in HOME.glob("policies/*/v*.toml")]
    rows = [row for file in files for row in (*file["placements"], *file["disclosures"])]
    return {row["id"]: row["source"] for row in rows}


@cache
def the_tests() -> frozenset[str]:
    """Every test, as `file::name`, whatever its parameters are."""
    return frozenset(
        f"{path.relative_to(HOME)}::{node.name}"
        for path in HOME.glob("tests/**/test_*.py")
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
    )


def faults(table: Table) -> Iterator[str]:
    """Whatever is not traced, or is traced to what is not there."""
    ids = catalogue()
    yield from (f"{id_} has no entry" for id_ in ids if id_ not in table)
    yield from (f"{id_} is no rule of the catalogue" for id_ in table if id_ not in ids)
    for id_, entry in table.items():
        if id_ in ids and entry.get("grade") != ids[id_]:
            yield f"{id_} has the grade {ids[id_]}"
        yield from _faults_of(id_, entry)
    for row, sources in the_rows().items():
        yield from _faults_of_row(row, sources, table)


def _faults_of(id_: str, entry: dict[str, Any]) -> Iterator[str]:
    if not set(entry) <= FIELDS or not str(entry.get("says", "")).endswith("."):
        yield f"{id_} says what it means in a sentence, and has no other field"
    held_by, because = entry.get("held_by", []), str(entry.get("because", ""))
    rows, tests = entry.get("rows", []), entry.get("tests", [])
    if not held_by or not set(held_by) <= set(HOLDERS):
        yield f"{id_} is held by one or more of {', '.join(HOLDERS)}"
    if "us" in held_by and not rows and not tests:
        yield f"{id_} is held by us and names neither a row nor a test"
    if held_by != ["us"] and not because.endswith("."):
        yield f"{id_} is not wholly held by us and says no reason"
    yield from (f"{id_} names {row}, which is no row" for row in rows if row not in the_rows())
    yield from (
        f"{id_} names {test}, which is no test" for test in tests if test not in the_tests()
    )
    yield from _faults_of_sources(id_, entry)
    for named in (held_by, rows, tests):
        yield from (
            f"{id_} names {one} twice" for one, often in Counter(named).items() if often > 1
        )


def _faults_of_sources(id_: str, entry: dict[str, Any]) -> Iterator[str]:
    read_in, follows = entry.get("read_in", []), entry.get("follows_from", [])
    yield from (
        f"{id_} names {one}, which is no source" for one in read_in if one not in the_sources()
    )
    yield from (
        f"{id_} follows from {one}, which is no rule" for one in follows if one not in catalogue()
    )
    if set("AB") & set(entry["grade"].split("/")) and not read_in and not follows:
        yield f"{id_} was read somewhere, by its grade, and names no source"


def _faults_of_row(row: str, sources: list[str], table: Table) -> Iterator[str]:
    if not sources and not any(row in entry.get("rows", []) for entry in table.values()):
        yield f"{row} cites no rule, and no rule names it"
    for source in sources:
        id_, _, grade = source.rpartition(" ")
        entry = table.get(id_, {})
        if entry.get("grade") != grade:
            yield f"{row} cites {source}, and that is not the rule's grade"
        if row not in entry.get("rows", []):
            yield f"{row} cites {id_}, and stands not among its rows"


def test_every_rule_is_traced_to_what_is_there() -> None:
    assert list(faults(traced())) == []


def test_as_many_rules_are_known_as_the_catalogue_has() -> None:
    families = Counter(re.sub(r"-?[0-9].*", "", id_) for id_ in catalogue() if id_[:2] != "M1")
    assert families["LT"] == 33
    assert (families["C"], families["EV"], families["HZ"], families["S"]) == (28, 20, 18, 25)
    rules = ("INV", "DOC", "RED", "PXY", "DA", "PRT", "SAR", "LIFE", "LAW", "RTE", "FHIR")
    assert [families[name] for name in rules] == [8, 17, 16, 9, 16, 9, 12, 14, 15, 10, 10]
    assert len(catalogue()) == 295


def _gone(table: Table) -> None:
    del table["LT-13"]


def _invented(table: Table) -> None:
    table["LT-06"] = table["LT-05"]


def _of_another_grade(table: Table) -> None:
    table["DA-08"]["grade"] = "J"


def _with(id_: str, **more: Any) -> Callable[[Table], None]:
    return lambda table: table[id_].update(more)


@pytest.mark.parametrize(
    ("breaks", "told"),
    [
        (_gone, "LT-13 has no entry"),
        (_invented, "LT-06 is no rule of the catalogue"),
        (_of_another_grade, "DA-08 has the grade B/J"),
        (_of_another_grade, "DA-D06 cites DA-08 B/J, and that is not the rule's grade"),
        (_with("INV-01", tests=["tests/a.py::test_b"]), "names tests/a.py::test_b, which is no"),
        (_with("INV-01", tests=["tests/policy/approved.py::approved"]), "which is no test"),
        (_with("INV-01", rows=["CP-R98"]), "INV-01 names CP-R98, which is no row"),
        (_with("INV-01", rows=[]), "CP-R99 cites INV-01, and stands not among its rows"),
        (_with("INV-01", because=""), "INV-01 is not wholly held by us and says no reason"),
        (_with("LT-05", held_by=["us"], tests=[]), "names neither a row nor a test"),
        (_with("LT-05", held_by=["nobody"]), "LT-05 is held by one or more of us"),
        (_with("LT-05", held_by=[]), "LT-05 is held by one or more of us"),
        (_with("LT-05", held_by=["us", "us"]), "LT-05 names us twice"),
        (_with("LT-05", says=""), "LT-05 says what it means"),
        (_with("DA-01", read_in=["a-rumour"]), "DA-01 names a-rumour, which is no source"),
        (_with("DA-01", read_in=[]), "DA-01 was read somewhere, by its grade"),
        (_with("DA-01", follows_from=["DA-99"]), "DA-01 follows from DA-99, which is no rule"),
        (_with("LT-05", note="x"), "LT-05 says what it means"),
    ],
)
def test_a_broken_trace_would_be_found(breaks: Callable[[Table], None], told: str) -> None:
    table = deepcopy(traced())
    breaks(table)
    assert any(told in fault for fault in faults(table))


def test_every_source_is_cited_by_a_rule() -> None:
    cited = {source for entry in traced().values() for source in entry.get("read_in", ())}
    assert the_sources() - cited == set()


def test_a_row_that_floats_would_be_found() -> None:
    assert list(_faults_of_row("CP-P98", [], traced())) == [
        "CP-P98 cites no rule, and no rule names it"
    ]


def test_the_readme_counts_what_is_traced() -> None:
    readme, table = README.read_text("utf-8"), traced()
    assert f"{len(table)} entries" in readme
    for holder in HOLDERS:
        named = [entry["held_by"] for entry in table.values() if holder in entry["held_by"]]
        alone = sum(held_by == [holder] for held_by in named)
        assert f"| {holder} | {len(named)} | {alone} |" in readme
