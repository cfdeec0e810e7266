"""What a practice reads for itself: the same stored bytes that are pushed.

A practice sees the copies that stand at it, and only while its system is admitted. For everything
else there is one answer, the same whether or not there is anything. A practice that is not admitted
is told that, and nothing else is asked for it: an empty answer would be read as "no flag".
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, exists, or_
from sqlalchemy.orm import aliased
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from flagservice.audit.log import Deed, Work
from flagservice.delivery import outbox
from flagservice.directory.endpoints import admitted
from flagservice.directory.registrations import known
from flagservice.domain.errors import Forbidden, NotFound
from flagservice.store import tables

NOTHING = "there is no such resource for this caller"
NOT_ADMITTED = (
    "this practice's system has no valid leak-check result: it is told nothing here,"
    " and this does not say that there is no flag"
)


@dataclass(frozen=True)
class Stored:
    """One version's bytes, and where it stands in its copy and in its practice's feed."""

    copy_id: str
    form: str
    version_id: str
    feed_number: int
    issued: datetime
    content: bytes


def read(work: Work, copy_id: str, *, form: str, version_id: str | None = None) -> Stored:
    """The newest version of a copy, or one by its id; raises Forbidden or NotFound."""
    # Asked whatever the id names: a question that only a real copy raises would tell of it.
    _only_if_admitted(work)
    copy = work.session.get(tables.Copy, copy_id)
    mine = copy is not None and copy.practice == work.actor.ods and copy.form == form
    if copy is None or not mine:
        raise NotFound(NOTHING)
    asked = select(tables.Version).where(
        col(tables.Version.copy_id) == copy.id, col(tables.Version.withdrawn).is_(False)
    )
    if version_id is not None:
        asked = asked.where(col(tables.Version.id) == version_id)
    version = work.session.exec(asked.order_by(col(tables.Version.number).desc())).first()
    if version is None or _unheard(work, copy):
        raise NotFound(NOTHING)
    work.record(Deed.READ, copy=copy.id, version=version.id)
    return _stored(work, version)


def search_patient(work: Work, nhs_number: str, *, form: str) -> list[Stored]:
    """What stands here for one of the practice's own patients; for anybody else, nothing.

    Raises Forbidden, as every other question does, where the practice is not admitted.
    """
    _only_if_admitted(work)
    registration = known(work, nhs_number)
    mine = registration is not None and registration.practice == work.actor.ods
    found = _of_patient(work, nhs_number, form) if mine else []
    about = work.vault.pseudonym(nhs_number, purpose="audit")
    work.record(Deed.SEARCHED, patient=about, form=form, found=_ids(found))
    return [_stored(work, version) for version in found]


def _of_patient(work: Work, nhs_number: str, form: str) -> Sequence[tables.Version]:
    pseudonyms = work.vault.pseudonyms(nhs_number, purpose="person")
    asked = (
        _newest(work, form)
        .where(col(tables.Person.id) == col(tables.Copy.person_id))
        .where(col(tables.Person.pseudonym).in_(pseudonyms))
        .where(col(tables.Copy.status) != "removed")
        .order_by(col(tables.Version.issued))
    )
    return work.session.exec(asked).all()


def search_updated(
    work: Work, *, form: str, after: datetime | None, at_least: bool, limit: int
) -> list[Stored]:
    """Each copy's newest version, removals too, in the order of `lastUpdated`."""
    _only_if_admitted(work)
    asked = _newest(work, form).where(_heard_of()).order_by(col(tables.Version.issued))
    if after is not None:
        issued = col(tables.Version.issued)
        asked = asked.where(issued >= after if at_least else issued > after)
    found = work.session.exec(asked.limit(limit)).all()
    work.record(Deed.SEARCHED, form=form, found=_ids(found))
    return [_stored(work, version) for version in found]


def _newest(work: Work, form: str) -> SelectOfScalar[tables.Version]:
    return (
        select(tables.Version)
        .where(col(tables.Version.copy_id) == col(tables.Copy.id))
        .where(col(tables.Version.number) == col(tables.Copy.number))
        .where(col(tables.Copy.practice) == work.actor.ods, col(tables.Copy.form) == form)
    )


def feed(work: Work, *, after: int, limit: int) -> list[Stored]:
    """The practice's own feed after a number: every number once, in order.

    A number whose words were withdrawn since carries the next version that was not. One whose copy
    was taken back before anybody heard of it carries nothing but its id.
    """
    _only_if_admitted(work)
    asked = (
        select(tables.Version)
        .where(col(tables.Version.practice) == work.actor.ods)
        .where(col(tables.Version.feed_number) > after)
        .order_by(col(tables.Version.feed_number))
        .limit(limit)
    )
    found = work.session.exec(asked).all()
    last = found[-1].feed_number if found else after
    work.record(Deed.FED, after=after, last=last, found=_ids(found))
    return [_stored(work, version) for version in found]


def acknowledge(work: Work, version_ids: Iterable[str]) -> int:
    """The practice says that it has filed these versions: a receipt. Answers how many were owed."""
    _only_if_admitted(work)
    asked = (
        select(tables.Delivery)
        .where(col(tables.Delivery.version_id).in_(list(version_ids)))
        .where(col(tables.Delivery.practice) == work.actor.ods)
        .where(col(tables.Delivery.state) == outbox.State.OPEN)
        .order_by(col(tables.Delivery.id))
        .with_for_update()
    )
    owed = work.session.exec(asked).all()
    for delivery in owed:
        outbox.deliver(work, delivery)
    work.record(Deed.ACKNOWLEDGED, versions=len(owed))
    return len(owed)


def _only_if_admitted(work: Work) -> None:
    if not admitted(work, work.actor.ods):
        raise Forbidden(NOT_ADMITTED)


def _ids(versions: Sequence[tables.Version]) -> str:
    """Which versions were shown: so that the audit can say who saw what."""
    return " ".join(version.id for version in versions)


def _stored(work: Work, version: tables.Version) -> Stored:
    copy = work.session.get_one(tables.Copy, version.copy_id)
    carries = _next_standing(work, version) if version.withdrawn else version
    content = b"" if _unheard(work, copy) else _opened(work, copy, carries)
    return Stored(copy.id, copy.form, carries.id, version.feed_number, carries.issued, content)


def _next_standing(work: Work, version: tables.Version) -> tables.Version:
    asked = (
        select(tables.Version)
        .where(col(tables.Version.copy_id) == version.copy_id)
        .where(col(tables.Version.number) > version.number)
        .where(col(tables.Version.withdrawn).is_(False))
        .order_by(col(tables.Version.number))
    )
    return work.session.exec(asked.limit(1)).one()


def _heard_of() -> ColumnElement[bool]:
    """The opposite of `_unheard`, for a query: a page is filled with what is shown."""
    one = aliased(tables.Version)
    tried = exists().where(
        col(tables.Delivery.copy_id) == col(tables.Copy.id), col(tables.Delivery.attempts) > 0
    )
    was_read = exists().where(col(one.copy_id) == col(tables.Copy.id), col(one.served))
    return or_(col(tables.Copy.status) != "removed", tried, was_read)


def _unheard(work: Work, copy: tables.Copy) -> bool:
    """Was it taken back before it was ever on its way, or read?"""
    return copy.status == "removed" and not outbox.was_heard_of(work, copy.id)


def _opened(work: Work, copy: tables.Copy, version: tables.Version) -> bytes:
    if not version.served:
        version.served = True
        work.session.add(version)
    person = work.session.get_one(tables.Person, copy.person_id)
    return work.vault.open(
        person.data_key, version.sealed, table="version", row=version.id, version=version.number
    )
