"""Answers drawn on their pictures."""

from __future__ import annotations

import colorsys
import math
import os
from typing import Any

from PIL import Image, ImageDraw

from vi.inference.errors import ConfigError
from vi.inference.media.image import load_picture
from vi.inference.media.sources import expand
from vi.inference.task_types.phrase_grounding import GroundedPhrase, PhraseGroundingResponse
from vi.inference.task_types.response import PredictionResponse
from vi.inference.task_types.vqa import VQAResponse
from vi.inference.utils.lettering import Lettering
from vi.inference.utils.placement import Rect, place

Colour = tuple[int, int, int]

_PAPER: Colour = (250, 250, 248)
_INK: Colour = (24, 24, 28)
_PALE_INK: Colour = (112, 112, 120)
_BLACK: Colour = (0, 0, 0)
_WHITE: Colour = (255, 255, 255)


def visualize_prediction(
    image_path: str | os.PathLike[str] | Image.Image, prediction: PredictionResponse
) -> Image.Image:
    """Draw an answer on its picture. Returns a new RGB picture.

    image_path: a file, a PIL picture, or any other single source that ``ViModel`` takes; one turned by its EXIF tag is
    drawn upright. prediction: any answer of ``ViModel``.

    The picture keeps its full size, at the top left. Boxes of grounded phrases are drawn into it, one colour a phrase,
    each with its label (no labels in a picture too small for one). Text (question and answer, caption, sentence, or
    raw text) stands on a band added below, as high as the text needs; a picture narrower than a few words is widened
    to the right. Without text the result has the picture's size. Raises SourceError for a picture that cannot be read,
    ConfigError for several pictures or anything but an answer.
    """
    if not isinstance(prediction, PredictionResponse):
        raise ConfigError(
            f"prediction is {type(prediction).__name__}, not an answer.",
            "Pass the first of what the call returns: result, error = model(…).",
        )
    picture = _load(image_path)
    size = max(13, round(0.026 * math.sqrt(picture.width * picture.height)))
    if isinstance(prediction, PhraseGroundingResponse):
        _draw_boxes(picture, prediction.result.groundings, Lettering(max(11, round(size * 0.85))))
    return _with_band(picture, _paragraphs(prediction), Lettering(size))


def phrase_colour(index: int) -> Colour:
    """The colour of the phrase of that ``index``; hues are a golden section apart, so that neighbours differ."""
    saturation, value = ((0.85, 0.95), (0.95, 0.7), (0.55, 1.0))[index // 8 % 3]
    red, green, blue = colorsys.hsv_to_rgb((0.98 + index * 0.618034) % 1, saturation, value)
    return round(red * 255), round(green * 255), round(blue * 255)


def _load(source: Any) -> Image.Image:
    sources = expand(source)
    if sources.many:
        raise ConfigError(
            f"image_path is a list or a folder of {len(sources.items)}.",
            "An answer is about one picture: pass that one.",
        )
    return load_picture(sources.items[0]).pixels


def _draw_boxes(picture: Image.Image, groundings: list[GroundedPhrase], lettering: Lettering) -> None:
    """Draw every box, the large ones first, then every label."""
    order = {phrase: index for index, phrase in enumerate(dict.fromkeys(grounded.phrase for grounded in groundings))}
    boxes = dict.fromkeys(  # a box that the model repeats is drawn once
        (_sorted_corners(box), grounded.phrase)
        for grounded in groundings
        for box in grounded.to_pixels(picture.width, picture.height)
    )
    draw = ImageDraw.Draw(picture)
    for box, phrase in sorted(boxes, key=lambda item: -_area(item[0])):
        _draw_box(draw, box, phrase_colour(order[phrase]), max(2, round(lettering.size / 4.5)))
    taken: list[Rect] = []
    for box, phrase in boxes:
        label = _draw_label(picture, lettering, box, phrase, phrase_colour(order[phrase]), taken)
        if label is not None:
            taken.append(label)


def _sorted_corners(box: Rect) -> Rect:
    x1, y1, x2, y2 = box
    return min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)


def _area(box: Rect) -> int:
    return (box[2] - box[0]) * (box[3] - box[1])


def _draw_box(draw: ImageDraw.ImageDraw, box: Rect, colour: Colour, thickness: int) -> None:
    """A frame on the pixels just inside ``box``; an empty box is one pixel wide."""
    width, height = draw.im.size
    left, top = min(box[0], width - 1), min(box[1], height - 1)
    right, bottom = max(box[2] - 1, left), max(box[3] - 1, top)
    thickness = min(thickness, max(1, min(right - left, bottom - top) // 4))
    draw.rectangle((left, top, right, bottom), outline=colour, width=thickness)


def _draw_label(
    picture: Image.Image, lettering: Lettering, box: Rect, phrase: str, colour: Colour, taken: list[Rect]
) -> Rect | None:
    """Draw ``phrase`` on a patch of ``colour`` and say where; None in a picture too small for any label."""
    margin = max(2, round(lettering.size * 0.3))
    text = lettering.shorten(phrase, picture.width - 2 * margin)
    size = (lettering.width(text) + 2 * margin, lettering.line_height)
    if not text or size[1] > picture.height:
        return None
    rect = place(size, box, taken, picture.size)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((rect[0], rect[1], rect[2] - 1, rect[3] - 1), fill=colour)
    middle = (rect[1] + rect[3]) / 2
    draw.text((rect[0] + margin, middle), text, font=lettering.font, fill=_contrast(colour), anchor="lm")
    return rect


def _contrast(colour: Colour) -> Colour:
    """Black on light colours, white on dark ones (luma of ITU-R BT.601)."""
    return _BLACK if 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2] > 140 else _WHITE


def _paragraphs(prediction: PredictionResponse) -> list[tuple[str, Colour]]:
    if isinstance(prediction, PhraseGroundingResponse):
        texts = [(prediction.result.sentence, _INK)]
    elif isinstance(prediction, VQAResponse):
        texts = [(prediction.prompt, _PALE_INK), (prediction.result.answer, _INK)]
    else:
        texts = [(str(prediction.result), _INK)]
    if prediction.truncated:
        texts.append(("[cut off at the length limit]", _PALE_INK))
    return texts


def _with_band(picture: Image.Image, paragraphs: list[tuple[str, Colour]], lettering: Lettering) -> Image.Image:
    margin = round(lettering.size * 0.7)
    width = max(picture.width, lettering.size * 16)
    lines = [(line, ink) for text, ink in paragraphs for line in lettering.wrap(text, width - 2 * margin)]
    if not lines:
        return picture
    height = picture.height + 2 * margin + len(lines) * lettering.line_height
    canvas = Image.new("RGB", (width, height), _PAPER)
    canvas.paste(picture, (0, 0))
    draw = ImageDraw.Draw(canvas)
    for row, (line, ink) in enumerate(lines):
        middle = picture.height + margin + (row + 0.5) * lettering.line_height
        draw.text((margin, middle), line, font=lettering.font, fill=ink, anchor="lm")
    return canvas
