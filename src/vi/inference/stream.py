"""An answer while it is being written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from vi.inference.errors import Cancelled

if TYPE_CHECKING:
    from vi.inference.completion import Completion
    from vi.inference.engine.generation import Generation
    from vi.inference.task_types.response import PredictionResponse


class Stream:
    """An iterator of text pieces, and then the typed answer.

    Leaving a ``with`` block, ``close()`` or dropping the last reference stops the generation within a step; so does
    Ctrl-C. Pieces never hold half a character nor part of a stop string. One thread iterates.
    """

    def __init__(self, generation: Generation, respond: Callable[[Completion], PredictionResponse]) -> None:
        self._generation = generation
        self._respond = respond
        self._response: PredictionResponse | None = None

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        """The next piece. Raises InferenceError where the request failed."""
        return next(self._generation)

    def get_final_completion(self) -> PredictionResponse:
        """The answer; waits for the end first. Pieces that were not read can be read afterwards too.

        Raises Cancelled where the stream was closed before its end, InferenceError where the request failed and
        AnswerError where the caller's ``response_format`` rejects the text.
        """
        if self._response is None:
            completion = self._generation.completion()
            if completion.finish_reason == "cancelled":
                raise Cancelled(
                    f"The stream was closed after {completion.usage.completion_tokens} tokens, before the answer was "
                    "complete.",
                    "Read it to its end, or ask again.",
                )
            self._response = self._respond(completion)
        return self._response

    def cancel(self) -> None:
        """Stop generating, from any thread. Does nothing after the end."""
        self._generation.cancel()

    close = cancel

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
