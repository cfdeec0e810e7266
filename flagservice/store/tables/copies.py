"""What stands at each practice: copies, their versions, and the practice's feeds."""

from datetime import date, datetime

from sqlalchemy import Index, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from flagservice.domain.copies import CopyStatus, Form, Label
from flagservice.domain.elements import Element, Kind
from flagservice.store.columns import EnumText, EnumTexts, Instant


class CopyRow(SQLModel, table=True):
    """A flag or request about one concern, at one practice.

    `code` is the concern's start code, whatever the copy tells now. `agency` is None where the
    record may not be told whose concern it is: then all agencies' is one. `digest` is a keyed
    digest of what it now says.
    """

    __tablename__ = "copy"

    id: str = Field(primary_key=True)
    person_id: str = Field(foreign_key="person.id", index=True)
    kind: Kind = Field(sa_type=EnumText(Kind))
    code: str
    agency: str | None = None
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


class GroundRow(SQLModel, table=True):
    """What a plan says of the person, and on which a copy stands. Of a removed copy: stood.

    `kind` is what it is ruled on by. `former` is what the plan said before: as it was before a
    birth, or before it was opened again.
    `review` is the day by which this ground is to be reviewed.
    """

    __tablename__ = "ground"

    copy_id: str = Field(primary_key=True, foreign_key="copy.id")
    naming_id: str = Field(primary_key=True, foreign_key="naming.id", index=True)
    kind: Kind = Field(sa_type=EnumText(Kind))
    former: bool = False
    review: date | None = None


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
