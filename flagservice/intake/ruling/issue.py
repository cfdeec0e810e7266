"""Issues versions: bytes, feed number and delivery, in the commit that decided them.

1. Lock the feeds of all practices concerned, in sorted order.
2. Take each version's number and instant.
3. Build the resource from the disclosure, check it, seal its bytes.
4. Owe it to the practice. It supersedes what was owed of the same copy.
5. Where less is told than before, withdraw the earlier versions.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlmodel import col, update

from flagservice.audit.log import Deed, Work
from flagservice.delivery.push import outbox
from flagservice.delivery.push.outbox import OwedVersion
from flagservice.domain.copies import CopyStatus
from flagservice.fhir.flags import CopyIdentity, build
from flagservice.fhir.writing import to_bytes
from flagservice.intake.rulebook import Rulebook
from flagservice.intake.ruling.content import disclosure_digest
from flagservice.people.persons import nhs_number_of
from flagservice.policy.disclosure import Disclosure
from flagservice.store import feed, tables


@dataclass(frozen=True)
class NewVersion:
    """One version to issue: which copy, whose, and what it says."""

    copy: tables.CopyRow
    person: tables.PersonRow
    disclosure: Disclosure
    status: CopyStatus
    withdraws: bool = False


def issue_all(work: Work, versions: Iterable[NewVersion], *, rulebook: Rulebook) -> None:
    """Issues all versions of a unit of work, in the order of their copies' ids: no role shows."""
    ordered = sorted(versions, key=lambda version: version.copy.id)
    counters = feed.lock(work.session, (version.copy.practice for version in ordered))
    owed = [
        _issue(work, version, counter=counters[version.copy.practice], rulebook=rulebook)
        for version in ordered
    ]
    outbox.owe(work, owed)


def _issue(
    work: Work, version: NewVersion, *, counter: tables.FeedCounterRow, rulebook: Rulebook
) -> OwedVersion:
    version_id = work.new_id()
    copy = version.copy
    place = feed.take(counter, copy.form, now=work.now, step=feed.step_of(version_id))
    if version.withdraws:
        _withdraw_earlier(work, copy)
    copy.number += 1
    copy.status = version.status
    copy.labels = version.disclosure.labels
    copy.says = tuple(version.disclosure.says)
    copy.digest = disclosure_digest(work, version.disclosure, data_key=version.person.data_key)
    work.session.add(copy)
    addressed = CopyIdentity(
        id=copy.id,
        version_id=version_id,
        nhs_number=nhs_number_of(work, version.person),
        issued=place.issued,
    )
    written = to_bytes(build(version.disclosure, addressed), rulebook.profiles)
    work.keep_sealed(
        tables.VersionRow,
        written,
        data_key=version.person.data_key,
        id=version_id,
        copy_id=copy.id,
        number=copy.number,
        practice=copy.practice,
        form=copy.form,
        feed_number=place.number,
        issued=place.issued,
    )
    deed = Deed.DISCLOSED if version.disclosure.says else Deed.TAKEN_BACK
    says = " ".join(copy.says)
    work.record(deed, copy=copy.id, version=version_id, practice=copy.practice, says=says)
    return OwedVersion(copy, version_id, place.order, removal=not version.disclosure.says)


def _withdraw_earlier(work: Work, copy: tables.CopyRow) -> None:
    """Removes what earlier versions said. Their feed numbers now carry the newest."""
    work.session.exec(
        update(tables.VersionRow)
        .where(col(tables.VersionRow.copy_id) == copy.id)
        .values(withdrawn=True, sealed=b"")
    )
