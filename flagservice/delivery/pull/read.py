"""Reads for a practice what stands at it: the same stored bytes that are pushed.

A practice sees its own copies, and only while its system is admitted. Everything else has one
answer, the same whether or not there is anything. A practice that is not admitted is told so, and
nothing is looked up: an empty answer would be read as "no flag".
"""

from collections.abc import Sequence

from sqlmodel import col, select, update
from sqlmodel.sql.expression import SelectOfScalar

from flagservice.admission.endpoints import admitted
from flagservice.audit.log import Deed, Overtaken, Work
from flagservice.domain.copies import CopyStatus, Form
from flagservice.domain.errors import Fault, Forbidden, Invalid, NotFound
from flagservice.fhir.bundles import IssuedVersion
from flagservice.store import tables
from flagservice.store.sent_or_read import was_sent_or_read

NOTHING = "there is no such resource for this caller"
NOT_ADMITTED = (
    "this practice's system has no valid leak-check result: it is told nothing here,"
    " and this does not say that there is no flag"
)


def read(work: Work, copy_id: str, *, form: Form, version_id: str | None = None) -> IssuedVersion:
    """Returns the newest version of a copy, or one by its id; raises Forbidden or NotFound."""
    copy = own_copy(work, copy_id, form=form)
    asked = standing_versions(copy)
    if version_id is not None:
        asked = asked.where(col(tables.VersionRow.id) == version_id)
    version = work.session.exec(asked).first()
    if version is None or taken_back_unseen(work, copy):
        raise NotFound(NOTHING)
    work.record(Deed.READ, copy=copy.id, version=version.id)
    return as_shown(work, version)


def history(
    work: Work, copy_id: str, *, form: Form, limit: int, before: str | None = None
) -> list[IssuedVersion]:
    """Returns the standing versions of a copy, newest first, from the one after `before` on.

    Raises Forbidden, NotFound, or Invalid where `before` is no version of this copy.
    """
    copy = own_copy(work, copy_id, form=form)
    if taken_back_unseen(work, copy):
        raise NotFound(NOTHING)
    asked = standing_versions(copy)
    if before is not None:
        last = work.session.get(tables.VersionRow, before)
        if last is None or last.copy_id != copy.id:
            raise Invalid(Fault("cursor", "is not one that this history gave out"))
        asked = asked.where(col(tables.VersionRow.number) < last.number)
    found = work.session.exec(asked.limit(limit)).all()
    work.record(Deed.READ, copy=copy.id, found=version_ids(found))
    return [as_shown(work, version) for version in found]


def own_copy(work: Work, copy_id: str, *, form: Form) -> tables.CopyRow:
    """Returns the copy, if it stands at the caller's practice; raises Forbidden or NotFound."""
    # Asked whatever the id names: a question that only a real copy raises would tell of it.
    check_admitted(work)
    copy = work.session.get(tables.CopyRow, copy_id)
    own = copy is not None and copy.practice == work.actor.ods and copy.form == form
    if copy is None or not own:
        raise NotFound(NOTHING)
    return copy


def find_own_copy(work: Work, copy_id: str, *, form: Form) -> tables.CopyRow | None:
    """Returns the copy, if it is the caller's and was ever seen; raises Forbidden."""
    try:
        copy = own_copy(work, copy_id, form=form)
    except NotFound:
        return None
    return None if taken_back_unseen(work, copy) else copy


def standing_versions(copy: tables.CopyRow) -> SelectOfScalar[tables.VersionRow]:
    """Returns a query for the versions of a copy that were not withdrawn, newest first."""
    return (
        select(tables.VersionRow)
        .where(
            col(tables.VersionRow.copy_id) == copy.id, col(tables.VersionRow.withdrawn).is_(False)
        )
        .order_by(col(tables.VersionRow.number).desc())
    )


def check_admitted(work: Work) -> None:
    """Raises Forbidden, and asks nothing else, where the caller's system is not admitted."""
    if not admitted(work, work.actor.ods):
        raise Forbidden(NOT_ADMITTED)


def version_ids(versions: Sequence[tables.VersionRow]) -> str:
    """Returns the ids of the versions shown, for the audit."""
    return " ".join(version.id for version in versions)


def as_shown(work: Work, version: tables.VersionRow) -> IssuedVersion:
    """Returns a version as it is shown: by what carries its words, or empty if unseen."""
    copy = work.session.get_one(tables.CopyRow, version.copy_id)
    carries = _next_standing(work, version) if version.withdrawn else version
    content = b"" if taken_back_unseen(work, copy) else _shown(work, copy, carries)
    return IssuedVersion(
        copy.id, copy.form, carries.id, version.feed_number, carries.issued, content
    )


def _next_standing(work: Work, version: tables.VersionRow) -> tables.VersionRow:
    asked = (
        select(tables.VersionRow)
        .where(col(tables.VersionRow.copy_id) == version.copy_id)
        .where(col(tables.VersionRow.number) > version.number)
        .where(col(tables.VersionRow.withdrawn).is_(False))
        .order_by(col(tables.VersionRow.number))
    )
    return work.session.exec(asked.limit(1)).one()


def taken_back_unseen(work: Work, copy: tables.CopyRow) -> bool:
    """Returns whether a copy was taken back before it was ever sent or read."""
    return copy.status is CopyStatus.REMOVED and not was_sent_or_read(work.session, copy.id)


def _shown(work: Work, copy: tables.CopyRow, version: tables.VersionRow) -> bytes:
    mark_served(work, version)
    return stored_bytes(work, copy, version)


def mark_served(work: Work, version: tables.VersionRow) -> None:
    """Marks a version as read, so that its removal is owed.

    Raises Overtaken where it was withdrawn meanwhile: the withdrawal looked for this mark.
    """
    if version.served:
        return
    marked = work.session.exec(
        update(tables.VersionRow)
        .where(col(tables.VersionRow.id) == version.id, col(tables.VersionRow.withdrawn).is_(False))
        .values(served=True)
    )
    if not marked.rowcount:
        raise Overtaken


def stored_bytes(work: Work, copy: tables.CopyRow, version: tables.VersionRow) -> bytes:
    """Returns the stored bytes, for a look that counts as no reading."""
    person = work.session.get_one(tables.PersonRow, copy.person_id)
    return work.vault.open_row_under(person.data_key, version)
