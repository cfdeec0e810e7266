"""What a practice answers to a version that it got: in closed lists of codes, and no free text.

`filed` is the verified receipt that closes a delivery. A query stays work for the agency that said
it, and the delivery stays owed. What a practice rejects is `intake`'s, since it rules again.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import col, select

from flagservice.audit.log import Deed, Work
from flagservice.delivery.push import outbox
from flagservice.domain.acknowledgements import AcknowledgementOutcome, QueryReason
from flagservice.domain.copies import CopyStatus, DeliveryState
from flagservice.store import tables


@dataclass(frozen=True)
class Acknowledgement:
    """One answer to some versions; a reason goes with a query, and with nothing else."""

    versions: tuple[str, ...]
    outcome: AcknowledgementOutcome
    reason: QueryReason | None = None


def file(work: Work, answer: Acknowledgement) -> int:
    """Closes what is owed of these versions, and settles what was asked about these very ones.

    Answers of how many of them it was news: delivered, kept, or settled.
    """
    asked = (
        select(tables.DeliveryRow)
        .where(col(tables.DeliveryRow.version_id).in_(answer.versions))
        .where(col(tables.DeliveryRow.practice) == work.actor.ods)
        .where(col(tables.DeliveryRow.state) == DeliveryState.OPEN)
        .order_by(col(tables.DeliveryRow.id))
        .with_for_update()
    )
    owed = work.session.exec(asked).all()
    for delivery in owed:
        outbox.deliver(work, delivery)
    mine = versions_of(work, answer)
    settled = _settled(work, mine)
    not_shown = mine if answer.outcome is AcknowledgementOutcome.FILED_NOT_SHOWN else ()
    kept = [version for version in not_shown if keep(work, version, answer)]
    news = {delivery.version_id for delivery in owed} | {one.id for one in (*settled, *kept)}
    work.record(
        Deed.ACKNOWLEDGED,
        versions=len(news),
        outcome=answer.outcome,
        settled=named(settled),
        kept=named(kept),
    )
    return len(news)


def query(work: Work, answer: Acknowledgement) -> int:
    """Asks the agency whose versions these are; answers how many questions are new.

    What was taken back meanwhile is asked about no more.
    """
    kept = []
    for version in versions_of(work, answer):
        copy = work.session.get_one(tables.CopyRow, version.copy_id)
        if copy.status != CopyStatus.REMOVED and keep(work, version, answer):
            kept.append(version)
            work.record(Deed.QUERIED, copy=copy.id, version=version.id, reason=str(answer.reason))
    work.record(Deed.ACKNOWLEDGED, versions=len(kept), outcome=answer.outcome, kept=named(kept))
    return len(kept)


def named(versions: Sequence[tables.VersionRow]) -> str:
    """Which these are, for the audit: each by its copy and its version."""
    return " ".join(f"{version.copy_id}/{version.id}" for version in versions)


def versions_of(work: Work, answer: Acknowledgement) -> Sequence[tables.VersionRow]:
    """Those that are the caller's: another's version, and one that is nobody's, are the same."""
    asked = (
        select(tables.VersionRow)
        .where(col(tables.VersionRow.id).in_(answer.versions))
        .where(col(tables.VersionRow.practice) == work.actor.ods)
        .order_by(col(tables.VersionRow.id))
    )
    return work.session.exec(asked).all()


def keep(work: Work, version: tables.VersionRow, answer: Acknowledgement) -> bool:
    """Keeps the answer; False where it was given before. Two at once meet in the unique key.

    A question is asked anew once it was settled, or once the plan has said more.
    """
    reason, asks = answer.reason or "", answer.outcome is AcknowledgementOutcome.QUERIED
    copy = work.session.get_one(tables.CopyRow, version.copy_id)
    plan = work.session.get_one(tables.PlanRow, copy.plan_id)
    there = select(tables.AcknowledgementRow).where(
        col(tables.AcknowledgementRow.version_id) == version.id,
        col(tables.AcknowledgementRow.outcome) == answer.outcome,
        col(tables.AcknowledgementRow.reason) == reason,
    )
    before = work.session.exec(there).first()
    if before is not None:
        stands = not asks or (before.open and before.plan_version == plan.version)
        before.open, before.plan_version = asks, plan.version
        work.session.add(before)
        return not stands
    row = tables.AcknowledgementRow(
        id=work.new_id(),
        version_id=version.id,
        copy_id=copy.id,
        plan_id=copy.plan_id,
        plan_version=plan.version,
        practice=work.actor.ods,
        outcome=answer.outcome,
        reason=reason,
        at=work.now,
        open=asks,
    )
    work.session.add(row)
    return True


def _settled(work: Work, filed: Sequence[tables.VersionRow]) -> list[tables.VersionRow]:
    """What is filed was understood: its practice asks no more, of these versions and of no other.

    An older one may be filed late, and says nothing of what was asked about a newer.
    """
    asked = (
        select(tables.AcknowledgementRow)
        .where(col(tables.AcknowledgementRow.version_id).in_([version.id for version in filed]))
        .where(
            col(tables.AcknowledgementRow.practice) == work.actor.ods,
            col(tables.AcknowledgementRow.open),
        )
        .order_by(col(tables.AcknowledgementRow.id))
        .with_for_update()
    )
    questions = work.session.exec(asked).all()
    for question in questions:
        question.open = False
        work.session.add(question)
    about = {question.version_id for question in questions}
    return [version for version in filed if version.id in about]


def open_queries(work: Work, *, ods: str | None = None) -> Sequence[tables.AcknowledgementRow]:
    """Questions about what still stands as it was asked about; of one agency, or of all."""
    asked = (
        select(tables.AcknowledgementRow)
        .where(col(tables.AcknowledgementRow.open))
        .where(col(tables.AcknowledgementRow.plan_id) == col(tables.PlanRow.id))
        .where(col(tables.AcknowledgementRow.plan_version) == col(tables.PlanRow.version))
        .where(
            col(tables.AcknowledgementRow.copy_id) == col(tables.CopyRow.id),
            col(tables.CopyRow.status) != CopyStatus.REMOVED,
        )
        .order_by(col(tables.AcknowledgementRow.at), col(tables.AcknowledgementRow.id))
    )
    if ods is not None:
        asked = asked.where(col(tables.PlanRow.ods) == ods)
    return work.session.exec(asked).all()
