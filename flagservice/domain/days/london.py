"""The days are London's: in summer, 1 July begins at 23:00 UTC of 30 June.

What people call "today", and every day that a record carries, is a day in London. Instants, in FHIR
and in the audit, stay in UTC.
"""

from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

LONDON: Final = ZoneInfo("Europe/London")


def day_of(instant: datetime) -> date:
    """Returns the day that it is in London at an instant."""
    return instant.astimezone(LONDON).date()
