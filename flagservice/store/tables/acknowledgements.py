"""A practice's answers to a version, besides the receipt that closes a delivery."""

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from flagservice.domain.acknowledgements import AcknowledgementOutcome
from flagservice.store.columns import EnumText, Instant


class AcknowledgementRow(SQLModel, table=True):
    """A version was filed out of the patient's sight, queried, or rejected; in codes.

    There is one for each ground of the copy, so that each agency is asked for itself. A query is
    `open` until its practice files that very version. `plan_version` is the version of the ground's
    plan at that time.
    """

    __tablename__ = "acknowledgement"

    __table_args__ = (
        UniqueConstraint("version_id", "naming_id", "outcome", "reason"),
        Index("ix_acknowledgement_outcome_at", "outcome", "at"),
    )
    id: str = Field(primary_key=True)
    version_id: str = Field(foreign_key="version.id")
    copy_id: str = Field(foreign_key="copy.id", index=True)
    naming_id: str = Field(foreign_key="naming.id", index=True)
    plan_version: int
    practice: str
    outcome: AcknowledgementOutcome = Field(sa_type=EnumText(AcknowledgementOutcome))
    reason: str
    at: datetime = Field(sa_type=Instant)
    open: bool = False
