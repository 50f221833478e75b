"""A loaded model at work: a source, a prompt and a call's settings become a running request, and then an answer."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from vi.inference.asks import Ask
from vi.inference.call import Call
from vi.inference.engine.request import Request
from vi.inference.engine.start import start_engine
from vi.inference.errors import InferenceError, ViError
from vi.inference.estimate import Estimate
from vi.inference.events import EventReader
from vi.inference.generation_config import GenerationConfig, ResolvedConfig, Setting, WarnOnce, resolve
from vi.inference.look import Seen, look
from vi.inference.media.clip import Clip
from vi.inference.media.image import Picture
from vi.inference.media.picture_cache import PictureCache
from vi.inference.media.transform import PictureTransform
from vi.inference.media_room import MediaRoom
from vi.inference.pipeline import Pipeline
from vi.inference.preprocess.chat import ChatPrompt
from vi.inference.task_types.boxes import RELATIVE, BoxUnits, box_units

if TYPE_CHECKING:
    from vi.inference.completion import Completion
    from vi.inference.engine.base import EngineState
    from vi.inference.engine.generation import Generation
    from vi.inference.engine.runners.base import Precision
    from vi.inference.engine.settings import EngineSettings
    from vi.inference.loading.loader import LoadedModel
    from vi.inference.media.clip_manifest import ClipManifest
    from vi.inference.preprocess.prompt import Prompt
    from vi.inference.runs.record import RunRecord
    from vi.inference.task_types.response import PredictionResponse

_log = logging.getLogger(__name__)

AHEAD = 8  # requests that are ready when another one ends

Outcome = tuple["PredictionResponse | None", "ViError | None"]


class SeenClip(NamedTuple):
    """What an answer says of its clip: the frames that were seen, and what a caller may not expect."""

    manifest: ClipManifest
    warnings: list[str]


@dataclass(frozen=True)
class Asked:
    """One request on its way. loading: seconds to read and prepare its source. units: of the model's boxes. precision:
    what the engine computes in. clip: what was seen of it and what to tell of that, None for a picture. transform: of
    the one picture that it is about."""

    call: Call
    prompt: str
    resolved: ResolvedConfig
    generation: Generation
    loading: float
    units: BoxUnits
    precision: Precision
    clip: SeenClip | None = None
    transform: PictureTransform | None = None

    def respond(self, completion: Completion) -> PredictionResponse:
        """The typed answer. Raises AnswerError where the caller's ``response_format`` rejects the text."""
        timings = completion.timings.model_copy(update={"load": self.loading})
        with _as_vi_errors("The answer could not be read"):
            response = self.call.task.respond(
                completion.model_copy(update={"timings": timings}),
                prompt=self.prompt,
                generation=self.resolved.echo() | {"precision": Setting(value=self.precision, origin="engine")},
                warnings=[*self.resolved.warnings, *(self.clip.warnings if self.clip is not None else ())],
                units=self.units,
            )
        video = None if self.clip is None else self.clip.manifest
        return response.model_copy(update={"video": video, "transform": self.transform})

    def reader(self) -> EventReader:
        """What makes events of its text."""
        return EventReader(self.call.task, self.units)

    def when_done(self, tell: Callable[[], None]) -> None:
        self.generation.when_done(tell)

    def cancel(self) -> None:
        self.generation.cancel()


