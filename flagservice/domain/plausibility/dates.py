"""Days that cannot be: a year that was mistyped would otherwise reach a record.

The children in need census has such checks, too (rules 8530Q, 8606 and 8841).
https://www.gov.uk/guidance/children-in-need-census
"""

from datetime import date, timedelta
from typing import Final

from dateutil.relativedelta import relativedelta

from flagservice.domain.errors import Fault

FIRST_BIRTH: Final = date(1900, 1, 1)
FIRST_START: Final = date(1948, 1, 1)
PREGNANCY: Final = timedelta(days=300)
"""Forty weeks, and room for a birth that is late."""
OVERDUE: Final = timedelta(days=28)
"""After so long a birth has to be known."""
REVIEWS: Final = relativedelta(years=2)


def birth_faults(field: str, born: date, *, today: date) -> list[Fault]:
    """Returns what is wrong with a date of birth."""
    if born > today:
        return [Fault(field, "is in the future")]
    return [Fault(field, "is before 1900")] if born < FIRST_BIRTH else []


def expected_faults(field: str, expected: date, *, today: date) -> list[Fault]:
    """Returns what is wrong with an expected date, whenever that is said."""
    return [Fault(field, "is more than 300 days ahead")] if expected - today > PREGNANCY else []


def overdue_faults(field: str, expected: date, *, since: date) -> list[Fault]:
    """Returns what is wrong with an expected date by which nobody was born since."""
    if since - expected > OVERDUE:
        return [Fault(field, "is more than 28 days past: say that the child was born, or end it")]
    return []


def start_faults(start: date, *, today: date, birth: date | None) -> list[Fault]:
    """Returns what is wrong with a start; work on a child may begin while its mother expects it."""
    if start > today:
        return [Fault("start", "is in the future: send it on the day")]
    if start < FIRST_START:
        return [Fault("start", "is before 1948")]
    if birth is not None and birth - start > PREGNANCY:
        return [Fault("start", "is more than 300 days before the child's birth")]
    return []


def review_faults(review: date, *, start: date, today: date) -> list[Fault]:
    """Returns what is wrong with the day of the next review."""
    if review <= start:
        return [Fault("review_due", "is not after start")]
    if review > today + REVIEWS:
        return [Fault("review_due", "is more than two years ahead")]
    return []
