"""Work that cannot be told to stop, waited for no longer than it is worth."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import TypeVar

T = TypeVar("T")


def within(seconds: float, work: Callable[[], T]) -> T:
    """What ``work`` returns or raises; TimeoutError after ``seconds``, with ``work`` left to end by itself.

    Its thread does not keep the program from ending.
    """
    outcome: Future[T] = Future()

    def run() -> None:
        try:
            outcome.set_result(work())
        except BaseException as error:
            outcome.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    try:
        return outcome.result(max(0.0, seconds))
    except FutureTimeout:
        if outcome.done():  # a time limit of the work's own
            raise
        raise TimeoutError("not done in time") from None
