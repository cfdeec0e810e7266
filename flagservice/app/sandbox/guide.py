"""Prints what the sandbox holds, for the documents."""

from collections.abc import Iterable, Iterator

from flagservice.app.sandbox.faults import HEADER, MEANS
from flagservice.app.sandbox.scenarios import scenarios
from flagservice.app.sandbox.tenants import FACES


def table() -> str:
    """Returns people by NHS number, and what the tenant's own practice reads of each."""
    return _table(("NHS number", "born", "registered at", "who", "a search reads"), _people())


def faults() -> str:
    """Returns every fault that a caller may ask for."""
    return _table((f"`{HEADER}`", "what happens"), ((f"`{w}`", MEANS[w]) for w in MEANS))


def clients() -> str:
    """Returns a tenant's clients."""
    rows = ((f"`{face}`", ods, kind) for face, (ods, kind) in FACES.items())
    return _table(("client", "organisation", "kind"), rows)


def _people() -> Iterator[tuple[str, ...]]:
    for one in scenarios().people.values():
        sees = "<br>".join(one.sees) or "nothing"
        where = one.practice or "nobody knows"
        yield one.nhs_number, one.born.isoformat(), where, one.says, sees


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
