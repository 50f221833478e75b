"""An engine that answers one request at a time: one thread owns the device, any number of threads ask."""

from __future__ import annotations

import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING

from vi.inference.engine.base import EngineState
from vi.inference.engine.device_thread import DeviceThread
from vi.inference.engine.failure import as_inference_error
from vi.inference.engine.generation import Generation, Job
from vi.inference.engine.request import Request
from vi.inference.engine.runners.base import PlainRunner
from vi.inference.engine.sequence import Sequence
from vi.inference.engine.vocabulary import Vocabulary
from vi.inference.errors import Cancelled, InferenceError
from vi.inference.sampling.sampler import choose

if TYPE_CHECKING:
    from vi.inference.structured.grammar import Grammar


class SerialLoop:
    """What the device thread works on. It knows no engine, so an engine that nobody holds is collected and ends it."""

    def __init__(self, runner: PlainRunner, vocabulary: Vocabulary) -> None:
        self.runner = runner
        self.vocabulary = vocabulary
        self.inbox: SimpleQueue[Job | None] = SimpleQueue()  # None: wake up and see that it is closing
        self.closing = False
        self.running = 0  # one while it is served

    def run(self) -> None:
        """Serve jobs in their order until closing; then fail those that wait."""
        while (job := self.inbox.get()) is not None:
            if job.claim():
                self.running = 1
                self.serve(job)
                self.running = 0
            del job  # while the loop waits, nothing of the last request stays
        del self.runner

    def close(self) -> None:
        self.closing = True
        self.inbox.put(None)

    def serve(self, job: Job) -> None:
        """Answer one job. Whatever goes wrong is that job's error, and the loop goes on."""
        try:
            self.generate(job)  # returns before the caller hears of the end, so the cache is free by then
            if job.sequence.finish_reason is None:
                job.cancel()
            else:
                job.resolve()
        except Exception as error:
            job.fail(as_inference_error(error))

    def generate(self, job: Job) -> None:
        """Prefill, then a token a step, until the sequence has ended or nobody wants it any more."""
        sequence = job.sequence
        state, logits = None, None
        while sequence.finish_reason is None and not job.cancelled:
            if self.closing:
                raise Cancelled("The model was closed before this request was answered.")
            if state is None:
                sequence.admit()
                state, logits = self.runner.prefill(sequence.request.prompt)
            else:
                logits = self.runner.decode(state, sequence.token_ids[-1])
            (choice,) = choose(logits, [sequence.row()], banned=self.vocabulary.banned)
            job.show(sequence.accept(choice))


class SerialEngine:
    """Answers requests in their order, each alone on the device. See ``Engine`` for the contract."""

    capacity = 1
    token_bytes: int | None = None
    cache_tokens: int | None = None

    def __init__(self, runner: PlainRunner, vocabulary: Vocabulary) -> None:
        self.precision = runner.precision
        self._vocabulary = vocabulary
        self._loop = SerialLoop(runner, vocabulary)
        self._lock = threading.Lock()  # between submit and close: no job enters a closed inbox
        self._device = DeviceThread(self, self._loop)

    @property
    def state(self) -> EngineState:
        return EngineState(self._loop.running, self._loop.inbox.qsize())

    def submit(self, request: Request) -> Generation:
        job = Job(Sequence(request, self._vocabulary))
        with self._lock:
            if self._loop.closing:
                raise InferenceError("This model is closed.", "Load it again with ViModel(...).")
            self._loop.inbox.put(job)
        return Generation(job, self)

    def require_room(self, grammar: Grammar, tokens: int) -> None:
        self._vocabulary.constrain(grammar).require_room(tokens)

    def close(self) -> None:
        with self._lock:
            self._device.stop()
        self._device.join()
