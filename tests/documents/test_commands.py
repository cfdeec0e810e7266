"""Every command that a document shows is there, with the options that it shows."""

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest

from flagservice.app.commands.line import CommandLine
from tests.documents.test_documents import pages

SHOWN = re.compile(r"(?m)^    (?:\S+/)?python -m flagservice (.+)$|`flagservice ([a-z][^`]*)`")


def shown() -> Iterator[tuple[str, str]]:
    """Each command as a document has it, with the document's name."""
    for name, text in pages().items():
        for in_block, in_line in SHOWN.findall(text):
            yield name, in_block or in_line


def wrong(line: str) -> Iterator[str]:
    """What the command line does not know of this command."""
    words = shlex.split(line.partition(" < ")[0], comments=True)
    command: Any = CommandLine()
    while words and hasattr(command, "commands"):
        if words[0].startswith("-"):
            break
        command = command.commands.get(words.pop(0))
        if command is None:
            yield "there is no such command"
            return
    if command.context_settings.get("ignore_unknown_options"):
        return
    known = {option for one in command.params for option in (*one.opts, *one.secondary_opts)}
    given = {word.partition("=")[0] for word in words if word.startswith("-")}
    yield from sorted(f"there is no {option}" for option in given - known - {"--help"})


def test_every_command_that_a_document_shows_is_there() -> None:
    found = list(shown())
    assert len(found) > 30
    assert [(name, line, one) for name, line in found for one in wrong(line)] == []


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("gone", ["there is no such command"]),
        ("policy gone v2.toml", ["there is no such command"]),
        ("policy table child-protection --gone", ["there is no --gone"]),
        ("serve --port 8080 # and more", []),
        ("--help", []),
    ],
)
def test_a_command_that_is_not_there_would_be_found(line: str, told: list[str]) -> None:
    assert list(wrong(line)) == told
