"""Phrase grounding: a sentence about the picture, and where its phrases are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from vi.inference.errors import ConfigError
from vi.inference.task_types.base import PredictionResponse, Reading, Task
from vi.inference.task_types.boxes import FULL_SCALE, RELATIVE, BoxUnits, rescale
from vi.inference.task_types.confidence import PhraseConfidence, Scored, phrase_confidences
from vi.inference.task_types.detections import to_coco, to_supervision
from vi.inference.task_types.salvage import salvaged_groundings
from vi.inference.task_types.wire import Wire, closed_schema, find_document

if TYPE_CHECKING:
    from vi.inference.structured.grammar import Grammar

Coordinate = Annotated[int, Field(ge=0, le=FULL_SCALE, strict=True)]
Box = Annotated[list[Coordinate], Field(min_length=4, max_length=4)]
PixelBox = tuple[int, int, int, int]


class GroundedPhrase(Wire):
    """``phrase`` and its boxes.

    grounding: ``[xmin, ymin, xmax, ymax]`` each, integers in [0, 1024]: 0 is the picture's left or top edge, 1024 its
    right or bottom edge, whatever units the model writes in. One whose corners are swapped stays so, and the response's
    ``warnings`` say it.
    """

    phrase: str = Field(min_length=1)
    grounding: list[Box]

    def to_pixels(self, width: int, height: int) -> list[PixelBox]:
        """The boxes in pixels of a picture of ``width`` by ``height``, in the order of ``grounding``.

        x = value · width / 1024 and y = value · height / 1024, rounded to the nearest integer, halves up; so 0 is 0 and
        1024 is ``width`` or ``height``, the edge after the last pixel: what ``Image.crop`` and slices take.
        """
        if width < 1 or height < 1:
            raise ConfigError(
                f"width={width}, height={height} is not the size of a picture.", "Both are at least 1: *image.size."
            )
        return [
            (
                rescale(x1, FULL_SCALE, width),
                rescale(y1, FULL_SCALE, height),
                rescale(x2, FULL_SCALE, width),
                rescale(y2, FULL_SCALE, height),
            )
            for x1, y1, x2, y2 in self.grounding
        ]

    def __str__(self) -> str:
        return f"{self.phrase}: {', '.join(map(str, self.grounding)) or 'no box'}"


class PhraseGrounding(Wire):
    """``sentence``, and the ``groundings`` of its phrases; no groundings where nothing was found."""

    sentence: str = Field(min_length=1)
    groundings: list[GroundedPhrase]

    def __str__(self) -> str:
        return "\n".join([self.sentence, *(f"  {grounded}" for grounded in self.groundings)])


class PhraseGroundingDocument(Wire):
    """``{"phrase_grounding": {"sentence": …, "groundings": [{"phrase": …, "grounding": [[x1, y1, x2, y2]]}]}}``"""

    phrase_grounding: PhraseGrounding


class PhraseGroundingResponse(PredictionResponse):
    """A sentence and its grounded phrases: ``response.result.sentence``, ``response.result.groundings``.

    confidences: how sure the model was of each phrase and of each of its boxes, in their order; None where the answer
    has no ``logprobs``, or had to be read out of text of another form.
    """

    result: PhraseGrounding
    confidences: list[PhraseConfidence] | None = None

    def to_pixels(self) -> list[list[PixelBox]]:
        """The boxes of each phrase in pixels of the upright original, as ``GroundedPhrase.to_pixels``.

        Raises ConfigError for an answer that does not know its picture (one about several, or made by hand).
        """
        if self.transform is None:
            raise ConfigError(
                "This answer does not know the size of its picture.", "Ask each phrase: to_pixels(width, height)."
            )
        return [each.to_pixels(*self.transform.original_size) for each in self.result.groundings]

    def to_supervision(self, width: int, height: int) -> Any:
        """The boxes as ``supervision.Detections`` in pixels; ConfigError where supervision is not installed."""
        return to_supervision(self, width, height)

    def to_coco(self, width: int, height: int, image_id: int = 1) -> dict[str, Any]:
        """The boxes as a COCO data set of one picture, in pixels."""
        return to_coco(self, width, height, image_id)


class _WrittenPhrase(Wire):
    phrase: str = Field(min_length=1)
    grounding: list[Annotated[list[Annotated[int, Field(ge=0, strict=True)]], Field(min_length=4, max_length=4)]]


class _WrittenGrounding(Wire):
    """What a model writes: boxes in its own units."""

    sentence: str = Field(min_length=1)
    groundings: list[_WrittenPhrase]


class _WrittenDocument(Wire):
    phrase_grounding: _WrittenGrounding


def _doubts(result: PhraseGrounding, points: Iterable[str]) -> list[str]:
    """What is well formed but breaks the convention; it is kept as the model wrote it."""
    doubts = [f"{phrase!r} was given as a point; its box has no extent." for phrase in dict.fromkeys(points)]
    for grounded in result.groundings:
        if grounded.phrase not in result.sentence:
            doubts.append(f"The phrase {grounded.phrase!r} does not occur in the sentence.")
        for box in grounded.grounding:
            if box[0] > box[2] or box[1] > box[3]:
                doubts.append(f"The box {box} of {grounded.phrase!r} has its corners swapped.")
    return doubts


def _read(text: str, units: BoxUnits = RELATIVE) -> Reading | None:
    document = find_document(_WrittenDocument, text)
    if document is None:
        return _salvage(text, units)
    written = document.phrase_grounding
    result = _result(written.sentence, [(each.phrase, each.grounding) for each in written.groundings], units)
    return Reading(result, warnings=tuple(_doubts(result, ())))


def _salvage(text: str, units: BoxUnits) -> Reading | None:
    grounded = salvaged_groundings(text, units)
    if grounded is None:
        return None
    boxes: dict[str, list[Sequence[int]]] = {}
    for each in grounded.found:
        boxes.setdefault(each.phrase, []).extend([each.box] if each.box is not None else [])
    result = _result(grounded.sentence, list(boxes.items()), units)
    points = [each.phrase for each in grounded.found if each.is_point]
    return Reading(result, truncated=grounded.cut, warnings=tuple(_doubts(result, points)))


def _result(sentence: str, phrases: Sequence[tuple[str, Sequence[Sequence[int]]]], units: BoxUnits) -> PhraseGrounding:
    """The answer, its boxes in [0, 1024]."""
    return PhraseGrounding(
        sentence=sentence,
        groundings=[
            GroundedPhrase(phrase=phrase, grounding=[units.to_relative(box) for box in boxes])
            for phrase, boxes in phrases
        ],
    )


def _weigh(result: PhraseGrounding, text: str, logprobs: Sequence[Scored] | None) -> dict[str, Any]:
    """What the tokens' probabilities say of an answer."""
    phrases = [(each.phrase, len(each.grounding)) for each in result.groundings]
    return {"confidences": phrase_confidences(text, logprobs, phrases)}


