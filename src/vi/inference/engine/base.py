"""The contract of an engine: requests go in from any thread, each comes back as its own stream of text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from vi.inference.engine.generation import Generation
from vi.inference.engine.request import Request
from vi.inference.engine.runners.base import Precision

if TYPE_CHECKING:
    from vi.inference.structured.grammar import Grammar


@dataclass(frozen=True)
class EngineState:
    """At one moment: how many requests are being answered, how many wait, and what the device's thread died of."""

    running: int
    waiting: int
    failure: BaseException | None = None


class Engine(Protocol):
    """Answers requests one by one or in batches; what a request answers does not depend on its company.

    capacity: how many it answers at once; more of them wait. cache_tokens: how many tokens of all their prompts and
    answers it can hold, of ``token_bytes`` each; None where every request takes memory of its own. precision: what it
    computes in, which may be less than was asked for.
    """

    @property
    def precision(self) -> Precision: ...

    @property
    def token_bytes(self) -> int | None: ...

    @property
    def cache_tokens(self) -> int | None: ...

    @property
    def capacity(self) -> int: ...

    @property
    def state(self) -> EngineState: ...

    def submit(self, request: Request) -> Generation:
        """Begin to answer, and return at once.

        Raises SchemaError for a grammar that this model cannot be held to and InferenceError after ``close()``. What
        goes wrong later is raised by the Generation, and by no other.
        """
        ...

    def require_room(self, grammar: Grammar, tokens: int) -> None:
        """Raise SchemaError, with the number that is needed, where no text of a grammar fits into so many tokens."""
        ...

    def close(self) -> None:
        """End every request that is not finished with Cancelled, and free the device. Closing twice does nothing."""
        ...
