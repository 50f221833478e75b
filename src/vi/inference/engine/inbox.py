"""Where requests come in from any thread, until the loop that answers them has ended."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from queue import SimpleQueue

from vi.inference.engine.block_table import BlockTable
from vi.inference.engine.generation import Job
from vi.inference.errors import InferenceError

Arrival = tuple[Job, BlockTable]


class Inbox:
    """A queue that nobody enters once it is closed. One thread takes from it; all else is for any thread.

    closing: whether the loop is to end. cause: what its thread died of, None while it lives.
    """

    def __init__(self) -> None:
        self.closing = False
        self.cause: BaseException | None = None
        self._queue: SimpleQueue[Arrival | None] = SimpleQueue()  # None: wake up, something has changed
        self._door = threading.Lock()

    def __len__(self) -> int:
        return self._queue.qsize()

    def require_open(self) -> None:
        """Raise InferenceError after the end."""
        if self.cause is not None:
            raise stopped(self.cause)
        if self.closing:
            raise InferenceError("This model is closed.", "Load it again with ViModel(...).")

    def put(self, job: Job, table: BlockTable) -> None:
        """Hand in a request. Raises InferenceError after the end."""
        with self._door:
            self.require_open()
            self._queue.put((job, table))

    def wake(self) -> None:
        """Have the taker look again at what it waits for."""
        self._queue.put(None)

    def close(self) -> None:
        with self._door:
            self.closing = True
        self.wake()

    def die(self, cause: BaseException) -> None:
        """Close for this cause, which everybody hears who would enter."""
        with self._door:
            self.cause = cause

    def take(self) -> Arrival | None:
        """The next request, or None where somebody said ``wake``; waits for either."""
        return self._queue.get()

    def drain(self) -> Iterator[Arrival]:
        """The requests that nobody took."""
        while not self._queue.empty():
            arrival = self._queue.get()
            if arrival is not None:
                yield arrival


def stopped(cause: BaseException) -> InferenceError:
    """What is told to those whose engine has died."""
    error = InferenceError(f"The engine has stopped ({type(cause).__name__}: {cause}).", "Load the model again.")
    error.__cause__ = cause
    return error
