"""What the documents name is there: pages, files, tests and decisions."""

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

from tests.house import source
from tests.house.source import HOME
from tests.policy.test_rules_traced import the_tests

LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
NAMED = re.compile(r"`([\w./*-]+\.(?:py|toml|md|json|txt|lock|svg|mjs)|[\w./-]+/)(?:::(\w+))?`")
INSIDE = re.compile(r"`(\w+)` (?:in|of) `([\w/]+\.(?:py|toml))`")
PLACES = ("", "flagservice/", "tests/", "policies/", "profiles/", "docs/")
"""Where a path in a document may begin; a reader tries the top of the clone first."""
THEIRS = (
    "var/",
    "v1.toml",
    "v2.toml",
    "system.toml",
    "kek.json",
    "witness.json",
    "post.py",
    "follow.py",
)
"""What a reader's own machine has, or will have."""
DECISIONS = HOME / "docs/decisions"
PARTS = ("## Context", "## Decided", "## Consequences")


def pages() -> dict[str, str]:
    """Every document for people, by its path."""
    return {name: text for name, text in source.repository().items() if name.endswith(".md")}


def prose(text: str) -> str:
    """The text without its blocks of code."""
    return re.sub(r"(?ms)^```.*?^```$|^    .*?$", "", text)


def anchors(text: str) -> set[str]:
    """The names by which a page's headings are linked to, as GitHub makes them."""
    heads = re.findall(r"(?m)^#+ (.+)$", prose(text))
    return {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}


def lost_links(name: str, text: str, there: dict[str, str]) -> Iterator[str]:
    """The links of a page that lead to no file, or to no heading."""
    for link in LINK.findall(prose(text)):
        path, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", link):
            continue
        target = (HOME / name).parent / path if path else HOME / name
        if not target.exists():
            yield f"{name}: {link} leads nowhere"
        elif anchor and anchor not in anchors(there.get(_told(target), "")):
            yield f"{name}: {link} leads to no heading"


def _told(target: Path) -> str:
    return target.resolve().relative_to(HOME).as_posix()


def lost_names(name: str, text: str) -> Iterator[str]:
    """The files and tests that a page names and that are not there."""
    beside = PurePosixPath(name).parent.as_posix() + "/"
    for path, test in NAMED.findall(prose(text)):
        if path in THEIRS:
            continue
        found = [place + path for place in (*PLACES, beside) if any(HOME.glob(place + path))]
        if not found:
            yield f"{name}: there is no {path}"
        elif test and not {f"{place}::{test}" for place in found} & the_tests():
            yield f"{name}: there is no {path}::{test}"


def lost_inside(name: str, text: str) -> Iterator[str]:
    """The names that a page says to stand in a file, and that do not."""
    for what, path in INSIDE.findall(prose(text)):
        files = [HOME / place / path for place in PLACES if (HOME / place / path).exists()]
        if not any(re.search(rf"\b{what}\b", file.read_text("utf-8")) for file in files):
            yield f"{name}: there is no {what} in {path}"


def test_every_link_of_a_document_leads_somewhere() -> None:
    there = pages()
    assert [lost for name, text in there.items() for lost in lost_links(name, text, there)] == []


def test_every_file_and_test_that_a_document_names_is_there() -> None:
    assert [lost for name, text in pages().items() for lost in lost_names(name, text)] == []


def test_what_a_document_says_to_stand_in_a_file_stands_there() -> None:
    found = [lost for name, text in pages().items() for lost in lost_inside(name, text)]
    assert found == []
    assert list(lost_inside("a", "`gone` in `flagservice/settings.py`")) == [
        "a: there is no gone in flagservice/settings.py"
    ]


