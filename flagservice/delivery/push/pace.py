"""Measures how fast deliveries are sent, and so how many may be claimed at once."""

from collections import deque
from datetime import timedelta

MOST = 20
"""no batch is larger: another worker may be idle"""
_LATELY = 20


class Pace:
    """How long the last few sends took, each with its concluding commit."""

    def __init__(self) -> None:
        self._took: deque[timedelta] = deque(maxlen=_LATELY)

    def sent(self, took: timedelta) -> None:
        """Counts one send. A time below zero, from a clock set back, counts as none."""
        self._took.append(max(took, timedelta(0)))

    def batch(self, hands: int, *, within: timedelta) -> int:
        """Returns how many versions the hands can send in this time; one each until measured."""
        if not self._took:
            return hands
        each = sum(self._took, timedelta(0)) / len(self._took)
        fit = hands * (within // each) if each else MOST
        return max(hands, min(fit, MOST))
