"""Keeps a look-up open for each record whose person or practice is not known.

A person or a register identifies them. Nothing is guessed.
"""

from collections.abc import Iterable

from sqlmodel import col, select

from flagservice.audit.log import Deed, Work
from flagservice.domain.copies import NotReached
from flagservice.domain.people import Role
from flagservice.store import tables


def keep_unidentified(work: Work, plan_id: str, roles: Iterable[Role]) -> None:
    """Keeps a look-up for each unidentified person of the plan, and closes the others.

    One that stays open keeps its age.
    """
    missing = list(roles)
    for lookup in _unidentified(work, plan_id):
        if lookup.role in missing:
            missing.remove(lookup.role)
        else:
            _close(work, lookup)
    for role in missing:
        _open(work, plan_id, role, NotReached.NOT_IDENTIFIED)


def keep_unplaced(
    work: Work,
    naming: tables.NamingRow,
    role: Role,
    *,
    why: NotReached | None,
    open_: Iterable[tables.LookupRow],
) -> None:
    """Keeps a look-up for an identified person's practice while there is a reason.

    `open_` are the person's open look-ups.
    """
    there = [lookup for lookup in open_ if lookup.plan_id == naming.plan_id]
    if why is None:
        for lookup in there:
            _close(work, lookup)
    elif not there:
        _open(work, naming.plan_id, role, why, person_id=naming.person_id)


def _unidentified(work: Work, plan_id: str) -> list[tables.LookupRow]:
    asked = (
        select(tables.LookupRow)
        .where(col(tables.LookupRow.plan_id) == plan_id)
        .where(col(tables.LookupRow.person_id).is_(None))
        .where(col(tables.LookupRow.closed).is_(None))
    )
    return list(work.session.exec(asked).all())


def _open(
    work: Work, plan_id: str, role: Role, why: NotReached, *, person_id: str | None = None
) -> None:
    lookup = tables.LookupRow(
        id=work.new_id(),
        plan_id=plan_id,
        person_id=person_id,
        role=role,
        reason=why,
        opened=work.today,
    )
    work.session.add(lookup)
    work.record(Deed.NOT_REACHED, lookup=lookup.id, reason=why)


def _close(work: Work, lookup: tables.LookupRow) -> None:
    lookup.closed = work.today
    work.session.add(lookup)
