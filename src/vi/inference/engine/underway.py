"""The requests that an engine has taken in and not ended: who they are, where they stand, and their pictures."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain, islice
from typing import Any

from vi.inference.engine.assembly import pictured
from vi.inference.engine.block_manager import BlockManager
from vi.inference.engine.block_table import BlockTable
from vi.inference.engine.encoder import Encoder
from vi.inference.engine.failure import as_inference_error
from vi.inference.engine.feature_cache import FeatureCache
from vi.inference.engine.generation import Job
from vi.inference.engine.runners.base import PagedRunner
from vi.inference.engine.scheduler import Chunk, NoRoom, Scheduler
from vi.inference.engine.settings import EngineSettings
from vi.inference.errors import InferenceError

AHEAD = 8  # waiting requests whose pictures are encoded before their turn


class Underway:
    """Every request from its arrival to its end, by its place in the cache. Only the device's thread asks it.

    features: of prompts that are being read.
    """

    def __init__(self, runner: PagedRunner, settings: EngineSettings, wake: Callable[[], None]) -> None:
        blocks = BlockManager(runner.num_blocks, runner.block_size)
        self.scheduler = Scheduler(blocks, settings.max_batch, settings.token_budget, settings.prefix_cache)
        self.scheduler.may_begin = self.may_begin
        self.scheduler.copy_block = runner.copy_block
        self.feature_cache = FeatureCache(settings.feature_cache_bytes)
        self.encoder = Encoder(runner, self.feature_cache, wake)
        self.jobs: dict[BlockTable, Job] = {}
        self.features: dict[BlockTable, Any] = {}

    def __contains__(self, table: BlockTable) -> bool:
        return table in self.jobs

    @property
    def has_work(self) -> bool:
        """Whether a step would do anything: not where all wait for the pictures of the first."""
        return bool(self.scheduler.running) or (bool(self.jobs) and not self.scheduler.held)

    def add(self, job: Job, table: BlockTable) -> None:
        self.jobs[table] = job
        try:
            self.scheduler.add(table)
        except InferenceError as error:
            del self.jobs[table]
            if job.admit():
                job.fail(as_inference_error(error))

    def unwanted(self) -> list[BlockTable]:
        """What nobody wants any more of those that run or ran; one that waits is met when its turn comes."""
        found = []
        for table in chain(self.scheduler.running, self.scheduler.waiting):
            job = self.jobs[table]
            if job.cancelled:
                found.append(table)
            elif not job.admitted:
                break
        return found

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
        return [chunk for chunk in chunks if self._begin(chunk) and self._encode(chunk)]

    def computed(self, chunk: Chunk) -> None:
        """The chunk's keys and values are in the cache."""
        self.scheduler.computed(chunk)
        if self.features and chunk.table.decoding:
            self.features.pop(chunk.table, None)

    def cancel(self, table: BlockTable) -> None:
        """End it with what was generated so far."""
        job = self.forget(table)
        if job.admit():
            job.cancel()

    def fail(self, table: BlockTable, error: InferenceError) -> None:
        """This request ends with this error, and the others go on."""
        job = self.forget(table)
        if job.admit():
            job.fail(error)

    def forget(self, table: BlockTable) -> Job:
        self.scheduler.remove(table)
        self.features.pop(table, None)
        self.encoder.forget(table)
        return self.jobs.pop(table)

    def forget_all(self) -> list[Job]:
        jobs = list(self.jobs.values())
        self.jobs.clear()
        self.features.clear()
        self.scheduler.clear()
        return jobs

    def _begin(self, chunk: Chunk) -> bool:
        """Whether the request still wants to run; where it is new, its clock starts."""
        job = self.jobs[chunk.table]
        if job.admitted:
            return True
        if not job.admit():  # cancelled in this very moment
            self.forget(chunk.table)
            return False
        job.sequence.admit(cached_tokens=min(chunk.start, chunk.table.num_prompt))
        return True

    def _encode(self, chunk: Chunk) -> bool:
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
