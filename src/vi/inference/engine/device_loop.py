"""What the thread that owns the device works on: schedule, run, collect, and again."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from vi.inference.engine.assembly import assemble
from vi.inference.engine.collector import Collector
from vi.inference.engine.failure import as_inference_error
from vi.inference.engine.inbox import Inbox, stopped
from vi.inference.engine.runners.base import PagedRunner
from vi.inference.engine.scheduler import Chunk, halved, num_tokens
from vi.inference.engine.settings import EngineSettings
from vi.inference.engine.underway import Underway
from vi.inference.engine.vocabulary import Vocabulary
from vi.inference.errors import Cancelled, InferenceError

_log = logging.getLogger(__name__)


class DeviceLoop:
    """The running requests of an engine. It knows no engine, so an engine that nobody holds is collected and ends it.

    Only ``inbox`` and ``close`` are for other threads.
    """

    def __init__(self, runner: PagedRunner, vocabulary: Vocabulary, settings: EngineSettings) -> None:
        self.runner = runner
        self.inbox = Inbox()
        self.underway = Underway(runner, settings, self.inbox.wake)
        self.collector = Collector(self.underway, vocabulary, fast_forward=not settings.exact)

    def close(self) -> None:
        """End after the step that runs; every request that is not finished is Cancelled."""
        self.inbox.close()

    def run(self) -> None:
        """The thread's whole life."""
        try:
            while self.receive():
                self.step()
            self.end_all(lambda: Cancelled("The model was closed before this request was answered."))
        except BaseException as error:
            self.die(error)
        finally:
            self.underway.encoder.close()
            self.runner.close()
            del self.runner, self.underway.encoder

    def receive(self) -> bool:
        """Take in what was handed in, and wait where there is nothing to do. False when it is time to end."""
        while not self.inbox.closing:
            if self.underway.has_work and not len(self.inbox):
                return True
            arrival = self.inbox.take()
            self.underway.scheduler.held = False
            if arrival is not None:
                self.underway.add(*arrival)
            del arrival  # while the loop waits, nothing of the last request stays
        return False

    def step(self) -> None:
        """Schedule, run, collect."""
        self.drop_cancelled()
        self.underway.look_ahead()
        chunks = self.underway.schedule()
        if chunks:
            self.run_chunks(chunks)
        else:
            self.collector.settle()

    def drop_cancelled(self) -> None:
        """End what nobody wants any more."""
        unwanted = self.underway.unwanted()
        if unwanted:
            self.collector.settle()
        for table in unwanted:
            if table in self.underway:
                self.underway.cancel(table)

    def run_chunks(self, chunks: Sequence[Chunk]) -> bool:
        """One forward call and what follows from it. Returns whether every chunk was computed.

        Where it fails, each half is tried, so that a request which cannot be run fails alone. Where halves fit into
        the memory and the whole did not, steps stay that small.
        """
        chunks = [chunk for chunk in chunks if chunk.table in self.underway]  # a half before may have failed
        if not chunks:
            return True
        try:
            logits = self.runner.run(assemble(chunks, self.underway.features), self.collector.meanwhile(chunks))
        except Exception as error:
            out_of_memory = isinstance(error, InferenceError)  # by the runner's contract
            failure = as_inference_error(error)
        else:
            self.collector.collect(chunks, logits)
            return True
        self.collector.settle()
        halves = halved(chunks, within_a_request=out_of_memory)
        if not halves:
            if chunks[0].table in self.underway:
                self.underway.fail(chunks[0].table, failure)
            return False
        computed = [self.run_chunks(half) for half in halves]
        if all(computed) and out_of_memory:
            most = max(num_tokens(half) for half in halves)
            _log.warning("%s Steps compute at most %d tokens from now on.", failure, most)
            self.underway.scheduler.shrink(most)
        return all(computed)

    def end_all(self, error: Callable[[], InferenceError]) -> None:
        """Every request that runs, waits or was handed in ends with such an error."""
        self.collector.forget()
        jobs = [*self.underway.forget_all(), *(job for job, _ in self.inbox.drain())]
        for job in jobs:
            if job.admit():
                job.fail(error())

    def die(self, cause: BaseException) -> None:
        """The loop itself failed: all who wait hear of it at once, and nobody enters any more."""
        as_inference_error(cause)  # for what it frees
        self.inbox.die(cause)
        self.end_all(lambda: stopped(cause))
