"""Who may call, and how a caller's repeated request is answered."""

from sqlalchemy import LargeBinary
from sqlmodel import Field, SQLModel

from flagservice.store.columns import Count


class ClientRow(SQLModel, table=True):
    """A registered organisation's keys, its kind and its scopes."""

    __tablename__ = "client"

    id: str = Field(primary_key=True)
    ods: str = Field(index=True)
    kind: str
    scopes: str
    keys: str
    revoked: bool = False


class AssertionRow(SQLModel, table=True):
    """A client assertion that was used. None is taken twice."""

    __tablename__ = "assertion"

    id: str = Field(primary_key=True)
    expires: int = Field(index=True, sa_type=Count)


class IdempotencyRow(SQLModel, table=True):
    """The answer to an `Idempotency-Key`, for ever. `request` is a digest of the body."""

    __tablename__ = "idempotency"

    id: str = Field(primary_key=True)
    request: str
    status: int
    data_key: bytes = Field(sa_type=LargeBinary)
    sealed: bytes = Field(sa_type=LargeBinary)
