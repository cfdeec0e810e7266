"""Numbers that outgrow 32 bits: a busy service writes two thousand million leaves in a year."""

from typing import Any

from sqlalchemy import BigInteger, Integer
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine


class Count(TypeDecorator[int]):
    """Up to 2**63 - 1: BIGINT in PostgreSQL, and in SQLite INTEGER, which has as many bits."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """What the database keeps it as; SQLite counts up only what is called INTEGER."""
        return dialect.type_descriptor(Integer() if dialect.name == "sqlite" else BigInteger())
