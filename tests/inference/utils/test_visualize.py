"""Drawn answers: the pixels that must have changed, and those that must not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from vi.inference.errors import ConfigError, SourceError
from vi.inference.task_types import (
    Caption,
    FreeformResponse,
    GenericResponse,
    PhraseGroundingResponse,
    PredictionResponse,
    VQAAnswer,
    VQAResponse,
)
from vi.inference.utils.visualize import phrase_colour, visualize_prediction

GREY = (90, 90, 90)
CAPTION = FreeformResponse(prompt="p", result=Caption(caption="A bench with a bolt."))


def grounded(*phrases: tuple[str, list[list[int]]], sentence: str = "A bench.") -> PhraseGroundingResponse:
    groundings = [{"phrase": phrase, "grounding": boxes} for phrase, boxes in phrases]
    return PhraseGroundingResponse(prompt="p", result={"sentence": sentence, "groundings": groundings})


def picture(width: int = 512, height: int = 256) -> Image.Image:
    return Image.new("RGB", (width, height), GREY)


def answers() -> list[PredictionResponse]:
    return [
        VQAResponse(prompt="How many?", result=VQAAnswer(answer="three")),
        CAPTION,
        GenericResponse(prompt="p", result='{"colour":"red"}'),
        GenericResponse(prompt="p", result="cut o", truncated=True),
        grounded(("bolt", [[0, 0, 1024, 1024], [100, 100, 300, 400]]), ("nut", [])),
    ]


def test_the_frame_lies_on_the_outermost_pixels_of_its_box():
    drawn = np.asarray(visualize_prediction(picture(), grounded(("bolt", [[256, 512, 768, 768]]))))
    red = phrase_colour(0)
    left, top, right, bottom = 128, 128, 384, 192  # 512 by 256 pixels
    for y in range(top, bottom):
        assert tuple(drawn[y, left]) == tuple(drawn[y, right - 1]) == red
        assert tuple(drawn[y, left - 1]) == tuple(drawn[y, right]) == GREY
    assert (drawn[bottom - 1, left:right] == red).all()
    assert (drawn[bottom, left:right] == GREY).all()
    assert (drawn[top, left:right] == red).all()
    assert (drawn[top + 10 : bottom - 10, left + 10 : right - 10] == GREY).all()  # the object itself stays visible


def test_a_box_of_the_whole_picture_reaches_its_corners():
    drawn = visualize_prediction(picture(300, 200), grounded(("all", [[0, 0, 1024, 1024]])))
    for corner in [(299, 0), (0, 199), (299, 199)]:
        assert drawn.getpixel(corner) == phrase_colour(0)


def test_swapped_corners_are_drawn_as_the_same_box():
    sound, swapped = (grounded(("bolt", [box])) for box in ([100, 200, 600, 700], [600, 700, 100, 200]))
    assert visualize_prediction(picture(), sound) == visualize_prediction(picture(), swapped)


def test_every_phrase_has_its_own_colour_and_all_its_boxes_share_it():
    drawn = visualize_prediction(
        picture(), grounded(("a", [[0, 900, 100, 1024], [200, 900, 300, 1024]]), ("b", [[400, 900, 500, 1024]]))
    )
    assert [drawn.getpixel((x, 255)) for x in (25, 125, 225)] == [phrase_colour(0), phrase_colour(0), phrase_colour(1)]
    colours = np.array([phrase_colour(index) for index in range(24)], dtype=int)
    distance = np.abs(colours[:, None] - colours[None]).sum(axis=-1)
    assert distance[~np.eye(24, dtype=bool)].min() > 30


def test_a_box_that_is_repeated_is_drawn_once():
    once, often = (grounded(("bolt", [[100, 200, 600, 700]] * times)) for times in (1, 50))
    assert visualize_prediction(picture(), often) == visualize_prediction(picture(), once)


def test_a_small_box_is_drawn_over_a_large_one():
    drawn = visualize_prediction(picture(), grounded(("small", [[0, 900, 100, 1024]]), ("all", [[0, 0, 1024, 1024]])))
    assert drawn.getpixel((0, 255)) == phrase_colour(0)


@pytest.mark.parametrize("response", answers(), ids=lambda response: type(response).__name__)
def test_the_picture_stays_at_full_size_with_a_band_below(response):
    drawn = visualize_prediction(image_path=picture(), prediction=response)
    assert drawn.mode == "RGB"
    assert drawn.width == 512
    assert drawn.height > 256
    band = np.asarray(drawn)[256:]
    assert band.min() < 120 < 240 < band.max()  # dark letters on paper
    assert (band[:, 0] == band[0, 0]).all()  # a margin: nothing is cut at the edge
    assert (band[:, -1] == band[0, 0]).all()
    if not isinstance(response, PhraseGroundingResponse):
        assert (np.asarray(drawn)[:256] == GREY).all()


def test_long_text_wraps_and_its_band_grows():
    short, long = (
        visualize_prediction(picture(), FreeformResponse(prompt="p", result=Caption(caption=text)))
        for text in ("A bolt.", "A bolt lies here. " * 40)
    )
    assert long.width == short.width
    assert long.height - 256 > 3 * (short.height - 256)


def test_without_text_the_result_has_the_pictures_size():
    assert visualize_prediction(picture(), GenericResponse(prompt="p", result=" \n")).size == (512, 256)


def test_the_callers_picture_is_not_drawn_into():
    mine = picture()
    visualize_prediction(mine, answers()[-1])
    assert mine == picture()


@pytest.mark.parametrize("response", answers(), ids=lambda response: type(response).__name__)
@pytest.mark.parametrize("size", [(1, 1), (1, 900), (900, 1), (16, 16)])
def test_tiny_and_thin_pictures_are_drawn(response, size):
    drawn = visualize_prediction(picture(*size), response)
    assert drawn.width >= size[0]
    assert drawn.height > size[1]


@settings(max_examples=25, deadline=None)
@given(
    text=st.text(min_size=1, max_size=60),
    box=st.lists(st.integers(0, 1024), min_size=4, max_size=4),
    size=st.tuples(st.integers(1, 200), st.integers(1, 200)),
)
def test_any_text_and_any_box_are_drawn(text, box, size):
    drawn = visualize_prediction(picture(*size), grounded((text, [box]), sentence=text))
    assert drawn.width >= size[0]
    assert drawn.height >= size[1]


def test_emoji_other_scripts_and_line_breaks_are_drawn():
    text = "🔧👩‍🔧 日本語\nعربي\t\x00\u200b é"
    assert visualize_prediction(picture(), grounded((text, [[0, 0, 500, 500]]), sentence=text)).height > 256


def test_a_turned_picture_is_drawn_upright(tmp_path):
    turned = Image.new("RGB", (40, 20), GREY)
    turned.putpixel((0, 19), (255, 0, 0))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise by a quarter
    path = tmp_path / "turned.png"
    turned.save(path, exif=exif)
    drawn = visualize_prediction(path, CAPTION)
    assert drawn.getpixel((0, 0)) == (255, 0, 0)
    assert drawn.getpixel((19, 39)) == GREY
    assert drawn.getpixel((20, 0)) != GREY
    assert drawn == visualize_prediction(Image.open(path), CAPTION)


@pytest.mark.parametrize(
    ("mode", "value", "expected"),
    [
        ("L", 90, GREY),
        ("RGBA", (9, 9, 9, 0), (255, 255, 255)),
        ("LA", (90, 255), GREY),
        ("CMYK", (0, 0, 0, 165), GREY),
        ("1", 1, (255, 255, 255)),
        ("I;16", 90 * 257, GREY),
    ],
)
def test_every_kind_of_picture_is_drawn_in_its_own_colours(mode, value, expected):
    drawn = visualize_prediction(Image.new(mode, (300, 200), value), CAPTION)
    assert np.abs(np.subtract(drawn.getpixel((150, 100)), expected)).max() <= 1


def test_a_palette_picture_is_drawn_in_its_own_colours():
    assert visualize_prediction(picture().quantize(4), CAPTION).getpixel((5, 5)) == GREY


def test_a_picture_that_cannot_be_read_is_an_error_that_names_it(tmp_path):
    with pytest.raises(SourceError, match=r"none\.png"):
        visualize_prediction(tmp_path / "none.png", CAPTION)
    (tmp_path / "text.jpg").write_text("no picture")
    with pytest.raises(SourceError, match=r"text\.jpg"):
        visualize_prediction(str(tmp_path / "text.jpg"), CAPTION)


def test_several_pictures_are_refused(tmp_path):
    for name in ("a.png", "b.png"):
        picture().save(tmp_path / name)
    with pytest.raises(ConfigError, match="folder of 2"):
        visualize_prediction(tmp_path, CAPTION)


def test_the_pair_that_a_call_returns_is_not_an_answer():
    with pytest.raises(ConfigError, match="result, error = model"):
        visualize_prediction(picture(), (CAPTION, None))
