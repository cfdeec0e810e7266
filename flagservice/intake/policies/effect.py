"""Tells what a policy would have changed, on the records of now and in recent rulings.

Both versions rule on every case, and their answers are compared. Nothing changes.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlmodel import col, select

from flagservice.audit.log import Deed, Work
from flagservice.domain.elements import Kind
from flagservice.domain.people import Knows, Phase, Role, Standing, State
from flagservice.intake.policies.in_force import with_policy
from flagservice.intake.rulebook import Rulebook
from flagservice.intake.ruling.assessment import Assessment, assess, concerned_by
from flagservice.intake.ruling.concerns import former
from flagservice.intake.ruling.person_files import person_files
from flagservice.policy.case import Case
from flagservice.policy.compare import Direction, between
from flagservice.policy.ruling import Ruling, rule_on
from flagservice.policy.table import Policy
from flagservice.store import tables

OF_LATE: Final = timedelta(days=90)


@dataclass(frozen=True)
class PolicyEffect:
    """How many records and rulings there are, and how many would change, by how."""

    stored: int
    stored_changes: Counter[str]
    ruled: int
    ruled_changes: Counter[str]


def policy_effect(work: Work, old: Policy, new: Policy, *, rulebook: Rulebook) -> PolicyEffect:
    """Counts changes in the records of now and the rulings of the last 90 days; names no person."""
    stored = list(_stored(work, old, new, rulebook=rulebook))
    ruled = list(_of_late(work, old, new))
    work.record(Deed.POLICY_READ, old=old.digest, new=new.digest)
    return PolicyEffect(
        len(stored), Counter(filter(None, stored)), len(ruled), Counter(filter(None, ruled))
    )


def _stored(work: Work, old: Policy, new: Policy, *, rulebook: Rulebook) -> Iterator[str]:
    """Yields what becomes of each record that a plan of this kind names."""
    asked = (
        select(tables.PersonRow).where(concerned_by(old.kind)).order_by(col(tables.PersonRow.id))
    )
    for person in work.session.exec(asked).all():
        before = _assessed(work, person, with_policy(rulebook, old))
        after = _assessed(work, person, with_policy(rulebook, new))
        for was, is_ in zip(before, after, strict=True):
            if was.particulars.kind is old.kind:
                yield becomes(_told(was), _told(is_))


def _assessed(work: Work, person: tables.PersonRow, rulebook: Rulebook) -> list[Assessment]:
    """Returns a person's assessments, and what plans left behind: a copy of it may stand."""
    (file,) = person_files(work, [person])
    found = assess(work, file, rulebook=rulebook)
    return [*found, *former(file, found, rulebook=rulebook)]


def _told(assessment: Assessment) -> Ruling | None:
    return None if assessment.withdrawn else assessment.ruling


def _of_late(work: Work, old: Policy, new: Policy) -> Iterator[str]:
    """Yields what becomes of each ruling of the last 90 days, by its own case."""
    asked = (
        select(tables.RulingRow, tables.PersonRow)
        .join(tables.PersonRow, col(tables.PersonRow.id) == col(tables.RulingRow.person_id))
        .where(col(tables.RulingRow.kind) == old.kind)
        .where(col(tables.RulingRow.day) >= work.today - OF_LATE)
        .order_by(col(tables.RulingRow.id))
    )
    for row, person in work.session.exec(asked):
        case = _case(work, row, person)
        yield becomes(rule_on(old, case), rule_on(new, case))


def _case(work: Work, row: tables.RulingRow, person: tables.PersonRow) -> Case:
    opened = work.vault.open_row_under(person.data_key, row)
    kind, role, standing, knows, state, phase = json.loads(opened)
    return Case(
        Kind(kind), Role(role), Standing(standing), Knows(knows), State(state), Phase(phase)
    )


def becomes(old: Ruling | None, new: Ruling | None) -> str:
    """Returns in words what would become of a record's copy; nothing if it stays as it is."""
    if old is None or new is None:
        return ""
    if old.remains is not new.remains:
        return "placed or asked anew" if new.remains else "taken back"
    if not new.remains:
        return "" if old.placement.action is new.placement.action else "held or withheld instead"
    directions = {difference.direction for difference in between(old.placement, new.placement)}
    if Direction.WIDER in directions or set(new.disclosed) - set(old.disclosed):
        return "told more"
    if Direction.NARROWER in directions or set(old.disclosed) - set(new.disclosed):
        return "told less"
    return "told the same, otherwise" if directions else ""
