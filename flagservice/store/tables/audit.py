"""The audit: its leaves, the tree that is built of them, and the tree's signed heads."""

from datetime import datetime

from sqlalchemy import Index, LargeBinary, text
from sqlmodel import Field, SQLModel

from flagservice.store.columns import Count, Instant


class LeafRow(SQLModel, table=True):
    """One entry of the audit, as written. `position` is its place in the tree, once it has one.

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
    """The tree as far as it is built. The one row is locked to append."""

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
