"""The contract of a runner: the only place that makes forward calls."""

from __future__ import annotations

from typing import Any, Protocol

from vi.inference.preprocess.prompt import Prompt


class Runner(Protocol):
    """Runs one model for one request at a time. Logits are [1, V] of an array-API library, the last position's only."""

    def prefill(self, prompt: Prompt) -> tuple[Any, Any]:
        """Read the whole prompt. Returns (state, logits): the request's own keys, values and place, freed with it."""
        ...

    def decode(self, state: Any, token_id: int) -> Any:
        """Read one more token; advances ``state``. Returns the logits after it."""
        ...
