"""Explains to governance why every word went where it did: by rules and versions, never values."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from sqlmodel import col, select

from flagservice.audit.log import Deed, Work
from flagservice.domain.elements import Element
from flagservice.domain.errors import NotFound
from flagservice.policy.rows import ElementAction, PlacementAction
from flagservice.store import tables

_PLACING: Final = (PlacementAction.PLACE, PlacementAction.REQUEST)
_STRICTEST: Final = list(ElementAction)


@dataclass(frozen=True)
class ElementExplanation:
    """What was ruled on one element, and by which rules."""

    element: Element
    action: str
    rules: tuple[str, ...]


@dataclass(frozen=True)
class Explanation:
    """One ruling: its policy version, its placement row, and what of each element."""

    ruling: str
    flag: str | None
    day: date
    kind: str
    policy_version: int
    policy_digest: str
    placement: str
    action: str
    elements: tuple[ElementExplanation, ...]
    stands: str | None = None
    """of one flag: `active`, `inactive` (history), or `removed` by what was ruled since"""


@dataclass(frozen=True)
class RulingFilter:
    """Which rulings to list; None does not narrow them."""

    day: date | None = None
    kind: str | None = None
    action: str | None = None
    policy_version: int | None = None
    after: str | None = None
    limit: int = 100


def explain(work: Work, flag_id: str) -> Explanation:
    """Returns the newest ruling about a flag or request. Raises NotFound.

    The rulings of several plans behind it are one: an element is told only where each discloses it.
    """
    asked = (
        select(tables.RulingRow)
        .where(col(tables.RulingRow.copy_id) == flag_id)
        .order_by(col(tables.RulingRow.at).desc(), col(tables.RulingRow.id))
    )
    rows = work.session.exec(asked).all()
    if not rows:
        raise NotFound("no ruling is about this flag")
    newest = [row for row in rows if row.at == rows[0].at]
    work.record(Deed.GOVERNANCE_READ, what="why", ruling=rows[0].id)
    copy = work.session.get(tables.CopyRow, flag_id)
    found = _together([_explanation(row) for row in newest])
    return replace(found, stands="" if copy is None else copy.status)


def _together(found: Sequence[Explanation]) -> Explanation:
    """Returns one explanation for rulings of one flag, all by one version of one policy.

    What places it says what is told. What is held takes nothing away.
    """
    placing = [one for one in found if one.action in _PLACING] or found
    placements = sorted({one.placement for one in placing})
    elements = tuple(
        ElementExplanation(
            ruled[0].element,
            max((one.action for one in ruled), key=_STRICTEST.index),
            tuple(sorted({rule for one in ruled for rule in one.rules})),
        )
        for ruled in zip(*(one.elements for one in placing), strict=True)
    )
    return replace(placing[0], placement=" ".join(placements), elements=elements)


def rulings(work: Work, wanted: RulingFilter) -> list[Explanation]:
    """Returns the wanted rulings, in the order of their random ids."""
    asked = select(tables.RulingRow).order_by(col(tables.RulingRow.id)).limit(wanted.limit)
    for column, value in (
        (tables.RulingRow.day, wanted.day),
        (tables.RulingRow.kind, wanted.kind),
        (tables.RulingRow.action, wanted.action),
        (tables.RulingRow.policy_version, wanted.policy_version),
    ):
        if value is not None:
            asked = asked.where(col(column) == value)
    if wanted.after is not None:
        asked = asked.where(col(tables.RulingRow.id) > wanted.after)
    found = [_explanation(row) for row in work.session.exec(asked)]
    work.record(Deed.GOVERNANCE_READ, what="rulings", found=len(found))
    return found


def _explanation(row: tables.RulingRow) -> Explanation:
    elements = tuple(
        ElementExplanation(Element(name), action, tuple(rules))
        for name, action, rules in json.loads(row.elements)
    )
    return Explanation(
        row.id,
        row.copy_id,
        row.day,
        row.kind,
        row.policy_version,
        row.policy_digest,
        row.placement,
        row.action,
        elements,
    )
