"""What every answer carries, and the answer for text that has no type of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from vi.inference.completion import FinishReason, Timings, TokenLogprob, Usage
from vi.inference.generation_config import Setting
from vi.inference.media.clip_manifest import ClipManifest
from vi.inference.media.transform import PictureTransform


class PredictionResponse(BaseModel):
    """One answer: its typed ``result``, and how it came about.

    prompt: what was asked. raw_output: the model's whole text, thinking included. thinking: the chain of thought, None
    where there is none. truncated: the length limit cut the answer before it was complete, or had it completed sooner
    than the model would have (an answer that the very last token allowed completes is not truncated, though its
    ``finish_reason`` is ``length``). usage: token counts.
    timings: seconds. generation: every generation parameter with its value and where that came from, and the
    ``precision`` that the engine computed in (``exact`` is float32, ``fast`` fewer bits). warnings: what the caller may
    not have expected. logprobs: one entry a token, None unless asked for. video: which frames of a clip
    the answer is about, None for a picture. transform: how the one picture led to what the model saw.
    probabilities: of choices, of fields that are an Enum or a Literal, and of booleans: path of the field (its keys and
    indices, joined by dots; empty where it is the whole answer) to option to probability. It is the model's own before
    penalty, temperature and filters, among the options; see ``OptionWalk`` for what is exact.

    ``print(response)`` shows the answer alone. ``model_dump_json()`` and ``model_validate_json()`` round-trip. An
    answer made by hand needs ``prompt`` and ``result`` only.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    prompt: str
    result: Any
    raw_output: str = ""
    thinking: str | None = None
    truncated: bool = False
    finish_reason: FinishReason = "stop"
    usage: Usage = Usage(prompt_tokens=0, completion_tokens=0)
    timings: Timings = Timings(prefill=0.0, time_to_first_token=0.0, per_token=0.0, total=0.0)
    generation: dict[str, Setting] = {}
    warnings: list[str] = []
    logprobs: list[TokenLogprob] | None = None
    probabilities: dict[str, dict[str, float]] = {}
    video: ClipManifest | None = None
    transform: PictureTransform | None = None

    def __str__(self) -> str:
        return f"{self.result} [cut off at the length limit]" if self.truncated else str(self.result)

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        yield "result", self.result
        yield "finish_reason", self.finish_reason
        for name in ("thinking", "truncated", "warnings"):
            if getattr(self, name):
                yield name, getattr(self, name)
        yield "completion_tokens", self.usage.completion_tokens


class GenericResponse(PredictionResponse):
    """Text as the model wrote it: a generic answer, one that could not be parsed, or a custom schema's JSON.

    parsed: the validated instance of the call's ``response_format``, None otherwise. It is derived from ``result``, so
    it takes no part in comparison and is left out of JSON; ``MyFormat.model_validate_json(response.result)`` gives it
    again.
    """

    result: str
    parsed: Any = Field(default=None, exclude=True)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, GenericResponse):
            return NotImplemented
        return BaseModel.__eq__(_unparsed(self), _unparsed(other))

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        yield from super().__repr_args__()
        if self.parsed is not None:
            yield "parsed", self.parsed


def _unparsed(response: GenericResponse) -> GenericResponse:
    return response.model_copy(update={"parsed": None})
