"""What a rule may look at, and every value that there is of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from flagservice.domain.elements import Kind
from flagservice.domain.people import RECORDS, Knows, Phase, Role, Standing, State


@dataclass(frozen=True)
class Case:
    """One person's whole current state, relative to one plan, from all agencies."""

    kind: Kind
    role: Role
    standing: Standing
    knows: Knows
    state: State
    phase: Phase


def every_case(kind: Kind) -> Iterator[Case]:
    """Yields every case of one kind: 6 records, 4 standings, 4 knows, 5 states, 2 phases."""
    for role, standing, knows, state, phase in product(RECORDS, Standing, Knows, State, Phase):
        yield Case(kind, role, standing, knows, state, phase)
