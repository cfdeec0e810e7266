"""What is owed to practices, each attempt to deliver it, and how a practice is reached."""

from datetime import datetime

from sqlalchemy import Index, LargeBinary
from sqlmodel import Field, SQLModel

from flagservice.domain.copies import DeliveryState
from flagservice.store.columns import EnumText, Instant


class DeliveryRow(SQLModel, table=True):
    """A version that is owed to a practice. `sealed` is who closed it by a decision.

    It closes by a verified receipt, by a newer version of the same copy, or by a recorded decision.
    """

    __tablename__ = "delivery"

    __table_args__ = (Index("ix_delivery_open_due", "state", "due"),)
    id: str = Field(primary_key=True)
    version_id: str = Field(foreign_key="version.id", unique=True)
    copy_id: str = Field(foreign_key="copy.id", index=True)
    person_id: str = Field(index=True)
    practice: str = Field(index=True)
    number: int
    state: DeliveryState = Field(sa_type=EnumText(DeliveryState))
    owed: datetime = Field(sa_type=Instant)
    due: datetime = Field(sa_type=Instant)
    leased_until: datetime | None = Field(default=None, sa_type=Instant)
    lease: str | None = None
    attempts: int = 0
    poisoned: bool = False
    outcome: str = ""
    closed: datetime | None = Field(default=None, sa_type=Instant)
    data_key: bytes | None = Field(default=None, sa_type=LargeBinary)
    sealed: bytes | None = Field(default=None, sa_type=LargeBinary)


class AttemptRow(SQLModel, table=True):
    """One attempt to deliver, and its outcome."""

    __tablename__ = "attempt"

    id: str = Field(primary_key=True)
    delivery_id: str = Field(foreign_key="delivery.id", index=True)
    number: int
    at: datetime = Field(sa_type=Instant)
    outcome: str


class EndpointRow(SQLModel, table=True):
    """How a practice is reached, and what it runs.

    `sealed` is its token, and who registered it.
    """

    __tablename__ = "endpoint"

    practice: str = Field(primary_key=True)
    url: str
    system: str
    system_version: str
    registered: datetime = Field(sa_type=Instant)
    suspended: datetime | None = Field(default=None, sa_type=Instant)
    failures: int = 0
    paused_until: datetime | None = Field(default=None, sa_type=Instant)
    data_key: bytes = Field(sa_type=LargeBinary)
    sealed: bytes = Field(sa_type=LargeBinary)
