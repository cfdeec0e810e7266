"""What stands at each practice: copies, their versions, and the practice's feeds."""

from datetime import date, datetime

from sqlalchemy import Index, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from flagservice.domain.copies import CopyStatus, Form, Label
from flagservice.domain.elements import Element, Kind
from flagservice.store.columns import EnumText, EnumTexts, Instant


class CopyRow(SQLModel, table=True):
    """A flag or request at one practice. `digest` is a keyed digest of what it now says."""

    __tablename__ = "copy"

    __table_args__ = (Index("ix_copy_person_plan", "person_id", "plan_id"),)
    id: str = Field(primary_key=True)
    person_id: str = Field(foreign_key="person.id")
    plan_id: str = Field(foreign_key="plan.id", index=True)
    kind: Kind = Field(sa_type=EnumText(Kind))
    form: Form = Field(sa_type=EnumText(Form))
    practice: str = Field(index=True)
    number: int
    status: CopyStatus = Field(sa_type=EnumText(CopyStatus))
    labels: tuple[Label, ...] = Field(sa_type=EnumTexts(Label))
    says: tuple[Element, ...] = Field(sa_type=EnumTexts(Element))
    digest: str
    placed: date
    review: date | None = None
    expires: date | None = None


class VersionRow(SQLModel, table=True):
    """One version of a copy, and its number in its practice's feed. `sealed` is its bytes."""

    __tablename__ = "version"

    __table_args__ = (
        UniqueConstraint("copy_id", "number"),
        UniqueConstraint("practice", "form", "feed_number"),
        Index("ix_version_practice_form_issued", "practice", "form", "issued"),
    )
    id: str = Field(primary_key=True)
    copy_id: str = Field(foreign_key="copy.id", index=True)
    number: int
    practice: str
    form: Form = Field(sa_type=EnumText(Form))
    feed_number: int
    issued: datetime = Field(sa_type=Instant)
    withdrawn: bool = False
    served: bool = False
    sealed: bytes = Field(sa_type=LargeBinary)


class FeedCounterRow(SQLModel, table=True):
    """A practice's feeds, one for each form: the last numbers given, and the last instant.

    It is one row, so that one lock orders all that is owed to a practice. `last` counts all of it.
    """

    __tablename__ = "feed_counter"
    practice: str = Field(primary_key=True)
    last: int = 0
    flags: int = 0
    requests: int = 0
    issued: datetime = Field(sa_type=Instant)
