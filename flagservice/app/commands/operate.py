"""Runs many commands in one process, so that what they import is imported once."""

import shlex
import sys
from typing import Final

import typer

from flagservice.app.build import kept_open
from flagservice.app.commands.line import COMMANDS, group, run
from flagservice.domain.errors import Fault, Invalid

commands: Final = group()


@commands.command()
def operate() -> None:
    """Runs the commands on standard input, one a line, quoted as in a shell, until one fails.

    Each is a unit of work of its own: what was done before a failure stays done. Empty lines and
    what follows a `#` are ignored. The exit status is that of the command that failed.
    """
    with kept_open():
        for number, line in enumerate(sys.stdin, start=1):
            status = _run(line, number=number)
            if status:
                raise typer.Exit(status)


def _run(line: str, *, number: int) -> int:
    """Runs one line, and returns its exit status; names the line where it fails."""
    words = _words(line, number=number)
    status = 1
    try:
        status = run(words) if words else 0
    finally:
        if status:
            typer.echo(f"flagservice: line {number} failed; what follows was not run", err=True)
    return status


def _words(line: str, *, number: int) -> list[str]:
    """Returns a line's words; raises Invalid for a broken line, or a command that runs alone."""
    try:
        words = shlex.split(line, comments=True)
    except ValueError:
        raise Invalid(Fault(f"line {number}", "closes every quotation that it opens")) from None
    entry = COMMANDS.get(words[0]) if words else None
    if entry is not None and entry.alone:
        raise Invalid(Fault(f"line {number}", f"`{words[0]}` takes a process of its own"))
    return words
