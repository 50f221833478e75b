"""The columns of the output: an answer, or what stands in its place, as one flat row."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from vi.inference.errors import ViError
from vi.inference.task_types.phrase_grounding import PhraseGroundingResponse

if TYPE_CHECKING:
    from vi.inference.task_types.response import PredictionResponse

OutputRow = dict[str, Any]

COLUMNS: dict[str, type] = {
    "id": str,  # the input's own, where it has one
    "source": str,  # a file's path; anything else by a short name without secrets
    "prompt": str,  # as the model was asked
    "task": str,
    "answer": str,  # vqa
    "caption": str,  # freeform, video-freeform
    "sentence": str,  # phrase-grounding
    "boxes": list,  # phrase-grounding: {"phrase", "box": [xmin, ymin, xmax, ymax] in [0, 1024]}
    "width": int,  # of the picture, upright, in pixels; where there are boxes
    "height": int,
    "text": str,  # generic, and text that does not fit its task
    "thinking": str,
    "truncated": bool,
    "finish_reason": str,
    "error_type": str,
    "error": str,
    "prompt_tokens": int,
    "image_tokens": int,
    "completion_tokens": int,
    "seed": int,
    "seconds": float,  # from reading the source to the last token
    "confidence": float,  # geometric mean of the tokens' probabilities; with logprobs
    "warnings": list,  # of str
    "key": str,  # what was asked, of which content and model: see keys.py
}
"""Every column with what it holds; each may be None. Lists are JSON text in CSV."""

ANSWERS = ("answer", "caption", "sentence", "text")


def answered_row(facts: Mapping[str, Any], answer: PredictionResponse) -> OutputRow:
    """An answer as a row, without the picture's size. facts: id, source, task, key."""
    result = answer.result
    row: OutputRow = dict.fromkeys(COLUMNS)
    row.update(facts)
    row.update({name: getattr(result, name) for name in ("answer", "caption", "sentence") if hasattr(result, name)})
    if isinstance(result, str):
        row["text"] = result
    if isinstance(answer, PhraseGroundingResponse):
        row["boxes"] = _boxes(answer)
    seed = answer.generation.get("seed")
    row.update(
        prompt=answer.prompt,
        thinking=answer.thinking,
        truncated=answer.truncated,
        finish_reason=answer.finish_reason,
        prompt_tokens=answer.usage.prompt_tokens,
        image_tokens=answer.usage.image_tokens,
        completion_tokens=answer.usage.completion_tokens,
        seed=seed.value if seed else None,
        seconds=round(answer.timings.load + answer.timings.total, 6),
        confidence=_confidence(answer),
        warnings=list(answer.warnings),
    )
    return row


def failed_row(facts: Mapping[str, Any], prompt: str | None, error: ViError) -> OutputRow:
    """A row for a source that has no answer."""
    row: OutputRow = dict.fromkeys(COLUMNS)
    return row | {**facts, "prompt": prompt, "error_type": type(error).__name__, "error": " ".join(str(error).split())}


def answer_text(row: Mapping[str, Any]) -> str | None:
    """The row's answer in words, whatever its task."""
    return next((row[name] for name in ANSWERS if row.get(name) is not None), None)


def _boxes(answer: PhraseGroundingResponse) -> list[dict[str, Any]]:
    return [{"phrase": each.phrase, "box": list(box)} for each in answer.result.groundings for box in each.grounding]


def _confidence(answer: PredictionResponse) -> float | None:
    logprobs = [token.logprob for token in answer.logprobs or ()]
    return round(math.exp(math.fsum(logprobs) / len(logprobs)), 6) if logprobs else None
