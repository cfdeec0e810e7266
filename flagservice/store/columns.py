"""What a column holds, where that is more than its database knows."""

from enum import StrEnum

from sqlalchemy import String
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator


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
