"""An engine that answers many requests at once: they join and leave the running batch at any step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vi.inference.engine.base import EngineState
from vi.inference.engine.block_table import BlockTable
from vi.inference.engine.device_loop import DeviceLoop
from vi.inference.engine.device_thread import DeviceThread
from vi.inference.engine.failure import as_inference_error
from vi.inference.engine.generation import Generation, Job
from vi.inference.engine.request import Request
from vi.inference.engine.runners.base import PagedRunner
from vi.inference.engine.sequence import Sequence
from vi.inference.engine.settings import EngineSettings
from vi.inference.engine.vocabulary import Vocabulary
from vi.inference.errors import SchemaError

if TYPE_CHECKING:
    from vi.inference.structured.grammar import Grammar


class BatchingEngine:
    """Answers requests in one continuously changing batch (Orca, Yu et al. 2022). See ``Engine`` for the contract."""

    def __init__(self, runner: PagedRunner, vocabulary: Vocabulary, settings: EngineSettings | None = None) -> None:
        self._vocabulary = vocabulary
        self._block_size = runner.block_size
        self.precision = runner.precision
        self.token_bytes = runner.block_bytes // runner.block_size
        self.cache_tokens = runner.num_blocks * runner.block_size
        self._settings = settings or EngineSettings()
        self._loop = DeviceLoop(runner, vocabulary, self._settings)
        self._device = DeviceThread(self, self._loop)

    @property
    def capacity(self) -> int:
        return self._settings.max_batch

    @property
    def state(self) -> EngineState:
        inbox, scheduler = self._loop.inbox, self._loop.underway.scheduler
        return EngineState(len(scheduler.running), len(scheduler.waiting) + len(inbox), inbox.cause)

    def submit(self, request: Request) -> Generation:
        self._loop.inbox.require_open()
        job = Job(Sequence(request, self._vocabulary))
        table = BlockTable(request.prompt, self._block_size)
        if self._begin(job, table):
            self._loop.inbox.put(job, table)
        return Generation(job, self)

    def require_room(self, grammar: Grammar, tokens: int) -> None:
        self._vocabulary.constrain(grammar).require_room(tokens)

    def close(self) -> None:
        self._device.stop()
        self._device.join()

    def _begin(self, job: Job, table: BlockTable) -> bool:
        """Take what the grammar forces from the outset; False where nothing remains to be done by the device."""
        sequence = job.sequence
        if self._settings.exact:
            return True
        try:
            job.show(sequence.fast_forward())
        except SchemaError:
            raise
        except Exception as error:
            job.fail(as_inference_error(error))
            return False
        if table.follow(sequence):
            job.resolve()
            return False
        return True
