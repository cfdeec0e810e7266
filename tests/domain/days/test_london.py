"""Which day it is, on both sides of both changes of the clocks."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from flagservice.domain.days.london import day_of


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        # In winter London keeps UTC.
        ("2026-01-31T23:59:59+00:00", "2026-01-31"),
        ("2026-02-01T00:00:00+00:00", "2026-02-01"),
        # The clocks go forward on 29 March 2026 at 01:00 UTC: that day still begins in winter.
        ("2026-03-28T23:59:59+00:00", "2026-03-28"),
        ("2026-03-29T00:00:00+00:00", "2026-03-29"),
        ("2026-03-29T22:59:59+00:00", "2026-03-29"),
        ("2026-03-29T23:00:00+00:00", "2026-03-30"),
        # In summer a day begins an hour before UTC's.
        ("2026-06-30T22:59:59+00:00", "2026-06-30"),
        ("2026-06-30T23:00:00+00:00", "2026-07-01"),
        ("2026-06-30T23:05:00+00:00", "2026-07-01"),
        # They go back on 25 October 2026 at 01:00 UTC: that day still begins in summer.
        ("2026-10-24T22:59:59+00:00", "2026-10-24"),
        ("2026-10-24T23:00:00+00:00", "2026-10-25"),
        ("2026-10-25T23:59:59+00:00", "2026-10-25"),
        ("2026-10-26T00:00:00+00:00", "2026-10-26"),
    ],
)
def test_a_day_begins_at_midnight_in_london(instant: str, day: str) -> None:
    assert day_of(datetime.fromisoformat(instant)) == date.fromisoformat(day)


def test_the_zone_in_which_an_instant_is_written_changes_no_day() -> None:
    at = datetime(2026, 6, 30, 23, 5, tzinfo=UTC)
    for hours in range(-12, 15):
        assert day_of(at.astimezone(timezone(timedelta(hours=hours)))) == date(2026, 7, 1)
