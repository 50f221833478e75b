"""The two ends of a running request: the engine's (Job) and the caller's (Generation)."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from typing import TYPE_CHECKING

from vi.inference.completion import Completion, TokenLogprob, TokenScore
from vi.inference.errors import InferenceError

if TYPE_CHECKING:
    from vi.inference.engine.base import Engine
    from vi.inference.engine.sequence import Sequence


class Job:
    """The engine's end. It holds nothing of the caller's, so a Generation that nobody holds is collected."""

    def __init__(self, sequence: Sequence) -> None:
        self.sequence = sequence
        self.pieces: SimpleQueue[str | None] = SimpleQueue()  # None: no more
        self.cancelled = False  # a plain flag: a finalizer sets it in whatever thread the collector runs
        self.done = threading.Event()
        self.completion: Completion | None = None
        self.error: InferenceError | None = None
        self.admitted = False  # whether the engine has claimed it
        self._claim = threading.Lock()
        self._waiting: list[Callable[[], None]] = []
        self._ending = threading.Lock()  # between the end and those who ask to be told of it

    def claim(self) -> bool:
        """True for the one who may end this job: the engine that admits it, or the caller who cancels it before."""
        return self._claim.acquire(blocking=False)

    def admit(self) -> bool:
        """The engine's own claim, which it may ask for again; False where the caller has cancelled before."""
        if not self.admitted:
            self.admitted = self.claim()
        return self.admitted

    def show(self, text: str) -> None:
        if text:
            self.pieces.put(text)

    def resolve(self) -> None:
        self._end(completion=self.sequence.completion())

    def cancel(self) -> None:
        """End as cancelled, with what was generated so far."""
        self.show(self.sequence.finish("cancelled"))
        self.resolve()

    def fail(self, error: InferenceError) -> None:
        self._end(error=error)

    def _end(self, completion: Completion | None = None, error: InferenceError | None = None) -> None:
        self.completion, self.error = completion, error
        self.sequence.request = self.sequence.request.without_media()  # who keeps an answer keeps no pixels
        with self._ending:
            self.done.set()
            waiting, self._waiting = self._waiting, []
        self.pieces.put(None)  # who read to the end finds it ended
        for tell in waiting:
            tell()

    def when_done(self, tell: Callable[[], None]) -> None:
        """Call ``tell`` once, after the end: at once where it has ended, else in the thread that ends it."""
        with self._ending:
            if not self.done.is_set():
                self._waiting.append(tell)
                return
        tell()


def _abandon(job: Job) -> None:
    job.cancelled = True


class Generation:
    """A request that is being answered: an iterator of text pieces, none of them empty, none with half a character.

    ``cancel()``, ``close()``, leaving a ``with`` block or dropping the last reference ends it within a step. One
    thread iterates; any may cancel it or wait for its completion.
    """

    def __init__(self, job: Job, engine: Engine) -> None:
        self._job = job
        self._engine = engine  # an engine lives as long as its answers
        self._exhausted = False
        weakref.finalize(self, _abandon, job).atexit = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        """The next piece. Raises InferenceError, with its cause, where the request failed."""
        if self._exhausted:
            raise StopIteration
        try:
            piece = self._job.pieces.get()
        except KeyboardInterrupt:
            self.cancel()
            raise
        if piece is not None:
            return piece
        self._exhausted = True
        if self._job.error is not None:
            raise self._job.error
        raise StopIteration

    def completion(self) -> Completion:
        """Wait for the end. A cancelled request gives what it had, with finish_reason ``cancelled``.

        Raises InferenceError, with its cause, where the request failed; Cancelled where the engine was closed.
        """
        try:
            self._job.done.wait()
        except KeyboardInterrupt:
            self.cancel()
            raise
        if self._job.error is not None:
            raise self._job.error
        assert self._job.completion is not None
        return self._job.completion

    def reported(self, start: int = 0) -> list[TokenLogprob]:
        """What the model said of the tokens from ``start`` on, as far as it is known; empty without ``logprobs``."""
        return self._job.sequence.reported(start)

    def scores(self) -> list[TokenScore] | list[TokenLogprob]:
        """What confidences need of every token so far; empty where nobody asks for any."""
        return self._job.sequence.scores()

    def when_done(self, tell: Callable[[], None]) -> None:
        """Call ``tell`` once it has ended, in whatever way; it must return at once and raise nothing."""
        self._job.when_done(tell)

    def cancel(self) -> None:
        """Stop generating, from any thread; a request that still waits ends at once. Does nothing after the end."""
        self._job.cancelled = True
        if self._job.claim():
            self._job.cancel()

    close = cancel

    def __enter__(self) -> Generation:
        return self

    def __exit__(self, *exception: object) -> None:
        self.cancel()
