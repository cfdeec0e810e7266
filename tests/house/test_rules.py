"""The rules of the house that a machine can follow, for the size and the shape of the code."""

import ast
from collections import Counter
from collections.abc import Iterator

import pytest

from flagservice.domain.acknowledgements import AcknowledgementOutcome, QueryReason
from flagservice.domain.copies import (
    CopyStatus,
    DeliveryState,
    Form,
    Label,
    NotReached,
    ReceiptWord,
)
from flagservice.domain.elements import Kind
from flagservice.domain.holds import Escalation, HoldOutcome, Owner
from flagservice.domain.people import Knows, Phase, Role, Standing, State
from flagservice.domain.statements import Identity, Involvement
from flagservice.policy.rows import AfterEnd, DeskChoice, ElementAction, PlacementAction
from flagservice.store.tables import AcceptedVerdict, AlarmCause
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


def _says_what_it_does(one: Defined) -> bool:
    """Its first word is a verb: `Returns`, `Yields`, `Raises`, `Keeps`; or it is `As … says`."""
    assert isinstance(one.node, source.Function)
    words = (ast.get_docstring(one.node) or "As").split()
    properties = ("property", "cached_property")
    noun = any(ast.unparse(name) in properties for name in one.node.decorator_list)
    return noun or (words[0][0].isupper() and words[0].rstrip(".:,").endswith("s"))


def test_a_functions_docstring_begins_with_what_it_does() -> None:
    silent = [
        f"{module.name}:{one.name}"
        for module in source.package()
        for one in module.functions()
        if not _says_what_it_does(one)
    ]
    assert silent == []


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


CLOSED_SETS = (
    *(Form, CopyStatus, DeliveryState, ReceiptWord, NotReached, Label),
    *(Owner, Escalation, HoldOutcome, AcknowledgementOutcome, QueryReason),
    *(PlacementAction, ElementAction, DeskChoice, AfterEnd, AcceptedVerdict, AlarmCause),
    *(Role, Standing, Knows, State, Phase, Kind, Identity, Involvement),
)


def _compared_words(tree: ast.Module) -> Iterator[str]:
    """Every text with which something is compared or matched."""
    for node in ast.walk(tree):
        match node:
            case ast.Compare(left=left, comparators=others):
                sides = [left, *others]
            case ast.MatchValue(value=value):
                sides = [value]
            case _:
                continue
        for side in sides:
            held = side.elts if isinstance(side, ast.Tuple | ast.List | ast.Set) else [side]
            for one in held:
                if isinstance(one, ast.Constant) and isinstance(one.value, str):
                    yield one.value


def _words_by_hand(modules: tuple[Module, ...]) -> set[str]:
    """The kit is a client: it knows the words of the wire alone."""
    words = {one.value for closed in CLOSED_SETS for one in closed}
    return {
        f"{module.name}: {word}"
        for module in modules
        if module.floor != "kit"
        for word in _compared_words(module.tree)
        if word in words
    }


def test_a_word_of_a_closed_set_is_compared_as_its_member() -> None:
    """A slip in a literal is another word, which nothing equals; a member cannot be misspelled."""
    assert _words_by_hand(source.package()) == set()


@pytest.mark.parametrize(
    "text",
    [
        "copy.status == 'removed'",
        "copy.status not in ('active', 'removed')",
        "match outcome:\n case 'withhold': ...",
    ],
)
def test_a_word_that_is_compared_as_a_literal_is_found(text: str) -> None:
    assert _words_by_hand((Module("intake/new.py", text),)) != set()


def _classes_of_one_name() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for module in source.package():
        for one in module.defined():
            if isinstance(one.node, ast.ClassDef):
                found.setdefault(one.node.name, []).append(module.name)
    return {name: files for name, files in found.items() if len(files) > 1}


def test_a_class_name_has_one_meaning() -> None:
    assert _classes_of_one_name() == {}


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
