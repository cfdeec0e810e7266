"""Group commit: questions that wait at one time share a transaction, and so one write to disk.

A GP system that polls for nothing new costs a leaf. The leaf has to be durable before the first
byte of the answer. One thread answers all who wait:

1. Take all that wait.
2. Answer them together, in a few statements however many they are.
3. Write every leaf in one statement, and commit.
4. Hand all answers over at once.

A question without an answer here has left no trace. Its caller goes the ordinary way, and meets its
refusal or its fault there.
"""

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

import structlog

from flagservice.audit.log import Actor, Log, Unrecorded, Work

Q = TypeVar("Q")
A = TypeVar("A")
Answering = Callable[[Sequence[Work], Sequence[Q]], Sequence[A | None]]
"""An answer to each question, or None. A question with an answer leaves a leaf; no other does."""
MOST: Final = 256
"""Questions in one transaction, so that none waits for ever."""
_IDLE_SECONDS: Final = 2.0
_log = structlog.get_logger()


@dataclass
class _Waiting(Generic[Q, A]):
    """A question, and the loop on which its answer is awaited."""

    actor: Actor
    question: Q
    awaited: asyncio.Future[A | None]
    answer: A | None = field(default=None)

    def settle(self) -> None:
        """Hands the answer over, on its own loop, unless the caller went away."""
        if not self.awaited.cancelled():
            self.awaited.set_result(self.answer)


class GroupCommit(Generic[Q, A]):
    """Answers questions in groups, from a thread that lasts while there is something to do."""

    def __init__(self, log: Log, answering: Answering[Q, A]) -> None:
        self._log = log
        self._answering = answering
        self._gathered: dict[asyncio.AbstractEventLoop, list[_Waiting[Q, A]]] = {}
        self._waiting: queue.SimpleQueue[_Waiting[Q, A]] = queue.SimpleQueue()
        self._turn = threading.Lock()
        self._runs = False

    async def ask(self, actor: Actor, question: Q) -> A | None:
        """Returns the answer once its leaf is durable, or None where there is none here."""
        loop = asyncio.get_running_loop()
        awaited: asyncio.Future[A | None] = loop.create_future()
        if loop not in self._gathered:
            # Other questions of this turn of the loop are taken along.
            self._gathered[loop] = []
            loop.call_soon(self._hand_in, loop)
        self._gathered[loop].append(_Waiting(actor, question, awaited))
        return await awaited

    def _hand_in(self, loop: asyncio.AbstractEventLoop) -> None:
        gathered = self._gathered.pop(loop)
        with self._turn:
            for one in gathered:
                self._waiting.put(one)
            if self._runs or self._started():
                return
            left = list(self._taken(self._waiting.qsize()))
        _hand_over(left)  # without an answer: they go the ordinary way

    def _started(self) -> bool:
        try:
            threading.Thread(target=self._run, name="group", daemon=True).start()
        except RuntimeError as wrong:  # as many threads as there may be: the next may have one
            _log.error("group fault", error=type(wrong).__name__)
            return False
        self._runs = True
        return True

    def _run(self) -> None:
        while together := self._next():
            try:
                self._answer(together)
            except Exception as wrong:  # noqa: BLE001, the ordinary way shows what it is; its type is logged
                _log.error("group fault", error=type(wrong).__name__)
                for one in together:
                    one.answer = None
            _hand_over(together)

    def _next(self) -> list[_Waiting[Q, A]]:
        """Returns all that wait, or nothing once the thread has been idle and may end."""
        try:
            found = [self._waiting.get(timeout=_IDLE_SECONDS)]
        except queue.Empty:
            with self._turn:
                self._runs = not self._waiting.empty()
            return self._next() if self._runs else []
        found += self._taken(MOST - len(found))
        return found

    def _taken(self, most: int) -> Iterator[_Waiting[Q, A]]:
        for _ in range(most):
            if self._waiting.empty():
                return
            yield self._waiting.get_nowait()

    def _answer(self, together: Sequence[_Waiting[Q, A]]) -> None:
        def answered(works: Sequence[Work]) -> None:
            answers = self._answering(works, [one.question for one in together])
            for one, work, answer in zip(together, works, answers, strict=True):
                if (answer is None) is bool(work.leaves):
                    raise Unrecorded("an answer without a leaf, or a leaf without an answer")
                one.answer = answer

        self._log.perform_together([one.actor for one in together], answered)


def _hand_over(together: Sequence[_Waiting[Q, A]]) -> None:
    by_loop: dict[asyncio.AbstractEventLoop, list[_Waiting[Q, A]]] = {}
    for one in together:
        by_loop.setdefault(one.awaited.get_loop(), []).append(one)
    for loop, theirs in by_loop.items():
        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(_settle, theirs)


def _settle(answered: Sequence[_Waiting[Q, A]]) -> None:
    for one in answered:
        one.settle()
