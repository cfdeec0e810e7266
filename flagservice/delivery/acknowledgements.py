"""Takes what a practice answers to a version that it got: codes of closed lists, no free text.

`filed` is the verified receipt that closes a delivery. A query is work for the agency that
submitted, and the delivery stays owed. `intake` takes a rejection, since it rules again.
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
    """One answer to some versions, by their ids. Only a query has a reason."""

    versions: tuple[str, ...]
    outcome: AcknowledgementOutcome
    reason: QueryReason | None = None


def take_filed(work: Work, acknowledgement: Acknowledgement) -> int:
    """Closes what is owed of these versions, and settles what was asked about them.

    Returns for how many of them it was news: delivered, kept, or settled.
    """
    asked = (
        select(tables.DeliveryRow)
        .where(col(tables.DeliveryRow.version_id).in_(acknowledgement.versions))
        .where(col(tables.DeliveryRow.practice) == work.actor.ods)
        .where(col(tables.DeliveryRow.state) == DeliveryState.OPEN)
        .order_by(col(tables.DeliveryRow.id))
        .with_for_update()
    )
    owed = work.session.exec(asked).all()
    for delivery in owed:
        outbox.deliver(work, delivery)
    own, outcome = own_versions(work, acknowledgement), acknowledgement.outcome
    settled = _settle(work, own)
    not_shown = own if outcome is AcknowledgementOutcome.FILED_NOT_SHOWN else ()
    kept = [version for version in not_shown if keep(work, version, acknowledgement)]
    news = {delivery.version_id for delivery in owed} | {one.id for one in (*settled, *kept)}
    work.record(
        Deed.ACKNOWLEDGED,
        versions=len(news),
        outcome=outcome,
        settled=names_of(settled),
        kept=names_of(kept),
    )
    return len(news)


def take_query(work: Work, acknowledgement: Acknowledgement) -> int:
    """Asks the agency whose versions these are. Returns how many questions are new.

    A copy that was taken back meanwhile raises no question.
    """
    kept = []
    for version in own_versions(work, acknowledgement):
        copy = work.session.get_one(tables.CopyRow, version.copy_id)
        there = copy.status is not CopyStatus.REMOVED
        if there and keep(work, version, acknowledgement):
            kept.append(version)
            reason = str(acknowledgement.reason)
            work.record(Deed.QUERIED, copy=copy.id, version=version.id, reason=reason)
    told = names_of(kept)
    work.record(Deed.ACKNOWLEDGED, versions=len(kept), outcome=acknowledgement.outcome, kept=told)
    return len(kept)


def names_of(versions: Sequence[tables.VersionRow]) -> str:
    """Returns the versions' names for the audit: each by its copy and its id."""
    return " ".join(f"{version.copy_id}/{version.id}" for version in versions)


def own_versions(work: Work, acknowledgement: Acknowledgement) -> Sequence[tables.VersionRow]:
    """Returns those of the versions that are the caller's, and leaves out others."""
    asked = (
        select(tables.VersionRow)
        .where(col(tables.VersionRow.id).in_(acknowledgement.versions))
        .where(col(tables.VersionRow.practice) == work.actor.ods)
        .order_by(col(tables.VersionRow.id))
    )
    return work.session.exec(asked).all()


def keep(work: Work, version: tables.VersionRow, acknowledgement: Acknowledgement) -> bool:
    """Keeps an answer to one version, for each ground of its copy: each agency is asked for itself.

    Returns False where it was given before. A question is asked anew once it was settled, or once
    the ground's plan has said more. Two that are kept at once meet in the unique key.
    """
    asked = (
        select(tables.NamingRow, tables.PlanRow)
        .where(col(tables.GroundRow.copy_id) == version.copy_id)
        .where(col(tables.NamingRow.id) == col(tables.GroundRow.naming_id))
        .where(col(tables.PlanRow.id) == col(tables.NamingRow.plan_id))
        .order_by(col(tables.NamingRow.id))
    )
    grounds = work.session.exec(asked).all()
    news = [
        _keep(work, version, acknowledgement, naming=naming, plan=plan) for naming, plan in grounds
    ]
    return any(news)


def _keep(
    work: Work,
    version: tables.VersionRow,
    acknowledgement: Acknowledgement,
    *,
    naming: tables.NamingRow,
    plan: tables.PlanRow,
) -> bool:
    outcome, reason = acknowledgement.outcome, acknowledgement.reason or ""
    asks = outcome is AcknowledgementOutcome.QUERIED
    there = select(tables.AcknowledgementRow).where(
        col(tables.AcknowledgementRow.version_id) == version.id,
        col(tables.AcknowledgementRow.naming_id) == naming.id,
        col(tables.AcknowledgementRow.outcome) == outcome,
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
        copy_id=version.copy_id,
        naming_id=naming.id,
        plan_version=plan.version,
        practice=work.actor.ods,
        outcome=outcome,
        reason=reason,
        at=work.now,
        open=asks,
    )
    work.session.add(row)
    return True


def _settle(work: Work, filed: Sequence[tables.VersionRow]) -> list[tables.VersionRow]:
    """Settles what was asked about these versions. Returns those about which something was asked.

    Other versions stay unsettled: an older one may be filed late.
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
    """Returns the questions to one agency, or to all, about what still stands as it stood then.

    Each is about a ground on which the copy stands yet.
    """
    asked = (
        select(tables.AcknowledgementRow)
        .where(col(tables.AcknowledgementRow.open))
        .where(col(tables.AcknowledgementRow.naming_id) == col(tables.NamingRow.id))
        .where(col(tables.NamingRow.plan_id) == col(tables.PlanRow.id))
        .where(col(tables.AcknowledgementRow.plan_version) == col(tables.PlanRow.version))
        .where(
            col(tables.AcknowledgementRow.copy_id) == col(tables.CopyRow.id),
            col(tables.CopyRow.status) != CopyStatus.REMOVED,
        )
        .where(
            col(tables.GroundRow.copy_id) == col(tables.AcknowledgementRow.copy_id),
            col(tables.GroundRow.naming_id) == col(tables.AcknowledgementRow.naming_id),
        )
        .order_by(col(tables.AcknowledgementRow.at), col(tables.AcknowledgementRow.id))
    )
    if ods is not None:
        asked = asked.where(col(tables.PlanRow.ods) == ods)
    return work.session.exec(asked).all()
