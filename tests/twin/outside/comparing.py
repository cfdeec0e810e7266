"""Are two answers the same, to the byte? And where do they first differ?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import zip_longest

from tests.twin.outside.asking import Answer, Request


@dataclass
class Tally:
    """What was compared so far."""

    traces: int = 0
    steps: int = 0
    requests: int = 0
    statements: int = 0
    successes: int = 0
    differing: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


@dataclass(frozen=True)
class Difference:
    """One request that two worlds answer differently: how many bytes, and where first."""

    request: Request
    worlds: str
    bytes: int
    first: str


def difference(
    request: Request, one: tuple[str, Answer], other: tuple[str, Answer]
) -> Difference | None:
    """None if nobody could tell the two worlds apart by this."""
    (name, first), (other_name, second) = one, other
    worlds = f"{name} and {other_name}"
    if first.wire != second.wire:
        return Difference(
            request, worlds, _count(first.wire, second.wire), _shown(first.wire, second.wire)
        )
    if first.statements != second.statements:
        return Difference(request, worlds, 0, _statement(first.statements, second.statements))
    return None


def _count(one: bytes, other: bytes) -> int:
    return sum(a != b for a, b in zip_longest(one, other))


def _shown(one: bytes, other: bytes) -> str:
    at = next(n for n, (a, b) in enumerate(zip_longest(one, other)) if a != b)
    around = slice(max(at - 60, 0), at + 60)
    return f"byte {at}: {one[around]!r} against {other[around]!r}"


def _statement(one: Sequence[str], other: Sequence[str]) -> str:
    pairs: Iterator[tuple[int, tuple[str | None, str | None]]] = enumerate(zip_longest(one, other))
    at, (mine, theirs) = next((n, pair) for n, pair in pairs if pair[0] != pair[1])
    return f"statement {at} of {len(one)} and {len(other)}: {mine!r} against {theirs!r}"
