"""Plays a client's operations one by one, and says how many there were and how many failed."""

import sys
import traceback
from collections.abc import Callable, Iterable
from typing import TypeVar

import pytest

T = TypeVar("T")


def play(name: str, operations: Iterable[Callable[[T], None]], client: T) -> tuple[str, list[str]]:
    """The line that is printed, and what went wrong, by operation."""
    tried, failures = 0, []
    for operation in operations:
        tried += 1
        try:
            operation(client)
        except Exception:  # noqa: BLE001, whatever a client raises is a failure, and is shown
            failures.append(f"{operation.__name__}\n{traceback.format_exc(limit=-3)}")
    return f"{name}: operations {tried}, failures {len(failures)}", failures


def then_nothing_failed(
    said: tuple[str, list[str]], capsys: pytest.CaptureFixture[str], *, fewest: int
) -> None:
    """The line is shown to whoever runs the tests; a client that did nothing proves nothing."""
    line, failures = said
    with capsys.disabled():
        sys.stdout.write(f"\n{line}\n")
    assert not failures, "\n".join(failures)
    assert int(line.split("operations ")[1].split(",")[0]) >= fewest
