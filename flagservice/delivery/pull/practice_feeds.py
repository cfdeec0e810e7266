"""Tells of many practices at once whether they are admitted, and how far their feeds are.

A practice that polls while there is nothing new is answered from this alone.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from sqlmodel import col, select

from flagservice.admission.endpoints import admitted_of
from flagservice.audit.log import Work
from flagservice.domain.copies import Form
from flagservice.store import tables
from flagservice.store.lists import one_of

_LAST: Final = select(
    col(tables.FeedCounterRow.practice),
    col(tables.FeedCounterRow.flags),
    col(tables.FeedCounterRow.requests),
).where(one_of(col(tables.FeedCounterRow.practice), "practices"))


@dataclass(frozen=True)
class PracticeFeeds:
    """Whether a practice is admitted, and the newest number of each of its feeds."""

    admitted: bool
    flags: int = 0
    requests: int = 0

    def last(self, form: Form) -> int:
        """Returns the newest number of this form's feed."""
        return self.requests if form is Form.REQUEST else self.flags


def practice_feeds(work: Work, practices: Collection[str]) -> Mapping[str, PracticeFeeds]:
    """Returns the feeds of each practice, in two statements however many there are."""
    admitted = admitted_of(work, practices)
    asked = {"practices": list(practices)}
    numbers = {row[0]: row[1:] for row in work.session.connection().execute(_LAST, asked)}
    return {one: PracticeFeeds(one in admitted, *numbers.get(one, ())) for one in practices}
