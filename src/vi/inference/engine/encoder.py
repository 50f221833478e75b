"""Pictures on their way to features: encoded ahead of their turn, beside the running batch where the runner can."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from vi.inference.engine.block_table import BlockTable
from vi.inference.engine.failure import as_inference_error
from vi.inference.engine.feature_cache import FeatureCache
from vi.inference.engine.runners.base import PagedRunner
from vi.inference.errors import InferenceError
from vi.inference.preprocess.prompt import Prompt


class Encoder:
    """Encodes one prompt's pictures after another's: in a thread of its own where the runner ``encodes_beside``, else
    when they are taken. The device's thread alone asks it.

    wake: called from the encoding thread when features are there.
    """

    def __init__(self, runner: PagedRunner, cache: FeatureCache, wake: Callable[[], None]) -> None:
        self._runner = runner
        self._cache = cache  # one thread's: that which encodes
        self._wake = wake
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="vi-encoder") if runner.encodes_beside else None
        self._asked: dict[BlockTable, Future[Any]] = {}

    def ask(self, table: BlockTable) -> None:
        """Encode this prompt's pictures after those that were asked for before, where that holds nobody up."""
        if self._pool is not None and table not in self._asked:
            self._asked[table] = future = self._pool.submit(self._encode, table.prompt)
            future.add_done_callback(lambda _: self._wake())

    def __contains__(self, table: BlockTable) -> bool:
        return table in self._asked

    def ready(self, table: BlockTable) -> bool:
        """Whether ``take`` need not wait for another thread; where it would, the pictures are asked for."""
        self.ask(table)
        return self._pool is None or self._asked[table].done()

    def take(self, table: BlockTable) -> Any:
        """The features, once. Raises what the runner's ``encode`` raises."""
        self.ask(table)
        return self._encode(table.prompt) if self._pool is None else self._asked.pop(table).result()

    def forget(self, table: BlockTable) -> None:
        """Nobody needs these any more."""
        if future := self._asked.pop(table, None):
            future.cancel()

    def close(self) -> None:
        """Wait for the pictures that are being encoded, and encode no others."""
        for future in self._asked.values():
            future.cancel()
        self._asked.clear()
        if self._pool is not None:
            self._pool.shutdown()
        self._cache.clear()

    def _encode(self, prompt: Prompt) -> Any:
        try:
            return self._cache.get(prompt.media_key, lambda: self._runner.encode(prompt.media))
        except InferenceError as full:  # out of memory, by the runner's contract
            if not len(self._cache):
                raise
            as_inference_error(full)  # for what it frees
        self._cache.clear()  # room for another try
        return self._cache.get(prompt.media_key, lambda: self._runner.encode(prompt.media))
