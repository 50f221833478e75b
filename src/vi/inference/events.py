"""What happens while an answer is being written, as typed steps; each is JSON with ``model_dump(mode="json")``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, SerializeAsAny

from vi.inference.completion import TokenLogprob, TokenScore
from vi.inference.structured.field_reader import Field, FieldReader
from vi.inference.task_types.base import Task
from vi.inference.task_types.boxes import BoxUnits
from vi.inference.task_types.confidence import box_confidence
from vi.inference.task_types.response import PredictionResponse
from vi.inference.task_types.thinking import ThinkingReader

Scores = Sequence["TokenScore | TokenLogprob"]


class _Step(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")


class TextEvent(_Step):
    """A piece of the answer's text, as the model wrote it, without the chain of thought."""

    type: Literal["text"] = "text"
    text: str


class ThinkingEvent(_Step):
    """A piece of the chain of thought, without its tags."""

    type: Literal["thinking"] = "thinking"
    text: str


class FieldEvent(_Step):
    """A string, number, true, false, null or empty container of ``result`` that is complete; a box as a whole.

    path: the keys and indices that lead to it. All of them together are the result.
    """

    type: Literal["field"] = "field"
    path: list[str | int]
    value: Any


class BoxEvent(_Step):
    """A box that closed: [x1, y1, x2, y2] in [0, 1024] of the upright original, with its phrase.

    confidence: as in the answer's ``confidences``; None where it is not known.
    """

    type: Literal["box"] = "box"
    phrase: str
    box: list[int]
    confidence: float | None = None


class TokenEvent(TokenLogprob):
    """A token; only where ``logprobs`` were asked for."""

    type: Literal["token"] = "token"


class DoneEvent(_Step):
    """The end, with the typed answer."""

    type: Literal["done"] = "done"
    response: SerializeAsAny[PredictionResponse]


Event = TextEvent | ThinkingEvent | FieldEvent | BoxEvent | TokenEvent | DoneEvent


class EventReader:
    """Turns a request's text, as it comes, into events; how it is cut into pieces makes no difference to fields.

    units: what the model writes boxes in.
    """

    def __init__(self, task: Task, units: BoxUnits) -> None:
        self._units = units
        self._outer = task.outer
        self._has_boxes = task.read_in_units is not None
        self._thinking = ThinkingReader()
        self._fields = None if task.schema is None else FieldReader(self._is_box)
        self._phrase = ""
        self._phrase_at = (0, 0)  # where its words are in the text
        self._text = ""
        self._answer_at: int | None = None  # where in the text the answer begins

    def feed(self, piece: str, scores: Callable[[], Scores] = tuple) -> Iterator[Event]:
        """The events of the next piece. scores: of all tokens so far, asked for when a box closes."""
        self._text += piece
        yield from self._events(self._thinking.feed(piece), scores)

    def close(self) -> Iterator[Event]:
        """The events of the end of the text."""
        yield from self._events(self._thinking.close(), tuple)
        for field in self._fields.close() if self._fields is not None else ():
            yield from self._of_field(field, tuple)

    def _events(self, parts: Iterator[tuple[bool, str]], scores: Callable[[], Scores]) -> Iterator[Event]:
        for thinking, text in parts:
            if thinking:
                yield ThinkingEvent(text=text)
                continue
            if self._answer_at is None:
                self._answer_at = len(self._text) - self._thinking.num_held - len(text)
            yield TextEvent(text=text)
            for field in self._fields.feed(text) if self._fields is not None else ():
                yield from self._of_field(field, scores)

    def _of_field(self, field: Field, scores: Callable[[], Scores]) -> Iterator[Event]:
        path, value = list(field.path), field.value
        if self._outer is not None and path[:1] == [self._outer]:
            path = path[1:]
        is_box, at = self._is_box(field.path), self._answer_at or 0
        if is_box:
            value = self._units.to_relative(value)
        elif self._has_boxes and path[-1:] == ["phrase"]:
            self._phrase = value
            self._phrase_at = (at + field.start + 1, at + field.end - 1)  # without its quotes
        yield FieldEvent(path=path, value=value)
        if is_box:
            box_at = (at + field.start, at + field.end)
            confidence = box_confidence(self._text, scores(), self._phrase_at, box_at)
            yield BoxEvent(phrase=self._phrase, box=value, confidence=confidence)

    def _is_box(self, path: tuple[str | int, ...]) -> bool:
        return self._has_boxes and len(path) > 2 and path[-2] == "grounding" and isinstance(path[-1], int)
