"""What an officer who signs a policy is asked to own: judgements (J) and what is unconfirmed (C).

The grades are the rule catalogue's: A and B were read in a source, C awaits confirmation, and J is
a judgement. A row is marked J if a rule that it cites is judgement alone; one that a source backs
in part (`B/J`) is not. It is marked C if any rule that it cites awaits confirmation.
"""

from collections.abc import Iterator
from dataclasses import replace

from flagservice.domain.codes import CODES, Certainty, Code
from flagservice.domain.people import Phase
from flagservice.policy.case import Case
from flagservice.policy.rows import PlacementAction, PolicyRow
from flagservice.policy.ruling import Ruling, rule_on
from flagservice.policy.table import Policy


def own_lines(policy: Policy, case: Case) -> tuple[str, ...]:
    """Returns a line for a case's answer, or none if all of it was read in a source."""
    ruling = rule_on(policy, replace(case, phase=Phase.OPEN))
    row = ruling.placement
    parts = [f"{row.action} {marks}" for marks in [_marks(row)] if marks]
    if row.code is not None:
        parts += [f"code {c.coding.code} C" for c in _pair(row.code) if _unconfirmed(c)]
    for phase in Phase:
        told = rule_on(policy, replace(case, phase=phase))
        parts += _told(phase, list(_elements(policy, told)))
    return (f"    to own   {'; '.join(parts)}",) if parts else ()


def code_lines(policy: Policy) -> Iterator[str]:
    """Returns every code that the policy may put on a record: source, certainty, and end."""
    chosen = dict.fromkeys(row.code for row in policy.placements if row.code is not None)
    for code in (CODES[id_] for id_ in chosen):
        placed = [row for row in policy.placements if row.code == code.coding.code]
        yield f"{code.coding.code}  {code.coding.display}"
        yield f"    seen     {code.source} ({code.certainty})"
        if all(row.action is PlacementAction.REQUEST for row in placed):
            yield "    ends     with the request, by its status"
        elif code.ended_by is None:
            yield "    ends     by the flag's status: no end code is known"
        else:
            end = CODES[code.ended_by]
            yield f"    ends     by {end.coding.code} {end.coding.display}"
            yield f"             seen in {end.source} ({end.certainty})"


def _told(phase: Phase, marked: list[tuple[str, str]]) -> list[str]:
    """Returns `open placed J, review-by J`, or `open all J` if every element has the same mark."""
    if len({marks for _, marks in marked}) == 1 and marked[0][1]:
        return [f"{phase} all {marked[0][1]}"]
    owned = [f"{element} {marks}" for element, marks in marked if marks]
    return [f"{phase} {', '.join(owned)}"] if owned else []


def _pair(code: str) -> list[Code]:
    start = CODES[code]
    return [start] if start.ended_by is None else [start, CODES[start.ended_by]]


def _unconfirmed(code: Code) -> bool:
    return code.certainty is Certainty.UNCONFIRMED


def _marks(*rows: PolicyRow) -> str:
    grades = [cited.rpartition(" ")[2] for row in rows for cited in row.source]
    judged = "J" if "J" in grades else ""
    return judged + ("C" if any("C" in grade for grade in grades) else "")


def _elements(policy: Policy, ruling: Ruling) -> Iterator[tuple[str, str]]:
    by_id = {rule.id: rule for rule in policy.disclosures}
    for element in ruling.elements:
        if element.element in ruling.disclosed:
            yield str(element.element), _marks(*(by_id[id_] for id_ in element.rules))
