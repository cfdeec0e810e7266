"""A practice says that somebody is not its patient: what it has is taken back, and nothing guessed.

1. Lock the people concerned, and look again at what stands at the practice.
2. The registration is trusted no more, until the register says something else.
3. Rule again: the copies there are taken back, the look-up is open, the record is not reached.
"""

from flagservice.audit.log import Deed, Work
from flagservice.delivery import acknowledgements
from flagservice.delivery.acknowledgements import Acknowledgement
from flagservice.delivery.pull.read import only_if_admitted
from flagservice.domain.acknowledgements import AcknowledgementOutcome
from flagservice.domain.copies import CopyStatus
from flagservice.intake.rulebook import Rulebook
from flagservice.intake.ruling.rerule import rerule
from flagservice.people import persons
from flagservice.people.registrations import doubt
from flagservice.store import tables


def take_acknowledgement(work: Work, answer: Acknowledgement, *, rulebook: Rulebook) -> int:
    """Takes a practice's answer; tells of how many versions it was news. Raises Forbidden."""
    only_if_admitted(work)
    match answer.outcome:
        case AcknowledgementOutcome.FILED | AcknowledgementOutcome.FILED_NOT_SHOWN:
            return acknowledgements.file(work, answer)
        case AcknowledgementOutcome.QUERIED:
            return acknowledgements.query(work, answer)
        case AcknowledgementOutcome.REJECTED:  # pragma: no branch, a closed set
            return _reject(work, answer, rulebook=rulebook)


def _reject(work: Work, answer: Acknowledgement, *, rulebook: Rulebook) -> int:
    """A removal is rejected by nobody: it is filed, or owed."""
    named = {version.copy_id for version in acknowledgements.versions_of(work, answer)}
    people = persons.lock_known(work, [_copy(work, copy_id).person_id for copy_id in named])
    copies = [_copy(work, copy_id) for copy_id in named]
    standing = [copy for copy in copies if copy.status is not CopyStatus.REMOVED]
    there = {copy.id for copy in standing}
    kept = [
        version
        for version in acknowledgements.versions_of(work, answer)
        if version.copy_id in there and acknowledgements.keep(work, version, answer)
    ]
    concerned = [p for p in people if p.id in {copy.person_id for copy in standing}]
    for person in concerned:
        doubt(work, persons.nhs_number_of(work, person), practice=work.actor.ods)
    for copy in sorted(standing, key=lambda copy: copy.id):
        work.record(Deed.REJECTED, copy=copy.id, practice=copy.practice)
    rerule(work, concerned, rulebook=rulebook)
    told = acknowledgements.named(kept)
    work.record(Deed.ACKNOWLEDGED, versions=len(standing), outcome=answer.outcome, kept=told)
    return len(standing)


def _copy(work: Work, copy_id: str) -> tables.CopyRow:
    """As it is now: once a person is locked, nothing of theirs changes but by us."""
    return work.session.get_one(tables.CopyRow, copy_id, populate_existing=True)
