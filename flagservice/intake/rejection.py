"""Takes a practice's answer; where it says "not our patient", takes back what it has.

1. Lock the people, and look again at what stands at the practice.
2. Trust the registration no more, until the register says something else.
3. Rule again: the copies there are taken back, and the record is not reached. Nothing is guessed.
"""

from flagservice.audit.log import Deed, Work
from flagservice.delivery import acknowledgements
from flagservice.delivery.acknowledgements import Acknowledgement
from flagservice.delivery.pull.read import check_admitted
from flagservice.domain.acknowledgements import AcknowledgementOutcome
from flagservice.domain.copies import CopyStatus
from flagservice.intake.rulebook import Rulebook
from flagservice.intake.ruling.rerule import rerule
from flagservice.people import persons
from flagservice.people.registrations import doubt
from flagservice.store import tables


def take_acknowledgement(
    work: Work, acknowledgement: Acknowledgement, *, rulebook: Rulebook
) -> int:
    """Takes a practice's answer. Returns for how many versions it was news. Raises Forbidden."""
    check_admitted(work)
    match acknowledgement.outcome:
        case AcknowledgementOutcome.FILED | AcknowledgementOutcome.FILED_NOT_SHOWN:
            return acknowledgements.take_filed(work, acknowledgement)
        case AcknowledgementOutcome.QUERIED:
            return acknowledgements.take_query(work, acknowledgement)
        case AcknowledgementOutcome.REJECTED:  # pragma: no branch, a closed set
            return _reject(work, acknowledgement, rulebook=rulebook)


def _reject(work: Work, acknowledgement: Acknowledgement, *, rulebook: Rulebook) -> int:
    """Takes back what stands. A removal is not rejected: it is filed, or owed."""
    versions = acknowledgements.own_versions(work, acknowledgement)
    copy_ids = sorted({version.copy_id for version in versions})
    people = persons.lock_known(work, [_copy(work, copy_id).person_id for copy_id in copy_ids])
    copies = [_copy(work, copy_id) for copy_id in copy_ids]
    standing = {copy.id: copy for copy in copies if copy.status is not CopyStatus.REMOVED}
    kept = [
        version
        for version in versions
        if version.copy_id in standing and acknowledgements.keep(work, version, acknowledgement)
    ]
    person_ids = {copy.person_id for copy in standing.values()}
    concerned = [person for person in people if person.id in person_ids]
    for person in concerned:
        doubt(work, persons.nhs_number_of(work, person), practice=work.actor.ods)
    for copy in standing.values():
        work.record(Deed.REJECTED, copy=copy.id, practice=copy.practice)
    rerule(work, concerned, rulebook=rulebook)
    told, outcome = acknowledgements.names_of(kept), acknowledgement.outcome
    work.record(Deed.ACKNOWLEDGED, versions=len(standing), outcome=outcome, kept=told)
    return len(standing)


def _copy(work: Work, copy_id: str) -> tables.CopyRow:
    """Returns a copy as it is now. Once its person is locked, only we change it."""
    return work.session.get_one(tables.CopyRow, copy_id, populate_existing=True)
