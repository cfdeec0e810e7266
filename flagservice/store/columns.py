"""What a column holds, where that is more than its database knows."""

from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Integer, String
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine


class Count(TypeDecorator[int]):
    """Up to 2**63 - 1: BIGINT in PostgreSQL, and in SQLite INTEGER, which has as many bits."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """What the database keeps it as; SQLite counts up only what is called INTEGER."""
        return dialect.type_descriptor(Integer() if dialect.name == "sqlite" else BigInteger())


class Instant(TypeDecorator[datetime]):
    """An instant in UTC as sortable text, the same on every database."""

    impl = String(27)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _: Dialect) -> str | None:
        """To text."""
        if value is None:
            return None
        return value.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"

    def process_result_value(self, value: str | None, _: Dialect) -> datetime | None:
        """From text."""
        return None if value is None else datetime.fromisoformat(value)


class EnumTexts(TypeDecorator[tuple[StrEnum, ...]]):
    """Members of a closed set, kept as their texts with a space between."""

    impl = String
    cache_ok = True

    def __init__(self, members: type[StrEnum]) -> None:
        super().__init__()
        self.members = members

    def process_bind_param(self, value: Iterable[StrEnum] | None, _: Dialect) -> str | None:
        """To text."""
        return None if value is None else " ".join(self.members(one).value for one in value)

    def process_result_value(self, value: str | None, _: Dialect) -> tuple[StrEnum, ...] | None:
        """From text."""
        return None if value is None else tuple(self.members(one) for one in value.split())


class EnumText(TypeDecorator[StrEnum]):
    """One member of a closed set, kept as its text. Any other text is refused, both ways."""

    impl = String
    cache_ok = True

    def __init__(self, members: type[StrEnum]) -> None:
        super().__init__()
        self.members = members

    def process_bind_param(self, value: StrEnum | None, _: Dialect) -> str | None:
        """To text."""
        return None if value is None else self.members(value).value

    def process_result_value(self, value: str | None, _: Dialect) -> StrEnum | None:
        """From text."""
        return None if value is None else self.members(value)
