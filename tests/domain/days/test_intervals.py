"""Days counted by a policy's intervals: months end where they end, and bank holidays are off."""

import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flagservice.domain.days.intervals import bank_holidays, day_after

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
        ("2022-01-04", "5 working days", "2022-01-11"),
    ],
)
def test_an_interval_ends_on_its_day(day: str, interval: str, later: str) -> None:
    assert day_after(date.fromisoformat(day), interval) == date.fromisoformat(later)


@pytest.mark.parametrize(
    ("day", "interval", "later"),
    [
        # https://www.gov.uk/bank-holidays, England and Wales
        ("2026-04-02", "1 working day", "2026-04-07"),  # Good Friday to Easter Monday
        ("2026-05-01", "1 working day", "2026-05-05"),  # early May
        ("2026-05-22", "1 working day", "2026-05-26"),  # spring
        ("2026-08-28", "2 working days", "2026-09-02"),  # summer
        ("2026-11-27", "2 working days", "2026-12-01"),  # no St Andrew's Day, as Scotland has
        ("2026-03-16", "1 working day", "2026-03-17"),  # no St Patrick's Day, as Ireland has
        ("2026-12-24", "1 working day", "2026-12-29"),  # Boxing Day is a Saturday
        ("2027-12-24", "2 working days", "2027-12-30"),  # so are both: two days in lieu
        ("2026-12-31", "1 working day", "2027-01-04"),  # over the end of a year
        ("2027-12-31", "1 working day", "2028-01-04"),  # New Year's Day is a Saturday
        ("2022-06-01", "1 working day", "2022-06-06"),  # two for a jubilee
        ("2022-09-16", "1 working day", "2022-09-20"),  # proclaimed nine days before
        ("2022-03-01", "45 working days", "2022-05-06"),  # an enquiry's review, over Easter
    ],
)
def test_a_bank_holiday_is_no_working_day(day: str, interval: str, later: str) -> None:
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
    working = [one for one in between if one.weekday() < 5 and one not in bank_holidays(one.year)]
    assert working[-1] == later
    assert len(working) == count


@pytest.mark.parametrize("year", range(2031, 2041))
def test_threads_that_count_at_once_know_the_same_bank_holidays(year: int) -> None:
    """The library fills a year while others may already look into it."""
    eve, interval = date(year, 12, 24), sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as hands:
            ends = set(hands.map(lambda _: day_after(eve, "1 working day"), range(8)))
    finally:
        sys.setswitchinterval(interval)
    assert ends == {day_after(eve, "1 working day")}
