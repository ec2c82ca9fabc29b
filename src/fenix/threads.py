"""Threads for what blocks, where lines of the log know what they are about.

A thread has a context of its own, and asyncio hands none to the threads of an executor.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Threads(ThreadPoolExecutor):
    """Runs each call in the context of the task that has asked for it (see `fenix.logs`)."""

    def submit(self, call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """See `concurrent.futures.Executor.submit`."""
        return super().submit(partial(copy_context().run, call, *args, **kwargs))
