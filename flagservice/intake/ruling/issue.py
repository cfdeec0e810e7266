"""Issues versions: bytes, feed number and delivery, all in the commit that decided them.

1. Lock the feeds of every practice concerned, in sorted order.
2. Take each version's number and instant.
3. Build the resource from the disclosure, check it, seal its bytes.
4. Owe it to the practice; what was owed before of the same copy is superseded.
5. Where less is told than before, withdraw what the earlier versions said.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlmodel import col, update

from flagservice.audit.log import Deed, Work
from flagservice.delivery.push import outbox
from flagservice.delivery.push.outbox import Owed
from flagservice.fhir.flags import Copy, build
from flagservice.fhir.writing import to_bytes
from flagservice.intake.policies.rulebook import Rulebook
from flagservice.intake.ruling.content import digest
from flagservice.people.persons import nhs_number_of
from flagservice.policy.disclosure import Disclosure
from flagservice.store import feed, tables


@dataclass(frozen=True)
class Issue:
    """One version to issue: which copy, whose, and what it says."""

    copy: tables.CopyRow
    person: tables.PersonRow
    disclosure: Disclosure
    status: str
    withdraws: bool = False


def issue_all(work: Work, issues: Iterable[Issue], *, rulebook: Rulebook) -> None:
    """Every version of one unit of work. In the order of the copies' random ids, never of roles."""
    ordered = sorted(issues, key=lambda issue: issue.copy.id)
    counters = feed.lock(work.session, (issue.copy.practice for issue in ordered))
    owed = [
        _issue(work, issue, counter=counters[issue.copy.practice], rulebook=rulebook)
        for issue in ordered
    ]
    outbox.owe(work, owed)


def _issue(work: Work, issue: Issue, *, counter: tables.FeedCounterRow, rulebook: Rulebook) -> Owed:
    version_id = work.new_id()
    copy = issue.copy
    place = feed.take(counter, copy.form, now=work.now, step=feed.step_of(version_id))
    if issue.withdraws:
        _withdraw_earlier(work, copy)
    copy.number += 1
    copy.status = issue.status
    copy.labels = " ".join(issue.disclosure.labels)
    copy.says = " ".join(issue.disclosure.says)
    copy.digest = digest(work, issue.disclosure, data_key=issue.person.data_key)
    work.session.add(copy)
    addressed = Copy(
        id=copy.id,
        version_id=version_id,
        nhs_number=nhs_number_of(work, issue.person),
        issued=place.issued,
    )
    written = to_bytes(build(issue.disclosure, addressed), rulebook.profiles)
    work.keep(
        tables.VersionRow,
        id=version_id,
        copy_id=copy.id,
        number=copy.number,
        practice=copy.practice,
        form=copy.form,
        feed_number=place.number,
        issued=place.issued,
        sealed=work.vault.seal(
            issue.person.data_key, written, table="version", row=version_id, version=copy.number
        ),
    )
    deed = Deed.DISCLOSED if issue.disclosure.says else Deed.TAKEN_BACK
    work.record(deed, copy=copy.id, version=version_id, practice=copy.practice, says=copy.says)
    return Owed(copy, version_id, place.order, removal=not issue.disclosure.says)


def _withdraw_earlier(work: Work, copy: tables.CopyRow) -> None:
    """Their feed numbers carry the newest version from now on, and reading them finds nothing."""
    work.session.exec(
        update(tables.VersionRow)
        .where(col(tables.VersionRow.copy_id) == copy.id)
        .values(withdrawn=True, sealed=b"")
    )
