"""Tells a practice the origin of the versions that stand at it."""

from collections.abc import Sequence
from dataclasses import dataclass

from flagservice.audit.log import Deed, Work
from flagservice.delivery.pull.read import (
    NOTHING,
    check_admitted,
    find_own_copy,
    mark_served,
    standing_versions,
    stored_bytes,
    taken_back_unseen,
    version_ids,
)
from flagservice.domain.copies import CopyStatus, Form
from flagservice.domain.errors import NotFound
from flagservice.store import tables


@dataclass(frozen=True)
class Origin:
    """A version's stored bytes, and whether it removes its copy."""

    content: bytes
    removal: bool


def origin(work: Work, version_id: str, *, forms: Sequence[Form]) -> Origin:
    """Returns the origin of one standing version; raises Forbidden or NotFound."""
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
    """Returns the origin of each standing version, newest first; none for another's copy."""
    copy = find_own_copy(work, copy_id, form=form)
    found = work.session.exec(standing_versions(copy)).all() if copy else []
    work.record(Deed.PROVENANCE_READ, found=version_ids(found))
    return [_origin(work, copy, version) for version in found if copy is not None]


def _origin(work: Work, copy: tables.CopyRow, version: tables.VersionRow) -> Origin:
    removal = copy.status is CopyStatus.REMOVED and version.number == copy.number
    mark_served(work, version)
    return Origin(stored_bytes(work, copy, version), removal)
