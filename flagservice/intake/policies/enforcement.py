"""Brings an approved policy into force, or the former one back, and rules on people again.

1. The change is one commit. The next unit of work rules by the new text.
2. All people whom the kind concerns are ruled on again, some in each commit, in the order of their
   random ids. The outbox issues what changes.
3. Progress is kept, so it goes on after a crash.
"""

from typing import Final

from sqlmodel import col, select

from flagservice.audit.log import Actor, Deed, Log, Work
from flagservice.domain.elements import Kind
from flagservice.domain.errors import Conflict, Fault, Forbidden, Invalid, NotFound
from flagservice.intake.policies.approval import (
    NEEDED,
    Approval,
    approved_by,
    check_signed,
    signed_text,
)
from flagservice.intake.policies.in_force import (
    PoliciesInForce,
    bring_into_force,
    changes_of_kind,
    newest_that_ruled,
    policy_by,
    proposed_text,
)
from flagservice.intake.ruling.assessment import concerned_by
from flagservice.intake.ruling.rerule import rerule
from flagservice.people import persons
from flagservice.store import advisory_locks, tables

A_BATCH: Final = 25
_SWEEPING: Final = Actor("policies")


def enforce(work: Work, kind: Kind, version: int) -> None:
    """Puts an approved version in force. Raises NotFound, Forbidden or Conflict."""
    advisory_locks.change_policies(work.session)
    text = proposed_text(work, kind, version)
    newest = newest_that_ruled(work, kind)
    if version <= newest:
        raise Conflict(f"{kind} v{newest} has ruled: an older approval is void, so propose anew")
    names = approved_by(work, text)
    if len(names) < NEEDED:
        raise Forbidden(
            f"{kind} v{version} has {len(names)} of the {NEEDED} approvals that it needs"
        )
    why = {"how": "approved", "by": ", ".join(names)}
    bring_into_force(work, policy_by(work, text.digest), why=why, sweep=True)


def go_back(work: Work, kind: Kind, *, approval: Approval, reason: str) -> int:
    """Puts back what was in force before, and returns its version.

    Raises Invalid, NotFound, Conflict or Forbidden.
    """
    advisory_locks.change_policies(work.session)
    if not reason.strip():
        raise Invalid(Fault("reason", "going back is a decision: say why"))
    before = _before(work, kind)
    approver = check_signed(
        work,
        approval,
        signed=signed_text("back", kind, version=before.version, digest=before.digest),
    )
    why = {"how": "back", "by": approval.name, "reason": reason.strip(), "approver": approver.id}
    bring_into_force(work, policy_by(work, before.digest), why=why, sweep=True)
    return before.version


def would_go_back_to(work: Work, kind: Kind) -> tables.PolicyTextRow:
    """Returns what `go_back` would put in force, to be signed. Raises Conflict."""
    work.record(Deed.POLICY_READ, kind=kind)
    return _before(work, kind)


def _before(work: Work, kind: Kind) -> tables.PolicyTextRow:
    changes = changes_of_kind(work, kind)
    texts = [work.session.get_one(tables.PolicyTextRow, change.digest) for change in changes]
    older = [text for text in texts if text.version < texts[0].version]
    if not older:
        raise Conflict(f"{kind} has ruled by no earlier version: there is nothing to go back to")
    return older[0]


def is_unswept(work: Work) -> bool:
    """Returns whether a policy in force has yet to rule on somebody again."""
    return _unswept(work) is not None


def sweep_next(log: Log, in_force: PoliciesInForce) -> int:
    """Rules again on the next people, and returns how many; 0 if none is left."""
    if not log.is_waiting(_SWEEPING, is_unswept):
        return 0
    try:
        return log.perform(_SWEEPING, lambda work: sweep(work, in_force))
    except NotFound:  # another process has ruled on the last of them since
        return 0


def sweep_all(log: Log, in_force: PoliciesInForce) -> int:
    """Rules again on all who are left, and returns how many."""
    swept = 0
    while log.is_waiting(_SWEEPING, is_unswept):
        swept += sweep_next(log, in_force)
    return swept


def sweep(work: Work, in_force: PoliciesInForce) -> int:
    """Rules again on the next people. Returns how many. Raises NotFound where none is left."""
    rulebook = in_force.rulebook(work)
    change = _unswept(work)
    if change is None:
        raise NotFound("every policy in force has ruled on everybody")
    work.session.refresh(change, with_for_update=True)
    ids = _next(work, change)
    people = persons.lock_known(work, ids)
    rerule(work, people, rulebook=rulebook)
    change.swept = ids[-1] if ids else None
    work.session.add(change)
    work.record(Deed.POLICY_RULED_AGAIN, policy=change.digest, people=len(people))
    return len(people)


def _unswept(work: Work) -> tables.PolicyChangeRow | None:
    asked = (
        select(tables.PolicyChangeRow)
        .where(col(tables.PolicyChangeRow.current), col(tables.PolicyChangeRow.swept).is_not(None))
        .order_by(col(tables.PolicyChangeRow.kind))
    )
    return work.session.exec(asked).first()


def _next(work: Work, change: tables.PolicyChangeRow) -> list[str]:
    asked = (
        select(col(tables.PersonRow.id))
        .where(col(tables.PersonRow.id) > str(change.swept))
        .where(concerned_by(change.kind))
        .order_by(col(tables.PersonRow.id))
        .limit(A_BATCH)
    )
    return list(work.session.exec(asked).all())
