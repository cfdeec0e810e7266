"""A column that is one of many values, in a statement whose words do not change with their number.

So that neither SQLAlchemy writes it anew each time, nor PostgreSQL parses and plans it anew.
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

    For ids, codes and pseudonyms: PostgreSQL takes no NUL in a text, and SQLite's JSON would not
    find one.
    """

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """What the database takes it as."""
        return ARRAY(Text()) if dialect.name == "postgresql" else Text()

    def process_bind_param(self, value: Collection[str] | None, dialect: Dialect) -> Any:
        """To that."""
        words = list(value or ())
        return words if dialect.name == "postgresql" else orjson.dumps(words).decode()


class _OneOf(FunctionElement[bool]):
    inherit_cache = True
    name = "one_of"
    type = Boolean()

    def self_group(self, against: object = None) -> "_OneOf":  # noqa: ARG002, as its base has it
        """As it is: made into `... = 1`, as SQLite's booleans are, it would use no index."""
        return self


def one_of(column: Any, name: str) -> ColumnElement[bool]:
    """Is the column one of the texts that are given under this name when it is executed?"""
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
