"""What is kept, and who could read it? The tables, the database, the vault and the feed."""

from sqlalchemy import MetaData
from sqlmodel import SQLModel

# Every table's constraints are named alike.
SQLModel.metadata.naming_convention = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
).naming_convention