def test_every_target_of_make_that_a_document_names_is_there() -> None:
    targets = set(re.findall(r"(?m)^([a-z-]+):", (HOME / "Makefile").read_text("utf-8")))
    named = {
        (name, target)
        for name, text in pages().items()
        for target in re.findall(r"(?:`|^    )make ([a-z-]+)", text, re.MULTILINE)
    }
    assert ("README.md", "demo") in named
    assert {(name, target) for name, target in named if target not in targets} == set()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[a](docs/gone.md)", "leads nowhere"),
        ("[a](docs/words.md#gone)", "leads to no heading"),
        ("[a](#gone)", "leads to no heading"),
        ("`intake/gone.py`", "there is no intake/gone.py"),
        ("`tests/gone/`", "there is no tests/gone/"),
        ("`tests/house/test_gone_*.py`", "there is no"),
        ("`tests/documents/test_documents.py::test_gone`", "::test_gone"),
    ],
)
def test_what_is_not_there_would_be_found(text: str, told: str) -> None:
    there = pages()
    found = [*lost_links("README.md", text, there), *lost_names("README.md", text)]
    assert len(found) == 1
    assert told in found[0]


@pytest.mark.parametrize(
    "text",
    [
        "[a](docs/words.md)",
        "[a](docs/measured.md#what-was-measured)",
        "[a](https://example.org/x)",
        "`policy/disclosure.py`",
        "`tests/house/`",
        "    [a](docs/gone.md) and `gone.py` in a listing",
        "`tests/documents/test_documents.py::test_what_is_there_is_not_called_lost`",
    ],
)
def test_what_is_there_is_not_called_lost(text: str) -> None:
    there = pages()
    assert [*lost_links("README.md", text, there), *lost_names("README.md", text)] == []


def records() -> dict[int, str]:
    """The decisions' files, by number."""
    return {int(path.name[:4]): path.name for path in DECISIONS.glob("[0-9]*.md")}


def test_decisions_are_numbered_without_a_gap() -> None:
    found = records()
    assert len(found) == len(list(DECISIONS.glob("[0-9]*.md")))
    assert sorted(found) == list(range(1, len(found) + 1))


@pytest.mark.parametrize(("number", "name"), sorted(records().items()))
def test_a_decision_has_its_number_a_title_a_day_and_its_parts(number: int, name: str) -> None:
    lines = (DECISIONS / name).read_text("utf-8").splitlines()
    assert re.fullmatch(rf"# {number}\. \S.*", lines[0])
    assert re.fullmatch(r"20\d\d-\d\d-\d\d · (accepted|replaced)\b.*", lines[2])
    assert [line for line in lines if line in PARTS] == list(PARTS)


def test_the_list_of_decisions_has_every_one_with_its_title_and_status() -> None:
    listed = (DECISIONS / "README.md").read_text("utf-8")
    for number, name in records().items():
        title, _, day, *_ = (DECISIONS / name).read_text("utf-8").splitlines()
        status = day.partition(" · ")[2]
        row = f"| [{number}]({name}) | {title.partition('. ')[2]} | {status} |"
        assert row in listed


def test_every_promise_names_a_test_or_says_that_it_does_not_hold_yet() -> None:
    rows = re.findall(r"(?m)^\| (P[0-9]+) \| .+ \| (.+) \|$", the_architecture())
    assert [promise for promise, _ in rows] == [f"P{number}" for number in range(1, 14)]
    assert [
        promise
        for promise, held in rows
        if not re.search(r"`tests/[\w./]+(::\w+)?`", held) and "Does not hold yet" not in held
    ] == []


def test_every_room_of_the_package_stands_in_the_architecture_with_its_question() -> None:
    rooms = {name.partition("/")[0] for name in package_folders()}
    assert {
        room for room in rooms if f"| `flagservice/{room}/` | " not in the_architecture()
    } == set()


def test_every_smaller_room_stands_there_too() -> None:
    inner = {name for name in package_folders() if name.count("/") == 1}
    assert {name for name in inner if f"`{name}/`" not in the_architecture()} == set()


def the_architecture() -> str:
    return (HOME / "docs/architecture.md").read_text("utf-8")


def package_folders() -> set[str]:
    """The folders of code, by their path below the package."""
    return {one.name.rpartition("/")[0] for one in source.package()} - {""}
