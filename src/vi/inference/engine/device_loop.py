"""What the thread that owns the device works on: schedule, run, collect, and again."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from itertools import chain, islice
from queue import SimpleQueue
from typing import Any

from array_api_compat import array_namespace

from vi.inference.engine.assembly import assemble, pictured
from vi.inference.engine.block_manager import BlockManager
from vi.inference.engine.block_table import BlockTable
from vi.inference.engine.encoder import Encoder
from vi.inference.engine.failure import as_inference_error
from vi.inference.engine.feature_cache import FeatureCache
from vi.inference.engine.generation import Job
from vi.inference.engine.runners.base import PagedRunner
from vi.inference.engine.scheduler import Chunk, NoRoom, Scheduler, halved, num_tokens
from vi.inference.engine.settings import EngineSettings
from vi.inference.engine.vocabulary import Vocabulary
from vi.inference.errors import Cancelled, InferenceError
from vi.inference.sampling.sampler import Choice, Row, choose, like, report_forced, rows_of

_log = logging.getLogger(__name__)

AHEAD = 8  # waiting requests whose pictures are encoded before their turn


class DeviceLoop:
    """The running requests of an engine. It knows no engine, so an engine that nobody holds is collected and ends it.

    Only ``require_open``, ``put``, ``wake`` and ``close`` are for other threads.
    """

    def __init__(self, runner: PagedRunner, vocabulary: Vocabulary, settings: EngineSettings) -> None:
        self.runner = runner
        self.vocabulary = vocabulary
        self.fast_forward = not settings.exact
        blocks = BlockManager(runner.num_blocks, runner.block_size)
        self.scheduler = Scheduler(blocks, settings.max_batch, settings.token_budget, settings.prefix_cache)
        self.scheduler.may_begin = self.may_begin
        self.feature_cache = FeatureCache(settings.feature_cache_bytes)
        self.encoder = Encoder(runner, self.feature_cache, self.wake)
        self.jobs: dict[BlockTable, Job] = {}
        self.features: dict[BlockTable, Any] = {}  # of prompts that are being read
        self.rows: dict[BlockTable, Row] = {}  # what the sampler is to know, made while the device computed
        self.banned: Any = None  # on the device, once there are logits to tell which that is
        self.inbox: SimpleQueue[tuple[Job, BlockTable] | None] = SimpleQueue()  # None: wake up, something has changed
        self.closing = False
        self.cause: BaseException | None = None  # what the thread died of
        self._door = threading.Lock()  # nobody enters a loop that has ended

    def require_open(self) -> None:
        """Raise InferenceError after the end."""
        if self.cause is not None:
            raise _died(self.cause)
        if self.closing:
            raise InferenceError("This model is closed.", "Load it again with ViModel(...).")

    def put(self, job: Job, table: BlockTable) -> None:
        """Hand in a request. Raises InferenceError after the end."""
        with self._door:
            self.require_open()
            self.inbox.put((job, table))

    def close(self) -> None:
        """End after the step that runs; every request that is not finished is Cancelled."""
        with self._door:
            self.closing = True
        self.wake()

    def wake(self) -> None:
        """Have the loop look again at what it waits for, from any thread."""
        self.inbox.put(None)

    def run(self) -> None:
        """The thread's whole life."""
        try:
            while self.receive():
                self.step()
            self.end_all(lambda: Cancelled("The model was closed before this request was answered."))
        except BaseException as error:
            self.die(error)
        finally:
            self.encoder.close()
            self.runner.close()
            del self.runner, self.encoder

    def receive(self) -> bool:
        """Take in what was handed in, and wait where there is nothing to do. False when it is time to end."""
        while not self.closing:
            if self.has_work and self.inbox.empty():
                return True
            arrival = self.inbox.get()
            self.scheduler.held = False
            if arrival is not None:
                self.add(*arrival)
            del arrival  # while the loop waits, nothing of the last request stays
        return False

    @property
    def has_work(self) -> bool:
        """Whether a step would do anything: not where all wait for the pictures of the first."""
        return bool(self.scheduler.running) or (bool(self.jobs) and not self.scheduler.held)

    def step(self) -> None:
        """Schedule, run, collect."""
        self.drop_cancelled()
        self.look_ahead()
        chunks = self.schedule()
        if chunks:
            self.run_chunks(chunks)

    def add(self, job: Job, table: BlockTable) -> None:
        self.jobs[table] = job
        try:
            self.scheduler.add(table)
        except InferenceError as error:
            del self.jobs[table]
            if job.admit():
                job.fail(as_inference_error(error))

    def drop_cancelled(self) -> None:
        """End what nobody wants any more among those that run or ran; one that waits is met when its turn comes."""
        unwanted = []
        for table in chain(self.scheduler.running, self.scheduler.waiting):
            job = self.jobs[table]
            if job.cancelled:
                unwanted.append(table)
            elif not job.admitted:
                break
        for table in unwanted:
            job = self.forget(table)
            if job.admit():
                job.cancel()

    def look_ahead(self) -> None:
        """Have the pictures of those encoded who come next."""
        for table in islice(self.scheduler.waiting, AHEAD):
            known = table in self.features or table in self.encoder
            if not known and table.pictured_after(self.scheduler.num_cached(table)):
                self.encoder.ask(table)

    def may_begin(self, table: BlockTable, start: int) -> bool:
        """Whether the features are there that a request needs which begins at this place."""
        return not table.pictured_after(start) or table in self.features or self.encoder.ready(table)

    def schedule(self) -> list[Chunk]:
        """What to compute in this step, with the pictures' features at hand."""
        while True:
            try:
                chunks = self.scheduler.schedule()
                break
            except NoRoom as full:
                self.fail(full.table, InferenceError(*full.args))
        return [chunk for chunk in chunks if self.begin(chunk) and self.encode(chunk)]

    def begin(self, chunk: Chunk) -> bool:
        """Whether the request still wants to run; where it is new, its clock starts."""
        job = self.jobs[chunk.table]
        if job.admitted:
            return True
        if not job.admit():  # cancelled in this very moment
            self.forget(chunk.table)
            return False
        job.sequence.admit(cached_tokens=min(chunk.start, chunk.table.num_prompt))
        return True

    def encode(self, chunk: Chunk) -> bool:
        """Get the features of the pictures in this chunk; False where that failed its request."""
        table = chunk.table
        if table in self.features or not pictured(chunk):
            return True
        try:
            self.features[table] = self.encoder.take(table)
        except Exception as error:
            self.fail(table, as_inference_error(error))
            return False
        return True

    def run_chunks(self, chunks: Sequence[Chunk]) -> bool:
        """One forward call and what follows from it. Returns whether every chunk was computed.

        Where it fails, each half is tried, so that a request which cannot be run fails alone. Where halves fit into
        the memory and the whole did not, steps stay that small.
        """
        chunks = [chunk for chunk in chunks if chunk.table in self.jobs]  # a half before may have failed
        if not chunks:
            return True
        try:
            logits = self.runner.run(assemble(chunks, self.features), self.meanwhile(chunks))
        except Exception as error:
            out_of_memory = isinstance(error, InferenceError)  # by the runner's contract
            failure = as_inference_error(error)
        else:
            self.collect(chunks, logits)
            return True
        halves = halved(chunks, within_a_request=out_of_memory)
        if not halves:
            self.fail(chunks[0].table, failure)
            return False
        computed = [self.run_chunks(half) for half in halves]
        if all(computed) and out_of_memory:
            most = max(num_tokens(half) for half in halves)
            _log.warning("%s Steps compute at most %d tokens from now on.", failure, most)
            self.scheduler.shrink(most)
        return all(computed)

    def meanwhile(self, chunks: Sequence[Chunk]) -> Callable[[], None] | None:
        """What to do while these are computed: make the masks of those that a grammar holds. None without any."""
        tables = [chunk.table for chunk in chunks if chunk.complete]
        held = [table for table in tables if self.jobs[table].sequence.request.grammar is not None]
        return partial(self.prepare, held) if held else None

    def prepare(self, tables: Sequence[BlockTable]) -> None:
        for table in tables:
            with suppress(Exception):  # it will come again, where it can be told to the request
                self.rows[table] = self.jobs[table].sequence.row()

    def row(self, table: BlockTable) -> Row:
        return self.rows.pop(table, None) or self.jobs[table].sequence.row()

    def collect(self, chunks: Sequence[Chunk], logits: Any) -> None:
        """Book what was computed, and choose the next token of every request that is ready for it.

        logits: [R, V], a row for each place that the chunks want, in order.
        """
        if self.banned is None:
            self.banned = like(logits, self.vocabulary.banned, array_namespace(logits).bool)
        for chunk in chunks:
            self.scheduler.computed(chunk)
            if chunk.table.decoding:
                self.features.pop(chunk.table, None)
        wanted = [(chunk.table, place) for chunk in chunks for place in chunk.wanted]
        ready = [i for i, (table, place) in enumerate(wanted) if place == len(table.token_ids) - 1 and not table.closed]
        if len(ready) < len(wanted):
            self.report(logits, wanted, sorted(set(range(len(wanted))).difference(ready)))
        tables = [wanted[i][0] for i in ready]
        for table, choice in zip(tables, self.choose(rows_of(logits, ready), tables), strict=True):
            if choice is not None:
                self.accept(table, choice)

    def report(self, logits: Any, wanted: Sequence[tuple[BlockTable, int]], rows: Sequence[int]) -> None:
        """Tell requests what the model says of tokens that were forced."""
        known = [(table, place - table.num_prompt + 1) for table, place in (wanted[row] for row in rows)]
        sequences = [self.jobs[table].sequence for table, _ in known]
        token_ids = [sequence.token_ids[place] for sequence, (_, place) in zip(sequences, known, strict=True)]
        counts = [sequence.request.config.logprobs or 0 for sequence in sequences]
        told = report_forced(rows_of(logits, rows), token_ids, counts, self.banned)
        for sequence, (_, place), choice in zip(sequences, known, told, strict=True):
            sequence.report(place, choice)
        for table in dict.fromkeys(table for table, _ in known):
            if table.follow(self.jobs[table].sequence):
                self.forget(table).resolve()

    def choose(self, logits: Any, tables: Sequence[BlockTable]) -> Sequence[Choice | None]:
        """One token for each, None for those that fail on it."""
        if not tables:
            return []
        try:
            return choose(logits, [self.row(table) for table in tables], self.banned)
        except Exception as error:
            failure = as_inference_error(error)
        if len(tables) == 1:
            self.fail(tables[0], failure)
            return [None]
        return [self.choose(logits[i : i + 1], [table])[0] for i, table in enumerate(tables)]

    def accept(self, table: BlockTable, choice: Choice) -> None:
        """Take the token, and those that the grammar forces after it."""
        job = self.jobs[table]
        sequence = job.sequence
        try:
            text = sequence.accept(choice)
            if self.fast_forward:
                text += sequence.fast_forward()
        except Exception as error:
            self.fail(table, as_inference_error(error))
            return
        ended = table.follow(sequence)
        if ended:
            self.forget(table)  # before the caller hears of the end, so the blocks are free by then
        job.show(text)
        if ended:
            job.resolve()

    def fail(self, table: BlockTable, error: InferenceError) -> None:
        """This request ends with this error, and the others go on."""
        job = self.forget(table)
        if job.admit():
            job.fail(error)

    def forget(self, table: BlockTable) -> Job:
        self.scheduler.remove(table)
        self.features.pop(table, None)
        self.encoder.forget(table)
        self.rows.pop(table, None)
        return self.jobs.pop(table)

    def end_all(self, error: Callable[[], InferenceError]) -> None:
        """Every request that runs, waits or was handed in ends with such an error."""
        jobs = list(self.jobs.values())
        self.jobs.clear()
        self.features.clear()
        self.rows.clear()
        while not self.inbox.empty():
            arrival = self.inbox.get()
            if arrival is not None:
                jobs.append(arrival[0])
        for job in jobs:
            if job.admit():
                job.fail(error())
        self.scheduler.clear()

    def die(self, cause: BaseException) -> None:
        """The loop itself failed: all who wait hear of it at once, and nobody enters any more."""
        as_inference_error(cause)  # for what it frees
        with self._door:
            self.cause = cause
        self.end_all(lambda: _died(cause))


def _died(cause: BaseException) -> InferenceError:
    error = InferenceError(f"The engine has stopped ({type(cause).__name__}: {cause}).", "Load the model again.")
    error.__cause__ = cause
    return error
