"""Whom a practice asked about who is not registered there, and the alarms that this raised.

A stranger's row says that some practice asked about a person. It says neither who. Its id is a
pseudonym of both together, so two practices that ask about one person have nothing in common.
"""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from flagservice.store.columns import EnumText, Instant


class AlarmCause(StrEnum):
    """What a practice did to more people than there is a reason for."""

    STRANGERS = "strangers"
    """asked about them, and they are not registered there"""
    REJECTIONS = "rejections"
    """said of them that they are not its patients"""


class StrangerRow(SQLModel, table=True):
    """A person whom a practice asked about, and who is not registered there.

    It is kept for a window of time.
    """

    __tablename__ = "stranger"

    __table_args__ = (Index("ix_stranger_practice_at", "practice", "at"),)
    id: str = Field(primary_key=True)
    practice: str
    at: datetime = Field(sa_type=Instant)


class AlarmRow(SQLModel, table=True):
    """A practice asked about more strangers, or rejected more people, than there is a reason for.

    `people` is the most that there were within a window, as long as the alarm stands.
    """

    __tablename__ = "alarm"

    id: str = Field(primary_key=True)
    practice: str
    cause: AlarmCause = Field(sa_type=EnumText(AlarmCause))
    raised: datetime = Field(sa_type=Instant, index=True)
    people: int
    hours: int
