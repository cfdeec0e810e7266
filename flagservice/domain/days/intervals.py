"""Counts the days of a policy's intervals: in days, in months, or in working days of England."""

from datetime import date, timedelta
from functools import cache
from typing import Final

from dateutil.relativedelta import relativedelta

WITH_PLAN: Final = "with-plan"
"""A review at the plan's own reviews: it has no day of its own."""
_SATURDAY: Final = 5
_ONE_DAY: Final = timedelta(days=1)


def day_after(day: date, interval: str | None) -> date | None:
    """Returns the day that lies an interval later: `3 months`, `45 working days`, `30 days`.

    In a month that is too short for the day, the interval ends on the month's last day.
    """
    if interval is None or interval == WITH_PLAN:
        return None
    count, unit = interval.split(" ", 1)
    match unit:
        case "months":
            return day + relativedelta(months=int(count))
        case "working days" | "working day":
            return _working_days_after(day, int(count))
        case _:
            return day + timedelta(days=int(count))


@cache
def bank_holidays(year: int) -> frozenset[date]:
    """Returns the bank holidays of England and Wales in a year, days in lieu included.

    It returns a copy, since the library fills a year while another thread may look into it.
    """
    # It takes half a second to import: what counts no working day does not wait for it.
    from holidays import country_holidays  # noqa: PLC0415

    return frozenset(country_holidays("GB", subdiv="ENG", years=year, expand=False))


def _working_days_after(day: date, count: int) -> date:
    while count:
        day += _ONE_DAY
        count -= _is_working_day(day)
    return day


def _is_working_day(day: date) -> bool:
    return day.weekday() < _SATURDAY and day not in bank_holidays(day.year)
