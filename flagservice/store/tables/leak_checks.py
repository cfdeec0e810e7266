"""Leak checks: who may sign a result, and the results that were accepted."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, LargeBinary
from sqlmodel import Field, SQLModel

from flagservice.store.columns import EnumText, Instant


class AcceptedVerdict(StrEnum):
    """What an accepted result says. An inconclusive result is not accepted."""

    CLEAN = "clean"
    LEAKS = "leaks"


class CheckerRow(SQLModel, table=True):
    """A key that may sign results, by its name. `sealed` is who decided so, and why."""

    __tablename__ = "checker"

    name: str = Field(primary_key=True)
    public_key: bytes = Field(sa_type=LargeBinary)
    added: datetime = Field(sa_type=Instant)
    revoked: datetime | None = Field(default=None, sa_type=Instant)
    data_key: bytes = Field(sa_type=LargeBinary)
    sealed: bytes = Field(sa_type=LargeBinary)


class LeakResultRow(SQLModel, table=True):
    """A result for one version of one system. `note` is the file as it was signed.

    The id is a digest of system, version, instant and transcript, so that a run that is signed anew
    is the same result. `sealed` is who accepted it, who withdrew it, and why.
    """

    __tablename__ = "leak_result"
    __table_args__ = (Index("ix_leak_result_system", "system", "system_version"),)
    id: str = Field(primary_key=True)
    checker: str = Field(foreign_key="checker.name", index=True)
    system: str
    system_version: str
    run_at: datetime = Field(sa_type=Instant)
    verdict: AcceptedVerdict = Field(sa_type=EnumText(AcceptedVerdict))
    accepted: datetime = Field(sa_type=Instant)
    withdrawn: datetime | None = Field(default=None, sa_type=Instant)
    note: str
    data_key: bytes = Field(sa_type=LargeBinary)
    sealed: bytes = Field(sa_type=LargeBinary)
