"""The contracts of runners: the only places that make forward calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, Protocol

from vi.inference.engine.batch import Batch
from vi.inference.preprocess.prompt import Prompt

Precision = Literal["exact", "fast"]  # float32, or fewer bits


class PagedRunner(Protocol):
    """Runs one model for a batch of requests over a cache of keys and values that is cut into blocks.

    One thread calls it; where it ``encodes_beside``, another may ``encode`` while that one is in ``run``. The cache has
    ``num_blocks`` blocks of ``block_size`` tokens, all of them the engine's to give; ``block_bytes`` is what one takes.
    The runner writes the new tokens' keys and values where ``Batch`` says and keeps nothing else of a request.
    """

    block_size: int
    num_blocks: int
    block_bytes: int
    encodes_beside: bool
    precision: Precision

    def encode(self, media: Mapping[str, Any]) -> Any:
        """The pictures' features, one for every placeholder of the prompt, in order; see ``Batch.features``.

        They have ``len()``, slices and ``nbytes``. Raises InferenceError, with the numbers, out of memory.
        """
        ...

    def run(self, batch: Batch, meanwhile: Callable[[], None] | None = None) -> Any:
        """One forward call. Returns logits [R, V], R = ``len(batch.wanted)``, of an array-API library.

        meanwhile: called once, while the device computes where it does so on its own; it raises nothing.

        They are valid until the next call. Raises InferenceError, with the numbers, out of memory.
        """
        ...

    def copy_block(self, source: int, target: int) -> None:
        """Copy the keys and values that one block holds into another, before the next call of ``run``."""
        ...

    def close(self) -> None:
        """Free the device. Closing twice does nothing."""
        ...


class PlainRunner(Protocol):
    """Runs one model for one request at a time. Logits are [1, V] of an array-API library, the last position's only."""

    precision: Precision

    def prefill(self, prompt: Prompt) -> tuple[Any, Any]:
        """Read the whole prompt. Returns (state, logits): the request's own keys, values and place, freed with it."""
        ...

    def decode(self, state: Any, token_id: int) -> Any:
        """Read one more token; advances ``state``. Returns the logits after it."""
        ...
