"""What was ruled, what waits for a decision, and which records are not reached."""

from datetime import date, datetime

from sqlalchemy import LargeBinary
from sqlmodel import Field, SQLModel

from flagservice.domain.copies import NotReached
from flagservice.domain.elements import Kind
from flagservice.domain.holds import Escalation, HoldOutcome, Owner, Question
from flagservice.domain.people import Role
from flagservice.policy.rows import PlacementAction
from flagservice.store.columns import EnumText, Instant


class RulingRow(SQLModel, table=True):
    """One answer of a policy: elements, actions and rules, never a value.

    `sealed` is the case.
    """

    __tablename__ = "ruling"

    id: str = Field(primary_key=True)
    plan_id: str = Field(index=True)
    person_id: str = Field(index=True)
    copy_id: str | None = Field(default=None, index=True)
    kind: Kind = Field(sa_type=EnumText(Kind))
    day: date = Field(index=True)
    at: datetime = Field(sa_type=Instant)
    policy_version: int
    policy_digest: str
    placement: str
    action: PlacementAction = Field(sa_type=EnumText(PlacementAction))
    elements: str
    sealed: bytes = Field(sa_type=LargeBinary)


class HoldRow(SQLModel, table=True):
    """A question that waits for a side to answer. `sealed` is who decided, and why."""

    __tablename__ = "hold"

    id: str = Field(primary_key=True)
    plan_id: str = Field(foreign_key="plan.id", index=True)
    person_id: str = Field(foreign_key="person.id", index=True)
    question: Question = Field(sa_type=EnumText(Question))
    owner: Owner = Field(sa_type=EnumText(Owner))
    owner_ods: str = Field(index=True)
    then: Escalation = Field(sa_type=EnumText(Escalation))
    opened: date
    due: date
    open: bool = True
    about: str
    version: int
    outcome: HoldOutcome | None = Field(default=None, sa_type=EnumText(HoldOutcome))
    decided_at: datetime | None = Field(default=None, sa_type=Instant)
    data_key: bytes | None = Field(default=None, sa_type=LargeBinary)
    sealed: bytes | None = Field(default=None, sa_type=LargeBinary)


class LookupRow(SQLModel, table=True):
    """A record that is not reached yet, because the person or the practice is not known."""

    __tablename__ = "lookup"

    id: str = Field(primary_key=True)
    plan_id: str = Field(foreign_key="plan.id", index=True)
    person_id: str | None = Field(default=None, foreign_key="person.id", index=True)
    role: Role = Field(sa_type=EnumText(Role))
    reason: NotReached = Field(sa_type=EnumText(NotReached))
    opened: date
    closed: date | None = None
