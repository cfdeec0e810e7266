"""Which versions of the pseudonym key rows may carry."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from flagservice.store.columns import Instant


class PseudonymVersionRow(SQLModel, table=True):
    """A version of the pseudonym key that rows may carry.

    Without any row it is the first version alone.
    """

    __tablename__ = "pseudonym_version"
    version: int = Field(primary_key=True)
    since: datetime = Field(sa_type=Instant)
