"""Searches what stands at a practice: by patient, by id, by time, and by what a copy says.

What a copy says is sealed, so it is opened to be compared; only what is shown counts as read. Pages
follow each other by instant, never by offset.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, or_
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from flagservice.audit.log import Deed, Work
from flagservice.delivery.pull.read import as_shown, check_admitted, stored_bytes, version_ids
from flagservice.delivery.watch import alarms
from flagservice.domain.copies import CopyStatus, Form
from flagservice.domain.errors import Fault, Invalid
from flagservice.fhir.bundles import IssuedVersion
from flagservice.people.persons import nhs_number_of
from flagservice.people.registrations import registration_of
from flagservice.store import tables
from flagservice.store.sent_or_read import sent_or_read

Says = Callable[[bytes], bool]
_BATCH = 100


@dataclass(frozen=True)
class Criteria:
    """The terms of a search.

    `since` is within, `until` is not. `says` looks at a copy's bytes. `after` ended the last page.
    """

    form: Form
    limit: int
    copy_ids: frozenset[str] | None = None
    since: datetime | None = None
    until: datetime | None = None
    says: Says | None = None
    after: datetime | None = None


@dataclass(frozen=True)
class SearchPage:
    """Each copy's newest version, in the order of `lastUpdated`, and whether there are more.

    `person_id` is whose they are, for the next page of a search by patient.
    """

    found: list[IssuedVersion]
    more: bool
    person_id: str = ""


def search(work: Work, criteria: Criteria) -> SearchPage:
    """Returns what stands here for all people, and what was taken back; raises Forbidden."""
    check_admitted(work)
    asked = _newest(work, criteria.form).where(_shown())
    found, more = _filled(work, asked, criteria)
    work.record(Deed.SEARCHED, form=criteria.form, found=version_ids(found))
    return SearchPage([as_shown(work, version) for version in found], more)


def search_patient(work: Work, nhs_number: str, criteria: Criteria) -> SearchPage:
    """Returns what stands here for one of the practice's own patients; for others, nothing.

    Raises Forbidden where the practice is not admitted.
    """
    check_admitted(work)
    registration = registration_of(work, nhs_number)
    mine = registration is not None and registration.practice == work.actor.ods
    alarms.note_search(work, nhs_number, registration)
    asked = _of_patient(work, nhs_number, form=criteria.form)
    found, more = _filled(work, asked, criteria) if mine else ([], False)
    about = work.vault.pseudonym(nhs_number, purpose="audit")
    work.record(Deed.SEARCHED, patient=about, form=criteria.form, found=version_ids(found))
    whose = work.session.get_one(tables.CopyRow, found[0].copy_id).person_id if found else ""
    return SearchPage([as_shown(work, version) for version in found], more, whose)


def search_onward(work: Work, person_id: str, criteria: Criteria) -> SearchPage:
    """Returns the next page of a search by patient; raises Invalid."""
    person = work.session.get(tables.PersonRow, person_id)
    if person is None:
        raise Invalid(Fault("page", "is not one that this search gave out"))
    return search_patient(work, nhs_number_of(work, person), criteria)


def _newest(work: Work, form: Form) -> SelectOfScalar[tables.VersionRow]:
    return (
        select(tables.VersionRow)
        .where(col(tables.VersionRow.copy_id) == col(tables.CopyRow.id))
        .where(col(tables.VersionRow.number) == col(tables.CopyRow.number))
        .where(col(tables.CopyRow.practice) == work.actor.ods, col(tables.CopyRow.form) == form)
    )


def _of_patient(work: Work, nhs_number: str, *, form: Form) -> SelectOfScalar[tables.VersionRow]:
    pseudonyms = work.vault.pseudonyms(nhs_number, purpose="person")
    return (
        _newest(work, form)
        .where(col(tables.PersonRow.id) == col(tables.CopyRow.person_id))
        .where(col(tables.PersonRow.pseudonym).in_(pseudonyms))
        .where(col(tables.CopyRow.status) != CopyStatus.REMOVED)
    )


def _shown() -> ColumnElement[bool]:
    """Returns the opposite of `taken_back_unseen`, for a query."""
    there = col(tables.CopyRow.status) != CopyStatus.REMOVED
    return or_(there, sent_or_read(col(tables.CopyRow.id)))


def _filled(
    work: Work, asked: SelectOfScalar[tables.VersionRow], criteria: Criteria
) -> tuple[list[tables.VersionRow], bool]:
    found: list[tables.VersionRow] = []
    after, size = criteria.after, _BATCH if criteria.says else criteria.limit + 1
    while True:
        batch = work.session.exec(_within(asked, criteria, after=after).limit(size)).all()
        found += [version for version in batch if _matches(work, version, criteria.says)]
        if len(found) > criteria.limit:
            return found[: criteria.limit], True
        if len(batch) < size:
            return found, False
        after = batch[-1].issued


def _within(
    asked: SelectOfScalar[tables.VersionRow], criteria: Criteria, *, after: datetime | None
) -> SelectOfScalar[tables.VersionRow]:
    """Narrows and orders by instant: no two versions of one practice share one."""
    issued = col(tables.VersionRow.issued)
    if criteria.copy_ids is not None:
        asked = asked.where(col(tables.CopyRow.id).in_(criteria.copy_ids))
    if criteria.since is not None:
        asked = asked.where(issued >= criteria.since)
    if criteria.until is not None:
        asked = asked.where(issued < criteria.until)
    if after is not None:
        asked = asked.where(issued > after)
    return asked.order_by(issued)


def _matches(work: Work, version: tables.VersionRow, says: Says | None) -> bool:
    if says is None:
        return True
    return says(stored_bytes(work, work.session.get_one(tables.CopyRow, version.copy_id), version))
