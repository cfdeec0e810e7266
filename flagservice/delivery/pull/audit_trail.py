"""Tells a practice what its own clients did with one of its copies, by the audit's leaves."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
from sqlalchemy import bindparam
from sqlmodel import col, select

from flagservice.audit.log import Deed, Work
from flagservice.delivery.pull.read import find_own_copy
from flagservice.domain.copies import Form, Label
from flagservice.fhir.audit_events import DEEDS
from flagservice.store import tables

WALK = 500
"""Leaves looked at for one page: the audit is of all practices, without an index."""
PAGE = 50
Entry = tuple[dict[str, Any], tuple[str, ...]]
"""A leaf about one copy, and the versions that it names."""
# Columns, not objects: a walk of objects costs everybody else their turn.
_LEAF: Final = col(tables.LeafRow.row)
_LEAVES: Final = select(_LEAF, col(tables.LeafRow.body)).order_by(_LEAF.desc())
_LEAVES_BEFORE: Final = _LEAVES.where(bindparam("before") > _LEAF)


@dataclass(frozen=True)
class AuditTrail:
    """Leaves about one copy, newest first. `onward` is the row that the next page comes before."""

    labels: tuple[Label, ...]
    found: list[Entry]
    onward: int | None


def audit_trail(work: Work, copy_id: str, *, form: Form, before: int | None) -> AuditTrail:
    """Returns what the caller's clients did with its copy; nothing for another's."""
    copy = find_own_copy(work, copy_id, form=form)
    if copy is None:
        work.record(Deed.AUDIT_READ, found=0)
        return AuditTrail((), [], None)
    versions = select(col(tables.VersionRow.id)).where(col(tables.VersionRow.copy_id) == copy.id)
    names = (copy.id, *work.session.exec(versions))
    found, onward = _walked(work, names, before=before)
    work.record(Deed.AUDIT_READ, copy=copy.id, found=len(found))
    return AuditTrail(copy.labels, found, onward)


def _walked(
    work: Work, names: Sequence[str], *, before: int | None
) -> tuple[list[Entry], int | None]:
    """Returns what this walk finds, and the row where it ended if there may be more."""
    asked = _LEAVES if before is None else _LEAVES_BEFORE
    leaves = work.session.connection().execute(asked.limit(WALK), {"before": before}).all()
    found: list[Entry] = []
    for row, body in leaves:
        if entry := _about(body, names, ods=work.actor.ods):
            found.append(entry)
            if len(found) == PAGE:
                return found, row
    return found, leaves[-1].row if len(leaves) == WALK else None


def _about(body: bytes, names: Sequence[str], *, ods: str) -> Entry | None:
    """Returns a leaf with the versions that it names, if it is `ods`'s and about the copy."""
    # Looked for as bytes first: nearly all leaves are others', and parsing is what costs.
    if ods.encode() not in body or not any(name.encode() in body for name in names):
        return None
    said = orjson.loads(body)
    if said["ods"] != ods or said["deed"] not in DEEDS:
        return None
    about = " ".join(str(value) for value in said["about"].values()).split()
    return said, tuple(name for name in names[1:] if name in about)
