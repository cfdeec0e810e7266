"""The clock that a file sets keeps its day for the whole of that day in London."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from flagservice.app.clock import SetClock
from flagservice.domain.days.london import day_of


@pytest.mark.parametrize("now", ["2026-11-29T23:30:00+00:00", "2026-07-01T23:30:00+00:00"])
@pytest.mark.parametrize("day", ["2022-01-05", "2021-06-14", "2026-03-29", "2026-10-25"])
def test_a_set_day_is_the_day_in_london_late_and_early(tmp_path: Path, now: str, day: str) -> None:
    (tmp_path / "day").write_text(f"{day}\n", encoding="ascii")
    clock = SetClock(tmp_path / "day", now=lambda: datetime.fromisoformat(now))
    told = clock()
    assert day_of(told) == date.fromisoformat(day)
    assert told.tzinfo is UTC


def test_without_more_a_set_clock_goes_on_with_the_systems_time(tmp_path: Path) -> None:
    (tmp_path / "day").write_text("2022-01-05", encoding="ascii")
    clock = SetClock(tmp_path / "day")
    first, second = clock(), clock()
    assert first <= second
    assert day_of(first) == date(2022, 1, 5)
