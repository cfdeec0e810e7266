"""The one clock of the service: the system's, or for synthetic people a day set by a file."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from flagservice.domain.days.london import LONDON
from flagservice.domain.errors import CannotRun
from flagservice.settings import Settings

if TYPE_CHECKING:  # the audit brings a database with it, and whoever asks for the day need not
    from flagservice.audit.log import Clock


class NotInProduction(CannotRun):
    """Something for synthetic people alone was asked for where people may be real."""


@dataclass(frozen=True)
class SetClock:
    """The day that stands in a file, at the current time of day in London."""

    file: Path
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def __call__(self) -> datetime:
        """Returns the time of day now, on the file's day."""
        day = date.fromisoformat(self.file.read_text(encoding="ascii").strip())
        time_of_day = self.now().astimezone(LONDON).time()
        return datetime.combine(day, time_of_day, tzinfo=LONDON).astimezone(UTC)


def system_clock() -> datetime:
    """Returns the time now, in UTC."""
    return datetime.now(UTC)


def clock_of(settings: Settings) -> "Clock":
    """Returns the clock that the settings ask for; raises NotInProduction."""
    if settings.clock_file is None:
        return system_clock
    if not settings.synthetic:
        raise NotInProduction("a set clock is for synthetic people: FLAGSERVICE_SYNTHETIC=true")
    return SetClock(settings.clock_file)
