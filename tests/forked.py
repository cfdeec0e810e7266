"""Processes that run a test's own functions: forked from one that has imported everything once."""

import multiprocessing
from functools import cache
from multiprocessing.context import ForkServerContext


@cache
def forking() -> ForkServerContext:
    """Makes processes, and the queues and barriers between them; their arguments are pickled.

    The process that is forked has one thread and nothing open.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["pytest", "tests.world", "tests.api.steps"])
    return context
