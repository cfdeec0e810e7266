"""What is kept. A table is a table: nothing here validates, and everything personal is sealed.

Ids are random; a person is found by pseudonym. Columns named `sealed` hold AES-256-GCM bodies
that open only with the row's data key, the table's name, the row's id and its version.
"""

from datetime import date, datetime

from sqlalchemy import Index, LargeBinary, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from flagservice.domain.copies import CopyStatus, DeliveryState, Form, NotReached, ReceiptWord
from flagservice.domain.elements import Kind
from flagservice.domain.holds import Escalation, HoldOutcome, Owner
from flagservice.domain.people import Role
from flagservice.policy.rows import PlacementAction
from flagservice.store.columns import EnumText
from flagservice.store.counts import Count
from flagservice.store.instants import Instant


class ClientRow(SQLModel, table=True):
    """A registered organisation's key: who may call, and with what right."""

    __tablename__ = "client"

    id: str = Field(primary_key=True)
    ods: str = Field(index=True)
    kind: str
    scopes: str
    keys: str
    revoked: bool = False


class AssertionRow(SQLModel, table=True):
    """A client assertion that was used: none is taken twice."""

    __tablename__ = "assertion"

    id: str = Field(primary_key=True)
    expires: int = Field(index=True, sa_type=Count)


class IdempotencyRow(SQLModel, table=True):
    """The answer that an `Idempotency-Key` got, for ever; `request` is the body's keyed digest."""

    __tablename__ = "idempotency"

    id: str = Field(primary_key=True)
    request: str
    status: int
    data_key: bytes = Field(sa_type=LargeBinary)
    sealed: bytes = Field(sa_type=LargeBinary)


class PersonRow(SQLModel, table=True):
    """Somebody with a record. `sealed` is the NHS number."""

    __tablename__ = "person"

    id: str = Field(primary_key=True)
    pseudonym: str = Field(unique=True)
    data_key: bytes = Field(sa_type=LargeBinary)
    sealed: bytes = Field(sa_type=LargeBinary)


class RegistrationRow(SQLModel, table=True):
    """Where a person is registered, as the register last said; `sealed` has the number, too."""

    __tablename__ = "registration"

    id: str = Field(primary_key=True)
    pseudonym: str = Field(unique=True)
    data_key: bytes = Field(sa_type=LargeBinary)
    sealed: bytes = Field(sa_type=LargeBinary)


class PlanRow(SQLModel, table=True):
    """A plan, enquiry or notification by its reference, at its newest version."""

    __tablename__ = "plan"

    __table_args__ = (UniqueConstraint("ods", "reference"),)
    id: str = Field(primary_key=True)
    ods: str
    reference: str
    kind: Kind = Field(sa_type=EnumText(Kind))
    version: int
    ended: bool = False
    data_key: bytes = Field(sa_type=LargeBinary)


class SubmissionRow(SQLModel, table=True):
    """One version of a plan, as it was sent, for ever. `digest` tells a repeat from a conflict."""

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
    """What a plan's newest version that named a person says about that person.

    `current` is false once a later version no longer names the person, and `dropped` unless that
    version ended the plan. `word` and `delivered` are
    the receipt's; `own_digest` tells whether the submitter's own words, alone, changed anything.
    """

    __tablename__ = "naming"

    id: str = Field(primary_key=True)
    plan_id: str = Field(foreign_key="plan.id", index=True)
    person_id: str | None = Field(default=None, foreign_key="person.id", index=True)
    place: int
    version: int
    current: bool = True
    dropped: bool = False
    word: ReceiptWord = Field(default=ReceiptWord.ACCEPTED, sa_type=EnumText(ReceiptWord))
    own_digest: str = ""
    delivered: bool = False
    data_key: bytes = Field(sa_type=LargeBinary)
    sealed: bytes = Field(sa_type=LargeBinary)


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


class HoldRow(SQLModel, table=True):
    """A placement that waits for a named side. `sealed` is who decided, and why."""

    __tablename__ = "hold"

    id: str = Field(primary_key=True)
    plan_id: str = Field(foreign_key="plan.id", index=True)
    person_id: str = Field(foreign_key="person.id", index=True)
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
    labels: str
    says: str
    digest: str
    placed: date
    review: date | None = None
    expires: date | None = None


class VersionRow(SQLModel, table=True):
    """One version of a copy, at its number in its practice's feed of its form. `sealed`: bytes."""

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

    One row, so that one lock orders whatever is owed to a practice; `last` counts all of it.
    """

    __tablename__ = "feed_counter"
    practice: str = Field(primary_key=True)
    last: int = 0
    flags: int = 0
    requests: int = 0
    issued: datetime = Field(sa_type=Instant)


class DeliveryRow(SQLModel, table=True):
    """A version that is owed to a practice. Closed only as promise P2 says; `sealed`: by whom."""

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
    """One try to deliver, and how it went."""

    __tablename__ = "attempt"

    id: str = Field(primary_key=True)
    delivery_id: str = Field(foreign_key="delivery.id", index=True)
    number: int
    at: datetime = Field(sa_type=Instant)
    outcome: str


class EndpointRow(SQLModel, table=True):
    """How a practice is reached, and what it runs; `sealed`: its token, and who registered it."""

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


class RulingRow(SQLModel, table=True):
    """One answer of a policy: element, action, rules; never a value. `sealed` is the case."""

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


class LeafRow(SQLModel, table=True):
    """One entry of the audit, as written; `position` is its place in the tree, once it has one.

    Its key counts up, so that writing one touches the end of the table and nothing else.
    """

    __tablename__ = "leaf"

    __table_args__ = (
        Index(
            "ix_leaf_waiting",
            "row",
            sqlite_where=text("position IS NULL"),
            postgresql_where=text("position IS NULL"),
        ),
    )
    row: int | None = Field(default=None, primary_key=True, sa_type=Count)
    id: str
    at: datetime = Field(sa_type=Instant)
    body: bytes = Field(sa_type=LargeBinary)
    position: int | None = Field(default=None, unique=True, sa_type=Count)


class TreeHeadRow(SQLModel, table=True):
    """The tree as far as it is built. One row, locked to append."""

    __tablename__ = "tree_head"
    id: int = Field(primary_key=True)
    size: int = Field(sa_type=Count)
    frontier: bytes = Field(sa_type=LargeBinary)


class CheckpointRow(SQLModel, table=True):
    """A signed head of the tree."""

    __tablename__ = "checkpoint"

    size: int = Field(primary_key=True, sa_type=Count)
    note: str
    at: datetime = Field(sa_type=Instant)