class Answerer:
    """Asks one loaded model. Nothing of a call stays here; any number of threads may ask at once."""

    def __init__(
        self,
        loaded: LoadedModel,
        record: RunRecord,
        generation_config: GenerationConfig,
        warn: WarnOnce,
        settings: EngineSettings | None = None,
    ) -> None:
        self._record = record
        self._config = generation_config
        self._warn = warn
        self._chat = ChatPrompt(loaded)
        self._engine = start_engine(loaded, settings)
        self._room = MediaRoom()
        self._pictures = PictureCache()

    def ask(self, ask: Ask) -> Asked:
        """Read the source and begin to answer. Raises SourceError, PromptError, SchemaError or InferenceError."""
        if isinstance(ask.prompt, ViError):
            raise ask.prompt
        with _as_vi_errors(f"{ask.item.label} could not be asked about"):
            return self._ask(ask, ask.prompt)

    def answers(self, asks: Iterable[Ask], ordered: bool = True) -> Generator[tuple[Ask, Outcome], None, None]:
        """(answer, None) or (None, error) for each, in order or as they finish; the next sources are read meanwhile.

        Closing it cancels what has begun.
        """
        pipeline = Pipeline(self.ask, self._engine.capacity + AHEAD)
        with closing(pipeline.in_order(asks) if ordered else pipeline.as_finished(asks)) as underway:
            for ask, asked in underway:
                yield ask, _outcome(asked)

    def estimate(self, ask: Ask) -> Estimate:
        """What the request would take. Raises SourceError and PromptError as ``ask`` does, but not for its length."""
        if isinstance(ask.prompt, ViError):
            raise ask.prompt
        own, chat = self._chat, self._chat.within(ask.call.pixels)
        wider = max(own, chat, key=lambda one: one.at_most_pixels or 0)  # JPEGs are read no larger than needed
        source = look(ask, wider, self._pictures)
        shown = _shown(source) | {"system_prompt": ask.call.system_prompt or None, "history": ask.call.history}
        built = chat.draft(ask.prompt, **shown)
        before = built if chat is own else own.draft(ask.prompt, **shown)
        length, room = len(built.token_ids), self._chat.room(built)
        cap = min(self._resolve(ask.call).config.max_new_tokens, max(room, 0))
        token_bytes, cache_tokens = self._engine.token_bytes, self._engine.cache_tokens
        why_not = ""
        if room < 1:
            why_not = f"The model's context of {self._chat.context_length:,} tokens has no room for an answer."
        elif cache_tokens is not None and length >= cache_tokens:
            why_not = f"The engine's cache holds {cache_tokens:,} tokens; raise cache_bytes."
        return Estimate(
            source=ask.item.label,
            picture_size=_original_size(source),
            seen_size=built.seen_size,
            frames=len(source.frames) if isinstance(source, Clip) else 0,
            image_tokens=built.image_tokens,
            image_tokens_before=before.image_tokens,
            prompt_tokens=length,
            max_new_tokens=cap,
            context_length=self._chat.context_length,
            cache_bytes=None if token_bytes is None else (length + cap) * token_bytes,
            cache_size=None if token_bytes is None or cache_tokens is None else cache_tokens * token_bytes,
            why_not=why_not,
        )

    @property
    def state(self) -> EngineState:
        """What the engine is at."""
        return self._engine.state

    def close(self) -> None:
        """Stop what runs and free the device. Closing twice does nothing."""
        self._engine.close()

    def _ask(self, ask: Ask, prompt: str) -> Asked:
        call, started = ask.call, time.perf_counter()
        chat = self._chat.within(call.pixels)
        source = look(ask, chat, self._pictures)
        shown = _shown(source)
        built = chat.build(prompt, **shown, system_prompt=call.system_prompt or None, history=call.history)
        resolved = self._resolve(call).lower_max_new_tokens(self._chat.room(built), self._why_lowered(built))
        self._warn(resolved.notices)
        units = box_units(self._record.boxes, built.seen_size) if built.image_tokens else RELATIVE
        loading = time.perf_counter() - started
        grammar = call.grammar_in(units)
        if grammar is not None:
            self._engine.require_room(grammar, resolved.config.max_new_tokens)
        generation = self._submit(Request(built, resolved.config, grammar))
        seen = SeenClip(source.manifest, source.warnings) if isinstance(source, Clip) else None
        transform = PictureTransform.of(source, built.seen_size) if isinstance(source, Picture) else None
        return Asked(call, prompt, resolved, generation, loading, units, self._engine.precision, seen, transform)

    def _submit(self, request: Request) -> Generation:
        """Begin once there is room for the request's arrays, which it holds until it has ended."""
        room, num_bytes = self._room, sum(array.nbytes for array in request.prompt.media.values())
        room.enter(num_bytes)
        try:
            generation = self._engine.submit(request)
        except BaseException:
            room.leave(num_bytes)
            raise
        generation.when_done(lambda: room.leave(num_bytes))
        return generation

    def _resolve(self, call: Call) -> ResolvedConfig:
        return resolve(call=call.config, model=self._config, run=self._record.generation_config, cot=call.cot)

    def _why_lowered(self, built: Prompt) -> str:
        context, prompt = self._chat.context_length, len(built.token_ids)
        return f"the model's context of {context:,} tokens holds {prompt:,} of the prompt"


def _shown(source: Seen) -> dict[str, Any]:
    """What a prompt is built with."""
    if isinstance(source, Clip):
        return {"clip": source}
    if isinstance(source, list):
        return {"picture": [picture.pixels for picture in source] or None}
    return {"picture": source.pixels}


def _original_size(source: Seen) -> tuple[int, int]:
    """(width, height); of several pictures the first one's, (0, 0) of none."""
    if isinstance(source, list):
        return source[0].original_size if source else (0, 0)
    return source.original_size


def _outcome(asked: Future[Asked]) -> Outcome:
    try:
        begun = asked.result()
        return begun.respond(begun.generation.completion()), None
    except ViError as error:
        return None, _kept(error)


def _kept(error: ViError) -> ViError:
    """An error that a caller may keep for long: without tracebacks, whose frames hold pixels, tensors and the model.

    The traceback of a failure that nobody foresaw is logged instead.
    """
    if isinstance(error, InferenceError) and error.__cause__ is not None:
        _log.error("%s", error, exc_info=error)
    link: BaseException | None = error
    while link is not None:
        link.__traceback__ = link.__context__ = None
        link = link.__cause__
    return error


@contextmanager
def _as_vi_errors(failed: str) -> Iterator[None]:
    """An InferenceError in place of an error that nobody foresaw."""
    try:
        yield
    except ViError:
        raise
    except Exception as error:
        raise InferenceError(
            f"{failed} ({type(error).__name__}: {error}).", "Please report this with its traceback."
        ) from error
