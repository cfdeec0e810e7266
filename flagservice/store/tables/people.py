"""Whose records there are, and where each person is registered."""

from sqlalchemy import LargeBinary
from sqlmodel import Field, SQLModel


class PersonRow(SQLModel, table=True):
    """A person with a record. `sealed` is the NHS number."""

    __tablename__ = "person"

    id: str = Field(primary_key=True)
    pseudonym: str = Field(unique=True)
    data_key: bytes = Field(sa_type=LargeBinary)
    sealed: bytes = Field(sa_type=LargeBinary)


class RegistrationRow(SQLModel, table=True):
    """Where a person is registered, as the register last said.

    `sealed` has the NHS number as well.
    """

    __tablename__ = "registration"

    id: str = Field(primary_key=True)
    pseudonym: str = Field(unique=True)
    data_key: bytes = Field(sa_type=LargeBinary)
    sealed: bytes = Field(sa_type=LargeBinary)
