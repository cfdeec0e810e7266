"""Where a practice's own flags come from, and what the practice itself did with them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlmodel import col, select

from flagservice.audit.log import Deed, Work
from flagservice.delivery.channels.pull import NOTHING, mine, only_if_admitted, opened, unheard
from flagservice.domain.errors import NotFound
from flagservice.fhir.audit_events import DEEDS
from flagservice.store import tables

WALK = 5000
"""So many leaves are looked at for one page: the audit is everybody's, and has no index by flag."""


@dataclass(frozen=True)
class Origin:
    """A version's stored bytes, and whether it is the removal of its copy."""

    content: bytes
    removal: bool


def origin(work: Work, version_id: str, *, forms: Sequence[str]) -> Origin:
    """Of one version that still stands, in one of these forms; raises Forbidden or NotFound."""
    only_if_admitted(work)
    version = work.session.get(tables.Version, version_id)
    own = version is not None and version.practice == work.actor.ods and version.form in forms
    if version is None or not own or version.withdrawn:
        raise NotFound(NOTHING)
    copy = work.session.get_one(tables.Copy, version.copy_id)
    if unheard(work, copy):
        raise NotFound(NOTHING)
    work.record(Deed.PROVENANCE_READ, copy=copy.id, version=version.id)
    return _origin(work, copy, version)


def origins(work: Work, copy_id: str, *, form: str) -> list[Origin]:
    """Of every version of a copy that still stands, newest first: none for what is another's."""
    copy = _own(work, copy_id, form=form)
    found: Sequence[tables.Version] = []
    if copy is not None:
        asked = (
            select(tables.Version)
            .where(col(tables.Version.copy_id) == copy.id, col(tables.Version.withdrawn).is_(False))
            .order_by(col(tables.Version.number).desc())
        )
        found = work.session.exec(asked).all()
    work.record(Deed.PROVENANCE_READ, found=" ".join(version.id for version in found))
    return [_origin(work, copy, version) for version in found if copy is not None]


def _own(work: Work, copy_id: str, *, form: str) -> tables.Copy | None:
    try:
        copy = mine(work, copy_id, form=form)
    except NotFound:
        return None
    return None if unheard(work, copy) else copy


def _origin(work: Work, copy: tables.Copy, version: tables.Version) -> Origin:
    removal = copy.status == "removed" and version.number == copy.number
    version.served = True
    work.session.add(version)
    return Origin(opened(work, copy, version), removal)


@dataclass(frozen=True)
class Traces:
    """Leaves about one copy, newest first, and the row after which the walk goes on, if it does."""

    labels: tuple[str, ...]
    found: list[tuple[dict[str, Any], tuple[str, ...]]]
    onward: int | None


def traces(work: Work, copy_id: str, *, form: str, before: int | None) -> Traces:
    """What the caller's own clients did with one of its copies; nothing for what is another's."""
    copy = _own(work, copy_id, form=form)
    if copy is None:
        work.record(Deed.AUDIT_READ, found=0)
        return Traces((), [], None)
    asked = select(tables.Leaf).order_by(col(tables.Leaf.row).desc()).limit(WALK)
    if before is not None:
        asked = asked.where(col(tables.Leaf.row) < before)
    walked = work.session.exec(asked).all()
    versions = select(col(tables.Version.id)).where(col(tables.Version.copy_id) == copy.id)
    names = (copy.id, *work.session.exec(versions))
    found = list(_about(walked, names, ods=work.actor.ods))
    work.record(Deed.AUDIT_READ, copy=copy.id, found=len(found))
    onward = walked[-1].row if len(walked) == WALK else None
    return Traces(tuple(copy.labels.split()), found, onward)


def _about(
    leaves: Sequence[tables.Leaf], names: Sequence[str], *, ods: str
) -> Iterator[tuple[dict[str, Any], tuple[str, ...]]]:
    """Leaves of this organisation that name the copy, each with the versions that it names."""
    for leaf in leaves:
        if any(name.encode() in leaf.body for name in names):
            said = orjson.loads(leaf.body)
            if said["ods"] == ods and said["deed"] in DEEDS:
                about = " ".join(str(value) for value in said["about"].values()).split()
                yield said, tuple(name for name in names[1:] if name in about)