def _boxed_schema(units: BoxUnits, max_objects: int) -> dict[str, Any]:
    """The wire document with at most ``max_objects`` phrases, each with a box, and as many boxes of one."""
    schema = closed_schema(PhraseGroundingDocument)
    definitions = schema["$defs"]
    definitions["PhraseGrounding"]["properties"]["groundings"]["maxItems"] = max_objects
    grounding = definitions["GroundedPhrase"]["properties"]["grounding"]
    grounding.update(minItems=1, maxItems=max_objects)
    grounding["items"]["items"]["maximum"] = max(units.width, units.height)
    return schema


@lru_cache(maxsize=256)
def _boxed_grammar(units: BoxUnits, max_objects: int, thinking: bool) -> Grammar:
    """The wire document, boxes with their corners in order inside the picture, phrases that the sentence has."""
    from vi.inference.structured.grammar import json_grammar, think_grammar
    from vi.inference.structured.grounding import GroundingRule

    rule = GroundingRule(units.width, units.height, units.y_first)
    return (think_grammar if thinking else json_grammar)(_boxed_schema(units, max_objects), rule)


PHRASE_GROUNDING = Task(
    name="phrase-grounding",
    response=PhraseGroundingResponse,
    system_prompt=(
        "You say in one sentence what a picture shows, or find in it what is asked for, and mark where each thing is.\n"
        "Reply with one line of JSON and no other text: "
        '{"phrase_grounding":{"sentence":"<one sentence>","groundings":'
        '[{"phrase":"<words copied from the sentence>","grounding":[[xmin,ymin,xmax,ymax]]}]}}\n'
        "A phrase has one box for each thing it names. Coordinates are integers from 0 to 1024, relative to the "
        "picture: x from its left edge (0) to its right edge (1024), y from its top edge (0) to its bottom edge "
        "(1024). "
        "Where nothing is found, groundings is []."
    ),
    default_prompt="Describe this picture in one sentence and mark each thing you name.",
    schema=closed_schema(PhraseGroundingDocument),
    read=_read,
    read_in_units=_read,
    boxed_grammar=_boxed_grammar,
    weigh=_weigh,
)
