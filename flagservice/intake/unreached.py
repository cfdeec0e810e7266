"""Records that are not reached, because the person or the practice is not known: never a guess."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlmodel import col, select

from flagservice.audit.log import Deed, Work
from flagservice.domain.copies import NotReached
from flagservice.domain.people import Role
from flagservice.store import tables


@dataclass(frozen=True)
class Gap:
    """One record of one plan that nothing can reach yet. Without a person, nobody is identified."""

    plan_id: str
    role: Role
    reason: NotReached
    person_id: str | None = None


def keep_unidentified(work: Work, plan_id: str, roles: Iterable[Role]) -> None:
    """The plan's people who are not identified: a gap keeps its age while it stays open."""
    missing = list(roles)
    for gap in _unidentified(work, plan_id):
        if gap.role in missing:
            missing.remove(gap.role)
        else:
            _close(work, gap)
    for role in missing:
        _note(work, Gap(plan_id, role, NotReached.NOT_IDENTIFIED))


def keep_unplaced(
    work: Work, gap: Gap, *, there: Iterable[tables.LookupRow], reached: bool
) -> None:
    """One identified person's practice: known or not; `there` is what is open of this person."""
    there = [row for row in there if row.plan_id == gap.plan_id]
    if reached:
        for row in there:
            _close(work, row)
    elif not there:
        _note(work, gap)


def _unidentified(work: Work, plan_id: str) -> list[tables.LookupRow]:
    asked = (
        select(tables.LookupRow)
        .where(col(tables.LookupRow.plan_id) == plan_id)
        .where(col(tables.LookupRow.person_id).is_(None))
        .where(col(tables.LookupRow.closed).is_(None))
    )
    return list(work.session.exec(asked).all())


def _note(work: Work, gap: Gap) -> None:
    row = tables.LookupRow(
        id=work.new_id(),
        plan_id=gap.plan_id,
        person_id=gap.person_id,
        role=gap.role,
        reason=gap.reason,
        opened=work.today,
    )
    work.session.add(row)
    work.record(Deed.NOT_REACHED, lookup=row.id, reason=gap.reason)


def _close(work: Work, gap: tables.LookupRow) -> None:
    gap.closed = work.today
    work.session.add(gap)
