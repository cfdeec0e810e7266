"""Proves a policy before it may rule: every case, element and reader, against every invariant.

A file that breaks an invariant does not load. The refusal names the rule, the case and the reason.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from flagservice.policy.proof.invariants import INVARIANTS, Invariant
from flagservice.policy.proof.sheet import every_answer
from flagservice.policy.table import Policy, UnusablePolicy, read

ON_READING = (
    "exactly one placement for each case",
    "no row unreachable",
    "every hold has an owner and a due time",
    "everything placed has its code, labels, desk, review and end",
)
"""What `table.read` has refused already where it does not hold."""
_SHOWN = 1000


@dataclass(frozen=True)
class Proof:
    """What was checked, and each invariant that the policy breaks, in words."""

    policy: Policy
    cells: int
    broken: tuple[str, ...]


def prove(policy: Policy) -> Proof:
    """Checks the whole space."""
    sheets = every_answer(policy)
    broken = []
    for invariant in INVARIANTS:
        breaches = list(islice(invariant.breaches(sheets), _SHOWN))
        if breaches:
            broken.append(_in_words(invariant, breaches))
    return Proof(policy, sum(sheet.cells for sheet in sheets.sheets), tuple(broken))


@lru_cache(maxsize=64)
def load(text: str) -> Policy:
    """Returns the policy that the text is, proved. Raises UnusablePolicy."""
    policy = read(text)
    broken = prove(policy).broken
    if broken:
        raise UnusablePolicy("\n".join(broken))
    return policy


def _in_words(invariant: Invariant, breaches: list[str]) -> str:
    most = "at least " if len(breaches) == _SHOWN else ""
    more = f" ({most}{len(breaches)} answers break it: this is the first)"
    return f"{invariant.name}: {breaches[0]}. {invariant.says}{more}"
