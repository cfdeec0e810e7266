"""Every level 1 and 2 requirement of OWASP ASVS 5.0.0 has one answer, and what is met names a test.

How many there are of each level in each chapter stands here a second time, counted in the standard
itself (https://github.com/OWASP/ASVS): a requirement that is lost, or invented, cannot go unseen.
"""

import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from hashlib import sha256
from typing import Any

import pytest

from tests.house.source import HOME
from tests.mutants.leaks import every_control
from tests.policy.test_rules_traced import the_tests

Table = dict[str, dict[str, Any]]
README = HOME / "policies/assurance/README.md"
ANSWERS = ("met", "not_applicable", "deployer", "open")
ID = re.compile(r"V([1-9][0-9]?)\.[1-9][0-9]?\.[1-9][0-9]?")
STANDARD = {
    1: (8, 19),
    2: (4, 7),
    3: (8, 11),
    4: (2, 8),
    5: (4, 5),
    6: (13, 22),
    7: (6, 12),
    8: (4, 3),
    9: (4, 3),
    10: (5, 24),
    11: (3, 11),
    12: (3, 6),
    13: (1, 12),
    14: (2, 7),
    15: (3, 10),
    16: (0, 16),
    17: (0, 7),
}
"""By chapter, how many requirements there are of level 1 and of level 2."""
DIGEST = "d14a9133210ac2b4592509abc6bd37ad90be24a82a3b85b200e67bfe13bdc2f1"
"""SHA-256 of the standard's own list: a line for each, as `V1.1.1 2`, in the order of text."""


def answered() -> Table:
    """What the project says of each requirement; an id that stands twice is no TOML."""
    return tomllib.loads((HOME / "policies/assurance/asvs.toml").read_text("utf-8"))


def counted(table: Table) -> dict[int, tuple[int, int]]:
    """By chapter, how many of level 1 and 2 stand there."""
    found = Counter((_chapter(id_), entry.get("level")) for id_, entry in table.items())
    return {chapter: (found[chapter, 1], found[chapter, 2]) for chapter in STANDARD}


def _chapter(id_: str) -> int:
    match = ID.fullmatch(id_)
    return int(match[1]) if match else 0


def digest(table: Table) -> str:
    """Of the ids and levels that stand there."""
    lines = sorted(f"{id_} {entry.get('level')}" for id_, entry in table.items())
    return sha256("\n".join(lines).encode()).hexdigest()


def tally(table: Table) -> Counter[str]:
    """How many requirements have which answer."""
    return Counter(_answer(entry) for entry in table.values())


def _answer(entry: dict[str, Any]) -> str:
    given = [name for name in ANSWERS if entry.get(name)]
    return given[0] if len(given) == 1 else "unanswered"


def faults(table: Table) -> Iterator[str]:
    """Whatever is no requirement, or has no answer, or more than one, or names what is not."""
    if counted(table) != STANDARD or digest(table) != DIGEST:
        yield "these are not the standard's requirements"
    for id_, entry in table.items():
        if entry.keys() - {"level", "subject", *ANSWERS} or not entry.get("subject"):
            yield f"{id_} has a level, a subject and one answer, and nothing else"
        if _answer(entry) == "unanswered":
            yield f"{id_} has not one answer"
        tests = entry.get("met", [])
        yield from (f"{id_} names {test}, which is no test" for test in _not_there(tests))
        for said in (entry.get(name, "A reason.") for name in ANSWERS[1:]):
            if not str(said).endswith("."):
                yield f"{id_} gives its reason in a sentence"


def _not_there(tests: list[str]) -> set[str]:
    return {test for test in tests if tests.count(test) > 1 or test not in the_tests()}


def test_every_requirement_of_levels_1_and_2_is_answered() -> None:
    table = answered()
    assert list(faults(table)) == []
    many = tally(table)
    print(  # noqa: T201, the count is the proof
        f"\nASVS 5.0.0 levels 1 and 2: met {many['met']}, not applicable {many['not_applicable']},"
        f" deployer {many['deployer']}, open {many['open']}, unanswered {many['unanswered']}"
    )
    assert many["unanswered"] == 0


def test_there_are_as_many_as_the_standard_has() -> None:
    of_level_1, of_level_2 = (sum(column) for column in zip(*STANDARD.values(), strict=True))
    assert (of_level_1, of_level_2) == (70, 183)


def test_the_readme_counts_them_and_lists_what_is_open() -> None:
    readme, table = README.read_text("utf-8"), answered()
    many = tally(table)
    words = ("met", "not applicable", "deployer", "open")
    for answer, said in zip(ANSWERS, words, strict=True):
        assert f"| {said} | {many[answer]} |" in readme
    for answer in ("open", "deployer"):
        told = [id_ for id_, entry in table.items() if answer in entry]
        assert [id_ for id_ in told if not re.search(rf"{re.escape(id_)}(?![0-9])", readme)] == []


def test_a_broken_control_is_caught_by_a_test_that_answers_its_requirement() -> None:
    """`make mutants` breaks each in a copy of the house, and sees that very test fail."""
    table, controls = answered(), list(every_control())
    assert len(controls) >= 25
    for control in controls:
        met = table[control.asvs].get("met", [])
        assert control.caught_by in met, f"{control.name}: {control.asvs} does not name its test"


def _gone(table: Table) -> None:
    del table["V1.2.4"]


def _invented(table: Table) -> None:
    table["V18.1.1"] = table["V1.2.4"]


def _exchanged(table: Table) -> None:
    table["V1.2.44"] = table.pop("V1.2.4")


def _with(id_: str, **more: Any) -> Callable[[Table], None]:
    return lambda table: table[id_].update(more)


@pytest.mark.parametrize(
    ("breaks", "told"),
    [
        (_gone, "these are not the standard's requirements"),
        (_invented, "these are not the standard's requirements"),
        (_exchanged, "these are not the standard's requirements"),
        (_with("V1.2.4", level=2), "these are not the standard's requirements"),
        (_with("V1.2.4", met=[]), "V1.2.4 has not one answer"),
        (_with("V1.2.4", open="Something is missing."), "V1.2.4 has not one answer"),
        (_with("V1.2.4", met=["tests/a.py::test_b"]), "names tests/a.py::test_b, which is no test"),
        (_with("V1.2.4", subject=""), "V1.2.4 has a level, a subject and one answer"),
        (_with("V1.2.4", note="x"), "V1.2.4 has a level, a subject and one answer"),
        (_with("V1.2.6", not_applicable="no"), "V1.2.6 gives its reason in a sentence"),
    ],
)
def test_a_broken_answer_would_be_found(breaks: Callable[[Table], None], told: str) -> None:
    table = deepcopy(answered())
    breaks(table)
    assert any(told in fault for fault in faults(table))
