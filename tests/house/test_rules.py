"""The rules of the house that a machine can follow, for the size and the shape of the code."""

import ast
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.house import source
from tests.house.source import Defined, Module

FORBIDDEN_NAMES = {"utils", "helpers", "common", "manager", "base", "services", "misc"}
DECIDING = (
    "domain",
    "policy",
    "fhir",
    "intake",
    "delivery",
    "people",
    "admission",
    "clients",
    "audit",
)
CONTEXT = ("self", "cls", "work")
"""A unit of work goes first, as `self` does: it is where a deed happens, not what it is about."""

MORE_POSITIONS: dict[str, str] = {}
"""Each with its reason. A new one is turned into keywords or a value; an old one goes from here."""


def everywhere() -> Iterator[tuple[str, Module]]:
    yield from ((f"flagservice/{module.name}", module) for module in source.package())
    yield from ((f"tests/{module.name}", module) for module in source.suite())


def test_a_file_has_at_most_four_hundred_lines() -> None:
    long = {name: len(module.text.splitlines()) for name, module in everywhere()}
    assert {name: lines for name, lines in long.items() if lines > 400} == {}


def test_a_room_has_at_most_twelve_files() -> None:
    """Its `__init__.py` says what the room is for, and is not counted."""
    rooms = Counter(
        name.rpartition("/")[0] for name, _ in everywhere() if not name.endswith("/__init__.py")
    )
    assert {room: files for room, files in rooms.items() if files > 12} == {}


def test_a_function_has_at_most_forty_lines() -> None:
    long = {
        f"{module.name}:{one.name}": lines
        for module in source.package()
        for one in module.functions()
        if (lines := (one.node.end_lineno or 0) - one.node.lineno + 1) > 40
    }
    assert long == {}


def test_a_module_says_why_it_exists() -> None:
    assert [name for name, module in everywhere() if not _says(module.tree)] == []


def test_a_public_class_or_function_says_what_it_is() -> None:
    """A method of a protocol says it once, and what implements it may say `As … says.`."""
    silent = [
        f"{module.name}:{one.name}"
        for module in source.package()
        for one in module.defined()
        if one.public and not one.name.endswith("__") and not _says(one.node)
    ]
    assert silent == []


def _says(node: ast.Module | ast.ClassDef | source.Function) -> bool:
    return bool((ast.get_docstring(node) or "").strip())


def test_no_file_or_folder_has_a_name_that_could_mean_anything() -> None:
    parts = {
        (name, part.partition(".")[0].strip("_"))
        for name in source.repository()
        for part in name.split("/")
    }
    assert [name for name, part in sorted(parts) if part in FORBIDDEN_NAMES] == []


def _positions(one: Defined) -> list[str]:
    assert isinstance(one.node, source.Function)
    given = [argument.arg for argument in (*one.node.args.posonlyargs, *one.node.args.args)]
    for context in CONTEXT:
        given = given[1:] if given[:1] == [context] else given
    return given


def _with_more_positions(modules: tuple[Module, ...]) -> set[str]:
    return {
        f"{module.name}:{one.name}"
        for module in modules
        if module.floor in DECIDING
        for one in module.functions()
        if len(_positions(one)) > 4
    }


def test_a_function_takes_four_positional_arguments_at_most() -> None:
    assert _with_more_positions(source.package()) - set(MORE_POSITIONS) == set()


def test_no_exception_from_that_is_out_of_date() -> None:
    assert set(MORE_POSITIONS) - _with_more_positions(source.package()) == set()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("def f(a, b, c, d): ...", set()),
        ("def f(a, b, c, d, e): ...", {"intake/new.py:f"}),
        ("def f(a, b, c, d, *, e): ...", set()),
        ("def f(work, a, b, c, d): ...", set()),
        ("def f(work, a, b, c, d, e): ...", {"intake/new.py:f"}),
        ("class C:\n def f(self, a, b, c, d): ...", set()),
        ("class C:\n def f(self, work, a, b, c, d): ...", set()),
        ("class C:\n def f(self, a, b, c, d, e): ...", {"intake/new.py:C.f"}),
        ("def f():\n def g(a, b, c, d, e): ...", {"intake/new.py:f.g"}),
    ],
)
def test_the_count_of_positions_is_right(text: str, found: set[str]) -> None:
    assert _with_more_positions((Module("intake/new.py", text),)) == found


TWO_MEANINGS: dict[str, str] = {}
"""Class names that still have two meanings, and which. None is added; each goes one day."""


def _classes_of_one_name() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for module in source.package():
        for one in module.defined():
            if isinstance(one.node, ast.ClassDef):
                found.setdefault(one.node.name, []).append(module.name)
    return {name: files for name, files in found.items() if len(files) > 1}


def test_a_class_name_has_one_meaning() -> None:
    shared = _classes_of_one_name()
    assert {name: files for name, files in shared.items() if name not in TWO_MEANINGS} == {}


def test_no_class_name_is_excused_that_has_one_meaning() -> None:
    assert set(TWO_MEANINGS) - set(_classes_of_one_name()) == set()


def test_the_tests_are_written_as_functions_whose_names_are_sentences() -> None:
    """At least four words; a class of tests would hide the sentence in its own name."""
    short = [
        f"{module.name}:{one.name}"
        for module in source.suite()
        for one in module.defined()
        if one.name.startswith("test_") and one.name.count("_") < 3
    ]
    classes = [
        f"{module.name}:{one.name}"
        for module in source.suite()
        for one in module.defined()
        if one.name.startswith("Test")
    ]
    assert (short, classes) == ([], [])


def test_no_two_test_files_have_one_name() -> None:
    """Folders of tests are no packages: a second file of one name would not be collected."""
    times = Counter(module.name.rpartition("/")[2] for module in source.suite())
    twice = [name for name, count in times.items() if count > 1 and name.startswith("test_")]
    assert twice == []


def test_no_test_is_skipped_by_decoration() -> None:
    """A skip is decided where the machine is looked at, and nowhere else."""
    skipping = [
        f"{module.name}:{line}"
        for module in source.suite()
        for name, line in module.names()
        if name in ("pytest.mark.skip", "pytest.mark.skipif", "pytest.mark.xfail")
    ]
    assert skipping == []
