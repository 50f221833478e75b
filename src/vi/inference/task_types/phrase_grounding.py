"""Phrase grounding: a sentence about the picture, and where its phrases are."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from vi.inference.errors import ConfigError
from vi.inference.task_types.base import PredictionResponse, Reading, Task
from vi.inference.task_types.boxes import FULL_SCALE, BoxUnits, rescale
from vi.inference.task_types.wire import Wire, closed_schema, find_document

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

    def from_units(self, units: BoxUnits) -> PhraseGrounding:
        """The same with its boxes, which are in ``units``, in [0, 1024]."""
        phrases = [
            GroundedPhrase(phrase=each.phrase, grounding=[units.to_relative(box) for box in each.grounding])
            for each in self.groundings
        ]
        return PhraseGrounding(sentence=self.sentence, groundings=phrases)

    def __str__(self) -> str:
        return "\n".join([self.sentence, *(f"  {grounded}" for grounded in self.groundings)])


class PhraseGroundingDocument(Wire):
    """``{"phrase_grounding": {"sentence": …, "groundings": [{"phrase": …, "grounding": [[x1, y1, x2, y2]]}]}}``"""

    phrase_grounding: PhraseGrounding


class PhraseGroundingResponse(PredictionResponse):
    """A sentence and its grounded phrases: ``response.result.sentence``, ``response.result.groundings``."""

    result: PhraseGrounding


def _doubts(result: PhraseGrounding) -> list[str]:
    """What is well formed but breaks the convention; it is kept as the model wrote it."""
    doubts = []
    for grounded in result.groundings:
        if grounded.phrase not in result.sentence:
            doubts.append(f"The phrase {grounded.phrase!r} does not occur in the sentence.")
        for box in grounded.grounding:
            if box[0] > box[2] or box[1] > box[3]:
                doubts.append(f"The box {box} of {grounded.phrase!r} has its corners swapped.")
    return doubts


def _read(text: str) -> Reading | None:
    document = find_document(PhraseGroundingDocument, text)
    if document is None:
        return None
    result = document.phrase_grounding
    return Reading(result, warnings=tuple(_doubts(result)))


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
    from_units=PhraseGrounding.from_units,
)
