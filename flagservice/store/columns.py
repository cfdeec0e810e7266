"""Types of columns that a database does not have."""

from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Integer, String
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine


class Count(TypeDecorator[int]):
    """A number up to 2**63 - 1: the audit writes two thousand million leaves in a busy year.

    It is BIGINT in PostgreSQL. In SQLite it is INTEGER, which has as many bits.
    """

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Returns the database's own type. SQLite counts up only an INTEGER."""
        return dialect.type_descriptor(Integer() if dialect.name == "sqlite" else BigInteger())


class Instant(TypeDecorator[datetime]):
    """An instant in UTC as sortable text, the same in every database."""

    impl = String(27)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _: Dialect) -> str | None:
        """Returns the text of an instant."""
        if value is None:
            return None
        return value.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"

    def process_result_value(self, value: str | None, _: Dialect) -> datetime | None:
        """Returns the instant of a text."""
        return None if value is None else datetime.fromisoformat(value)


class EnumTexts(TypeDecorator[tuple[StrEnum, ...]]):
    """Members of a closed set, kept as their texts with a space between."""

    impl = String
    cache_ok = True

    def __init__(self, members: type[StrEnum]) -> None:
        super().__init__()
        self.members = members

    def process_bind_param(self, value: Iterable[StrEnum] | None, _: Dialect) -> str | None:
        """Returns the text of some members."""
        return None if value is None else " ".join(self.members(one).value for one in value)

    def process_result_value(self, value: str | None, _: Dialect) -> tuple[StrEnum, ...] | None:
        """Returns the members in a text."""
        return None if value is None else tuple(self.members(one) for one in value.split())


class EnumText(TypeDecorator[StrEnum]):
    """One member of a closed set, kept as its text. It refuses any other text, both ways."""

    impl = String
    cache_ok = True

    def __init__(self, members: type[StrEnum]) -> None:
        super().__init__()
        self.members = members

    def process_bind_param(self, value: StrEnum | None, _: Dialect) -> str | None:
        """Returns the text of a member."""
        return None if value is None else self.members(value).value

    def process_result_value(self, value: str | None, _: Dialect) -> StrEnum | None:
        """Returns the member of a text."""
        return None if value is None else self.members(value)
