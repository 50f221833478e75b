"""One call with its sources: answered as a whole, one by one, or begun as a stream."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vi.inference.asks import Ask, prompts_for
from vi.inference.call import CallOptions, make_call
from vi.inference.errors import ConfigError, ViError
from vi.inference.media.policy import MediaPolicy
from vi.inference.media.sources import Sources
from vi.inference.progress import track
from vi.inference.stream import Stream

if TYPE_CHECKING:
    from vi.inference.answerer import Answerer, Outcome
    from vi.inference.runs.record import RunRecord
    from vi.inference.task_types.response import PredictionResponse


@dataclass(frozen=True)
class Inquiry:
    """What ``ViModel.__call__`` was given; nothing of it is checked yet.

    ready: gives the model at work, or raises InferenceError where it is closed.
    """

    ready: Callable[[], Answerer]
    record: RunRecord
    sources: Sources
    user_prompt: Any
    options: CallOptions
    policy: MediaPolicy

    def answer(self, show_progress: bool) -> Any:
        """``(answer, None)`` or ``(None, error)``; of many sources a list of these. Raises what is wrong for all."""
        items = self.sources.items
        try:
            call = make_call(self.record, self.options)
            prompts = prompts_for(self.user_prompt, len(items), call.task)
            answerer = self.ready()
        except ViError as error:
            if self.sources.many:
                raise
            return None, error
        asks = (Ask(call, item, prompt, self.policy) for item, prompt in zip(items, prompts, strict=True))
        with closing(answerer.answers(asks)) as answers:  # an interrupt cancels those ahead
            outcomes = [outcome for _, outcome in track(answers, len(items), "Answering", show_progress)]
        return outcomes if self.sources.many else outcomes[0]

    def stream(self) -> Stream:
        """The answer as it is written. Raises all that is wrong before its first token."""
        items = self.sources.items
        if self.sources.many:
            raise ConfigError(
                f"stream=True takes one source, not a list or folder of {len(items)}.",
                "Stream them one by one, or leave stream out.",
            )
        call = make_call(self.record, self.options)
        (prompt,) = prompts_for(self.user_prompt, 1, call.task)
        asked = self.ready().ask(Ask(call, items[0], prompt, self.policy))
        return Stream(asked.generation, asked.respond, asked.reader())


def one_by_one(
    answers: Generator[tuple[Ask, Outcome], None, None],
) -> Generator[tuple[Any, PredictionResponse | None, ViError | None], None, None]:
    """``(source, answer, error)`` as ``ViModel.iter`` gives them; closing it closes ``answers``."""
    with closing(answers):
        for ask, (answer, error) in answers:
            yield ask.given, answer, error
