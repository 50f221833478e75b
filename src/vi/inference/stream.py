"""An answer while it is being written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from vi.inference.errors import Cancelled
from vi.inference.events import DoneEvent, TokenEvent

if TYPE_CHECKING:
    from vi.inference.completion import Completion, TokenLogprob
    from vi.inference.engine.generation import Generation
    from vi.inference.events import Event, EventReader
    from vi.inference.task_types.response import PredictionResponse


class Stream:
    """An iterator of text pieces, and then the typed answer; ``events()`` gives typed steps in their place.

    Leaving a ``with`` block, ``close()`` or dropping the last reference stops the generation within a step; so does
    Ctrl-C. Pieces never hold half a character nor part of a stop string. One thread iterates.
    """

    def __init__(
        self, generation: Generation, respond: Callable[[Completion], PredictionResponse], reader: EventReader
    ) -> None:
        self._generation = generation
        self._respond = respond
        self._reader = reader
        self._num_told = 0  # tokens that were events
        self._response: PredictionResponse | None = None

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        """The next piece. Raises InferenceError where the request failed."""
        piece = next(self._generation)
        for _ in self._reader.feed(piece):
            pass  # what is read as text is no event any more
        return piece

    def events(self) -> Iterator[Event]:
        """What happens, step by step, from where the stream stands: see ``vi.inference.events``.

        Text, thinking, fields and boxes as soon as they are complete, tokens where logprobs were asked for, and at last
        ``done`` with the answer; a stream that is cancelled ends without it. Raises as iterating does, and as
        ``get_final_completion`` does.
        """
        for piece in self._generation:
            yield from self._tokens(self._generation.reported(self._num_told))
            yield from self._reader.feed(piece, self._generation.scores)
        completion = self._generation.completion()
        yield from self._reader.close()
        if completion.finish_reason == "cancelled":
            return
        yield from self._tokens((completion.logprobs or [])[self._num_told :])
        yield DoneEvent(response=self.get_final_completion())

    def _tokens(self, reported: Sequence[TokenLogprob]) -> Iterator[Event]:
        for token in reported:
            self._num_told += 1
            yield TokenEvent(**dict(token))

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
