"""Where a practice's own flags come from, and what the practice itself did with them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
from sqlalchemy import bindparam
from sqlmodel import col, select

from flagservice.audit.log import Deed, Work
from flagservice.delivery.pull.read import (
    NOTHING,
    check_admitted,
    mark_served,
    own_copy,
    stored_bytes,
    taken_back_unseen,
)
from flagservice.domain.copies import CopyStatus, Form
from flagservice.domain.errors import NotFound
from flagservice.fhir.audit_events import DEEDS
from flagservice.store import tables

WALK = 500
"""So many leaves are looked at for one page: the audit is everybody's, and has no index by flag."""
PAGE = 50
"""So many events are on one page at most."""
Trace = tuple[dict[str, Any], tuple[str, ...]]
"""A leaf about one copy, and which of its versions it names."""
# Columns, not objects: a walk of objects costs everybody else their turn.
_LEAF: Final = col(tables.LeafRow.row)
_LEAVES: Final = select(_LEAF, col(tables.LeafRow.body)).order_by(_LEAF.desc())
_LEAVES_BEFORE: Final = _LEAVES.where(bindparam("before") > _LEAF)


@dataclass(frozen=True)
class Origin:
    """A version's stored bytes, and whether it is the removal of its copy."""

    content: bytes
    removal: bool


def origin(work: Work, version_id: str, *, forms: Sequence[Form]) -> Origin:
    """Of one version that still stands, in one of these forms; raises Forbidden or NotFound."""
    check_admitted(work)
    version = work.session.get(tables.VersionRow, version_id)
    own = version is not None and version.practice == work.actor.ods and version.form in forms
    if version is None or not own or version.withdrawn:
        raise NotFound(NOTHING)
    copy = work.session.get_one(tables.CopyRow, version.copy_id)
    if taken_back_unseen(work, copy):
        raise NotFound(NOTHING)
    work.record(Deed.PROVENANCE_READ, copy=copy.id, version=version.id)
    return _origin(work, copy, version)


def origins(work: Work, copy_id: str, *, form: Form) -> list[Origin]:
    """Of every version of a copy that still stands, newest first: none for what is another's."""
    copy = _own(work, copy_id, form=form)
    found: Sequence[tables.VersionRow] = []
    if copy is not None:
        asked = (
            select(tables.VersionRow)
            .where(
                col(tables.VersionRow.copy_id) == copy.id,
                col(tables.VersionRow.withdrawn).is_(False),
            )
            .order_by(col(tables.VersionRow.number).desc())
        )
        found = work.session.exec(asked).all()
    work.record(Deed.PROVENANCE_READ, found=" ".join(version.id for version in found))
    return [_origin(work, copy, version) for version in found if copy is not None]


def _own(work: Work, copy_id: str, *, form: Form) -> tables.CopyRow | None:
    try:
        copy = own_copy(work, copy_id, form=form)
    except NotFound:
        return None
    return None if taken_back_unseen(work, copy) else copy


def _origin(work: Work, copy: tables.CopyRow, version: tables.VersionRow) -> Origin:
    removal = copy.status is CopyStatus.REMOVED and version.number == copy.number
    mark_served(work, version)
    return Origin(stored_bytes(work, copy, version), removal)


@dataclass(frozen=True)
class Traces:
    """Leaves about one copy, newest first, and the row after which the walk goes on, if it does."""

    labels: tuple[str, ...]
    found: list[Trace]
    onward: int | None


def traces(work: Work, copy_id: str, *, form: Form, before: int | None) -> Traces:
    """What the caller's own clients did with one of its copies; nothing for what is another's."""
    copy = _own(work, copy_id, form=form)
    if copy is None:
        work.record(Deed.AUDIT_READ, found=0)
        return Traces((), [], None)
    versions = select(col(tables.VersionRow.id)).where(col(tables.VersionRow.copy_id) == copy.id)
    names = (copy.id, *work.session.exec(versions))
    found, onward = _walked(work, names, before=before)
    work.record(Deed.AUDIT_READ, copy=copy.id, found=len(found))
    return Traces(tuple(copy.labels.split()), found, onward)


def _walked(
    work: Work, names: Sequence[str], *, before: int | None
) -> tuple[list[Trace], int | None]:
    """What this walk finds, and the row that it ended at, if there may be more beyond."""
    asked = _LEAVES if before is None else _LEAVES_BEFORE
    leaves = work.session.connection().execute(asked.limit(WALK), {"before": before}).all()
    found: list[Trace] = []
    for row, body in leaves:
        if trace := _about(body, names, ods=work.actor.ods):
            found.append(trace)
            if len(found) == PAGE:
                return found, row
    return found, leaves[-1].row if len(leaves) == WALK else None


def _about(body: bytes, names: Sequence[str], *, ods: str) -> Trace | None:
    """A leaf of this organisation that names the copy, with the versions that it names."""
    # Looked for as bytes first: nearly all leaves are others', and parsing each is what costs.
    if ods.encode() not in body or not any(name.encode() in body for name in names):
        return None
    said = orjson.loads(body)
    if said["ods"] != ods or said["deed"] not in DEEDS:
        return None
    about = " ".join(str(value) for value in said["about"].values()).split()
    return said, tuple(name for name in names[1:] if name in about)
