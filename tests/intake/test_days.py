"""Days counted by a policy's intervals: months end where they end, and clocks run early."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flagservice.intake.policies.rulebook import day_after

DAYS = st.dates(min_value=date(2000, 1, 1), max_value=date(2100, 1, 1))


@pytest.mark.parametrize(
    ("day", "interval", "later"),
    [
        ("2022-01-04", "3 months", "2022-04-04"),
        ("2022-01-31", "1 months", "2022-02-28"),
        ("2024-01-31", "1 months", "2024-02-29"),
        ("2023-11-30", "3 months", "2024-02-29"),
        ("2022-11-30", "3 months", "2023-02-28"),
        ("2022-08-31", "6 months", "2023-02-28"),
        ("2022-10-31", "1 months", "2022-11-30"),
        ("2022-10-31", "2 months", "2022-12-31"),
        ("2022-12-31", "12 months", "2023-12-31"),
        ("2024-02-29", "12 months", "2025-02-28"),
        ("2022-12-15", "1 months", "2023-01-15"),
        ("2022-01-04", "30 days", "2022-02-03"),
        ("2022-01-04", "1 working day", "2022-01-05"),
        ("2022-01-07", "1 working day", "2022-01-10"),
        ("2022-01-08", "1 working day", "2022-01-10"),
        ("2022-01-06", "2 working days", "2022-01-10"),
        ("2022-03-01", "45 working days", "2022-05-03"),
        ("2022-01-04", "5 working days", "2022-01-11"),
    ],
)
def test_an_interval_ends_on_its_day(day: str, interval: str, later: str) -> None:
    assert day_after(date.fromisoformat(day), interval) == date.fromisoformat(later)


@pytest.mark.parametrize("interval", [None, "with-plan"])
def test_without_an_interval_of_its_own_a_copy_has_no_day(interval: str | None) -> None:
    assert day_after(date(2022, 1, 4), interval) is None


@given(DAYS, st.integers(0, 36))
def test_months_later_is_the_same_day_or_the_last_of_its_month(day: date, months: int) -> None:
    later = day_after(day, f"{months} months")
    assert later is not None
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
    assert later.day == day.day or (later + timedelta(days=1)).day == 1
    assert later.day <= day.day


@given(DAYS, st.integers(1, 60))
def test_working_days_later_is_a_working_day_with_that_many_up_to_it(day: date, count: int) -> None:
    later = day_after(day, f"{count} working days")
    assert later is not None
    between = [day + timedelta(days=n) for n in range(1, (later - day).days + 1)]
    assert later.weekday() < 5
    assert sum(one.weekday() < 5 for one in between) == count
