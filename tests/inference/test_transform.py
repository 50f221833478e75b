"""From a picture's file to what the model saw of it, and back to its pixels."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps
from tests.inference.asking import answer, picture

from vi.inference import ConfigError
from vi.inference.completion import Completion, Timings, Usage
from vi.inference.media.image import load_picture
from vi.inference.media.items import SourceItem
from vi.inference.media.transform import PictureTransform
from vi.inference.task_types.boxes import box_units
from vi.inference.task_types.phrase_grounding import PHRASE_GROUNDING, PhraseGrounding, PhraseGroundingResponse

RED, GREY = (220, 20, 20), (90, 90, 90)


def turned(upright, orientation):
    """A file whose stored pixels and EXIF orientation stand for ``upright``."""
    undoing = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = upright.transpose(undoing[orientation]) if orientation in undoing else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = BytesIO()
    stored.save(file, "PNG", exif=exif)
    assert ImageOps.exif_transpose(Image.open(BytesIO(file.getvalue()))).size == upright.size
    return file.getvalue()


def completed(text):
    return Completion(
        token_ids=[],
        text=text,
        finish_reason="stop",
        usage=Usage(prompt_tokens=1, completion_tokens=1),
        timings=Timings(prefill=0.0, time_to_first_token=0.0, per_token=0.0, total=0.0),
    )


@given(
    orientation=st.integers(1, 8),
    seen=st.sampled_from([(112, 56), (640, 480), (1008, 2016)]),
    convention=st.sampled_from(["resized-pixels", "relative-1000", "relative-1024", "relative-1000-y-first"]),
    corners=st.tuples(st.integers(0, 60), st.integers(0, 30), st.integers(1, 20), st.integers(1, 20)),
)
def test_a_box_leads_to_the_very_pixels_through_any_resize_turn_and_convention(orientation, seen, convention, corners):
    upright = Image.new("RGB", (80, 50), GREY)
    x1, y1, x2, y2 = corners[0], corners[1], min(80, corners[0] + corners[2]), min(50, corners[1] + corners[3])
    upright.paste(RED, (x1, y1, x2, y2))
    loaded = load_picture(SourceItem("bytes", turned(upright, orientation), "it.png"))
    transform = PictureTransform.of(loaded, seen)
    assert (transform.original_size, transform.orientation) == ((80, 50), orientation)
    units = box_units(convention, seen)
    sides = (units.width / 80, units.height / 50)
    written = [round(x1 * sides[0]), round(y1 * sides[1]), round(x2 * sides[0]), round(y2 * sides[1])]
    if units.y_first:
        written = [written[1], written[0], written[3], written[2]]
    text = (
        '{"phrase_grounding":{"sentence":"it","groundings":[{"phrase":"it","grounding":[' + str(written) + "]}]}}"
    ).replace(" ", "")
    response = PHRASE_GROUNDING.respond(completed(text), prompt="?", units=units)
    ((box,),) = response.model_copy(update={"transform": transform}).to_pixels()
    assert box == (x1, y1, x2, y2)
    pixels = np.asarray(loaded.pixels.crop(box))
    assert (pixels == RED).all()
    assert (np.asarray(loaded.pixels) == RED).all(-1).sum() == (x2 - x1) * (y2 - y1)


def test_an_answer_says_what_was_done_to_its_picture(tiny_model):
    source = turned(Image.new("RGB", (90, 60), GREY), 6)
    options = {"task_type": "generic", "generation_config": {"max_new_tokens": 2}}
    response = answer(tiny_model(source, "What is it?", **options))
    transform = response.transform
    assert (transform.original_size, transform.orientation) == ((90, 60), 6)
    width, height = transform.seen_size
    assert transform.scale == (width / 90, height / 60)
    assert type(response).model_validate_json(response.model_dump_json()) == response
    assert answer(tiny_model(picture(), "What is it?", **options)).transform.orientation == 1


def test_an_answer_made_by_hand_has_no_pixels_of_its_own():
    by_hand = PhraseGroundingResponse(prompt="?", result=PhraseGrounding(sentence="it", groundings=[]))
    with pytest.raises(ConfigError, match="to_pixels"):
        by_hand.to_pixels()
