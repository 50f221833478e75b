"""A loaded model at work: a source, a prompt and a call's settings become a running request, and then an answer."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vi.inference.call import Call
from vi.inference.engine.engine import start_engine
from vi.inference.engine.request import Request
from vi.inference.errors import InferenceError, ViError
from vi.inference.generation_config import ConfigLike, GenerationConfig, ResolvedConfig, WarnOnce, resolve
from vi.inference.media.image import load_picture
from vi.inference.preprocess.chat import ChatPrompt

if TYPE_CHECKING:
    from vi.inference.completion import Completion
    from vi.inference.engine.generation import Generation
    from vi.inference.loading.loader import LoadedModel
    from vi.inference.media.sources import SourceItem
    from vi.inference.runs.record import RunRecord
    from vi.inference.task_types.response import PredictionResponse

AHEAD = 2  # requests prepared while another one runs

Outcome = tuple["PredictionResponse | None", "ViError | None"]


@dataclass(frozen=True)
class Asked:
    """One request on its way. ``loading``: seconds that its source took to read and prepare."""

    call: Call
    prompt: str
    resolved: ResolvedConfig
    generation: Generation
    loading: float

    def respond(self, completion: Completion) -> PredictionResponse:
        """The typed answer. Raises AnswerError where the caller's ``response_format`` rejects the text."""
        timings = completion.timings.model_copy(update={"load": self.loading})
        return self.call.task.respond(
            completion.model_copy(update={"timings": timings}),
            prompt=self.prompt,
            generation=self.resolved.echo(),
            warnings=self.resolved.warnings,
        )


class Answerer:
    """Asks one loaded model. Nothing of a call stays here; any number of threads may ask at once."""

    def __init__(
        self, loaded: LoadedModel, record: RunRecord, generation_config: GenerationConfig, warn: WarnOnce
    ) -> None:
        self._record = record
        self._config = generation_config
        self._warn = warn
        self._chat = ChatPrompt(loaded)
        self._engine = start_engine(loaded)

    def ask(self, call: Call, item: SourceItem, prompt: str) -> Asked:
        """Read the source and begin to answer. Raises SourceError, PromptError, SchemaError or InferenceError."""
        started = time.perf_counter()
        picture = load_picture(item)
        built = self._chat.build(prompt, picture=picture.pixels, system_prompt=call.system_prompt or None)
        resolved = self._resolve(call)
        room = self._chat.room(built)
        why = (
            f"the model's context of {self._chat.context_length:,} tokens holds {len(built.token_ids):,} of the prompt"
        )
        resolved = resolved.lower_max_new_tokens(room, why)
        self._warn(resolved.notices)
        loading = time.perf_counter() - started
        generation = self._engine.submit(Request(built, resolved.config, call.grammar))
        return Asked(call, prompt, resolved, generation, loading)

    def answers(self, call: Call, items: Sequence[SourceItem], prompts: Sequence[str]) -> Iterator[Outcome]:
        """(answer, None) or (None, error) per source, in order; the next sources are read while one is answered."""
        ahead: deque[Asked | ViError] = deque()
        try:
            for item, prompt in zip(items, prompts, strict=True):
                ahead.append(self._try_ask(call, item, prompt))
                if len(ahead) > AHEAD:
                    yield _outcome(ahead.popleft())
            while ahead:
                yield _outcome(ahead.popleft())
        finally:
            for asked in ahead:
                if isinstance(asked, Asked):
                    asked.generation.cancel()

    def close(self) -> None:
        """Stop what runs and free the device. Closing twice does nothing."""
        self._engine.close()

    def _resolve(self, call: Call) -> ResolvedConfig:
        run: ConfigLike = self._record.generation_config or None
        return resolve(call=call.config, model=self._config, run=run, cot=call.cot)

    def _try_ask(self, call: Call, item: SourceItem, prompt: str) -> Asked | ViError:
        try:
            return self.ask(call, item, prompt)
        except Exception as error:
            return as_vi_error(error, item.label)


def as_vi_error(error: Exception, label: str) -> ViError:
    """The error itself, or an InferenceError around one that nobody foresaw."""
    if isinstance(error, ViError):
        return error
    unforeseen = InferenceError(
        f"{label} could not be answered: {type(error).__name__}: {error}.", "Please report this with its traceback."
    )
    unforeseen.__cause__ = error
    return unforeseen


def _outcome(asked: Asked | ViError) -> Outcome:
    if isinstance(asked, ViError):
        return None, asked
    try:
        return asked.respond(asked.generation.completion()), None
    except KeyboardInterrupt:
        asked.generation.cancel()
        raise
    except Exception as error:
        return None, as_vi_error(error, "The answer")
