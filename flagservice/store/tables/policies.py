"""Every policy text that ruled, who approved it, and when it came into force."""

from datetime import datetime

from sqlalchemy import LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from flagservice.domain.elements import Kind
from flagservice.store.columns import EnumText, Instant


class PolicyTextRow(SQLModel, table=True):
    """A policy that ruled, by its digest. A ruling can be made again from it."""

    __tablename__ = "policy_text"
    digest: str = Field(primary_key=True)
    kind: Kind = Field(sa_type=EnumText(Kind))
    version: int
    text: str


class ApproverRow(SQLModel, table=True):
    """A person who may approve policies, by their public key. `sealed` is name and role."""

    __tablename__ = "approver"

    id: str = Field(primary_key=True)
    pseudonym: str = Field(unique=True)
    public_key: str
    revoked: bool = False
    data_key: bytes = Field(sa_type=LargeBinary)
    sealed: bytes = Field(sa_type=LargeBinary)


class PolicyApprovalRow(SQLModel, table=True):
    """One approver's signature over one policy's text."""

    __tablename__ = "policy_approval"
    __table_args__ = (UniqueConstraint("digest", "approver_id"),)
    id: str = Field(primary_key=True)
    digest: str = Field(foreign_key="policy_text.digest")
    approver_id: str = Field(foreign_key="approver.id")
    at: datetime = Field(sa_type=Instant)
    signature: str


class PolicyChangeRow(SQLModel, table=True):
    """A policy that came into force. `current` marks the one of its kind that rules now.

    `swept` is the last person whose records it has ruled on again. It is None once all are done.
    `sealed` is why it came into force, and by whose word.
    """

    __tablename__ = "policy_change"
    __table_args__ = (UniqueConstraint("kind", "number"),)
    id: str = Field(primary_key=True)
    kind: Kind = Field(sa_type=EnumText(Kind))
    number: int
    digest: str = Field(foreign_key="policy_text.digest")
    at: datetime = Field(sa_type=Instant)
    current: bool = Field(default=True, index=True)
    swept: str | None = None
    data_key: bytes = Field(sa_type=LargeBinary)
    sealed: bytes = Field(sa_type=LargeBinary)
