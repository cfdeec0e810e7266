"""What agencies have said: each plan, every version of it, and whom it names."""

from datetime import datetime

from sqlalchemy import LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from flagservice.domain.copies import ReceiptWord
from flagservice.domain.elements import Kind
from flagservice.domain.statements import Withdrawal
from flagservice.store.columns import EnumText, Instant


class PlanRow(SQLModel, table=True):
    """A plan, enquiry or notification by its reference, at its newest version.

    `ended_by` is the newest version that ended it; a newer one may have opened it again.
    `withdrawn_by` is the newest that took all of it back, and `withdrawn` is why.
    """

    __tablename__ = "plan"

    __table_args__ = (UniqueConstraint("ods", "reference"),)
    id: str = Field(primary_key=True)
    ods: str
    reference: str
    kind: Kind = Field(sa_type=EnumText(Kind))
    version: int
    ended: bool = False
    ended_by: int = 0
    withdrawn_by: int = 0
    withdrawn: Withdrawal | None = Field(default=None, sa_type=EnumText(Withdrawal))
    data_key: bytes = Field(sa_type=LargeBinary)


class SubmissionRow(SQLModel, table=True):
    """One version of a plan, as it was sent, for ever.

    `digest` tells a repeat from a conflict.
    """

    __tablename__ = "submission"

    __table_args__ = (UniqueConstraint("plan_id", "version"),)
    id: str = Field(primary_key=True)
    plan_id: str = Field(foreign_key="plan.id", index=True)
    version: int
    client_id: str
    digest: str
    received: datetime = Field(sa_type=Instant)
    sealed: bytes = Field(sa_type=LargeBinary)


class NamingRow(SQLModel, table=True):
    """What a plan says about one person, by the newest version that named that person.

    `accused` is whether this is what is said of the person as an alleged perpetrator: who is both
    has two namings. `current` is false once the newest version says it no more. `withdrawn` is why
    it was taken back. `word` and `delivered` are the receipt's. `own_digest` tells whether the
    submitter's own words, alone, changed anything.
    """

    __tablename__ = "naming"

    id: str = Field(primary_key=True)
    plan_id: str = Field(foreign_key="plan.id", index=True)
    person_id: str | None = Field(default=None, foreign_key="person.id", index=True)
    place: int
    version: int
    accused: bool = False
    current: bool = True
    withdrawn: Withdrawal | None = Field(default=None, sa_type=EnumText(Withdrawal))
    word: ReceiptWord = Field(default=ReceiptWord.ACCEPTED, sa_type=EnumText(ReceiptWord))
    own_digest: str = ""
    delivered: bool = False
    data_key: bytes = Field(sa_type=LargeBinary)
    sealed: bytes = Field(sa_type=LargeBinary)
