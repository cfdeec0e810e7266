"""Decides: one case in, one ruling out, with the rules that decided. It is pure, so it repeats."""

from dataclasses import dataclass
from functools import lru_cache

from flagservice.domain.elements import Element
from flagservice.policy.case import Case
from flagservice.policy.readers import Reader
from flagservice.policy.rows import ElementAction, ElementRule, Placement
from flagservice.policy.table import Policy


@dataclass(frozen=True)
class ElementRuling:
    """What happens to one element, and the ids of every rule that says so."""

    element: Element
    action: ElementAction
    rules: tuple[str, ...]


@dataclass(frozen=True)
class Ruling:
    """Everything that the policy says of one case. It holds no person's value."""

    policy: Policy
    case: Case
    placement: Placement
    elements: tuple[ElementRuling, ...]

    @property
    def remains(self) -> bool:
        """Whether the record is told of an open flag or request, or an ended flag's history."""
        return self.placement.tells(self.case.phase)

    @property
    def disclosed(self) -> tuple[Element, ...]:
        """The elements that the record may be told, in the vocabulary's order."""
        return tuple(r.element for r in self.elements if r.action is ElementAction.DISCLOSE)


def rule_on(policy: Policy, case: Case, *, reader: Reader = Reader.PRACTICE) -> Ruling:
    """Returns the policy's answer to one case, element by element, for a reader of the record."""
    placement = policy.placement_of[case]
    if not placement.tells(case.phase):
        return Ruling(policy, case, placement, _nothing(placement.id))
    applicable = [
        rule for rule in policy.disclosures if reader in rule.readers and rule.matches(case)
    ]
    elements = tuple(_decide(element, applicable) for element in Element)
    return Ruling(policy, case, placement, elements)


@lru_cache(maxsize=1024)
def _nothing(row: str) -> tuple[ElementRuling, ...]:
    """Returns the elements of a case in which nothing is placed: the placement's row says why."""
    return tuple(ElementRuling(element, ElementAction.REDACT, (row,)) for element in Element)


def _decide(element: Element, applicable: list[ElementRule]) -> ElementRuling:
    """Returns one element's ruling: the strictest rule wins, and without a rule it is redacted."""
    about = [rule for rule in applicable if element in rule.elements]
    redacting = [rule.id for rule in about if rule.action is ElementAction.REDACT]
    disclosing = [rule.id for rule in about if rule.action is ElementAction.DISCLOSE]
    if redacting or not disclosing:
        return ElementRuling(element, ElementAction.REDACT, tuple(redacting))
    return ElementRuling(element, ElementAction.DISCLOSE, tuple(disclosing))
