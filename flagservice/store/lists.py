"""Compares a column with many values, in a statement whose text does not depend on their number.

So SQLAlchemy does not write it anew each time, and PostgreSQL does not plan it anew.
"""

from collections.abc import Collection
from typing import Any

import orjson
from sqlalchemy import Boolean, ColumnElement, Text, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine


class TextList(TypeDecorator[Collection[str]]):
    """A list of texts as one value: an array in PostgreSQL, JSON in SQLite.

    It is for ids, codes and pseudonyms. PostgreSQL takes no NUL in a text, and SQLite's JSON finds
    none.
    """

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Returns the database's own type."""
        return ARRAY(Text()) if dialect.name == "postgresql" else Text()

    def process_bind_param(self, value: Collection[str] | None, dialect: Dialect) -> Any:
        """Returns the list as that type has it."""
        words = list(value or ())
        return words if dialect.name == "postgresql" else orjson.dumps(words).decode()


class _OneOf(FunctionElement[bool]):
    inherit_cache = True
    name = "one_of"
    type = Boolean()

    def self_group(self, against: object = None) -> "_OneOf":  # noqa: ARG002, as its base has it
        """Returns itself. As `... = 1`, which is SQLite's boolean, it would use no index."""
        return self


def one_of(column: Any, name: str) -> ColumnElement[bool]:
    """Returns the condition that a column is one of the texts given under this name."""
    return _OneOf(column, bindparam(name, type_=TextList()))


@compiles(_OneOf, "sqlite")
def _in_sqlite(element: _OneOf, compiler: SQLCompiler, **how: Any) -> str:
    column, given = element.clauses
    values = select(func.json_each(given).table_valued("value").c.value)
    return str(compiler.process(column.in_(values), **how))


@compiles(_OneOf, "postgresql")
def _in_postgresql(element: _OneOf, compiler: SQLCompiler, **how: Any) -> str:
    column, given = element.clauses
    return str(compiler.process(column == func.any(given), **how))
