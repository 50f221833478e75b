from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vi.inference.errors import SourceError
from vi.inference.media.image import load_picture
from vi.inference.media.sources import expand


def pixels(array: np.ndarray) -> np.ndarray:
    return np.asarray(load_picture(expand(array).items[0]).pixels)


def refused(array: np.ndarray) -> str:
    with pytest.raises(SourceError) as caught:
        pixels(array)
    return str(caught.value)


@given(arrays(np.uint8, (5, 7, 3)))
def test_bytes_pass_unchanged(array):
    assert (pixels(array) == array).all()


@given(arrays(np.uint8, st.sampled_from([(5, 7), (5, 7, 1)])))
def test_grey_fills_three_channels(array):
    assert (pixels(array) == array.reshape(5, 7, 1)).all()


@given(arrays(np.uint8, (5, 7, 3)), st.sampled_from([np.float16, np.float32, np.float64]))
def test_floats_from_0_to_1_are_bytes_divided_by_255(array, dtype):
    unit = (array / 255).astype(dtype)
    assert np.abs(pixels(unit).astype(int) - array).max() <= (0 if dtype != np.float16 else 1)


def test_words_are_scaled_not_clipped():
    ramp = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    assert (pixels(ramp)[:, :, 0] == np.floor(ramp / 257 + 0.5)).all()


def test_a_mask_is_black_and_white():
    assert set(pixels(np.eye(4, dtype=bool)).ravel()) == {0, 255}


def test_alpha_is_laid_on_white():
    clear = np.zeros((2, 2, 4), np.uint8)
    half = np.array([[[0, 128]]], np.uint8)
    assert (pixels(clear) == 255).all()
    assert (pixels(half) == 127).all()


@pytest.mark.parametrize(
    "array", [np.asfortranarray(np.full((4, 6, 3), 9, np.uint8)), np.full((8, 6, 3), 9, np.uint8)[::-2]]
)
def test_any_memory_layout_will_do(array):
    assert (pixels(array) == 9).all()


def test_the_callers_array_is_not_shared():
    array = np.zeros((2, 2, 3), np.uint8)
    picture = load_picture(expand(array).items[0])
    array[:] = 255
    assert picture.pixels.getextrema() == ((0, 0),) * 3


def test_what_is_no_picture_is_told_what_to_do():
    assert "np.moveaxis(array, 0, -1)" in refused(np.zeros((3, 40, 60), np.uint8))
    assert "list(array)" in refused(np.zeros((2, 4, 4, 3), np.uint8))
    assert "[height, width]" in refused(np.zeros(7, np.uint8))
    assert "no pixels" in refused(np.zeros((0, 4, 3), np.uint8))
    assert "astype(np.uint8)" in refused(np.zeros((4, 4), np.int64))
    assert "Divide it by 255" in refused(np.full((4, 4), 200.0))
    assert "from -0.5 to 0.5" in refused(np.array([[-0.5, 0.5]]))
    assert "nan" in refused(np.array([[np.nan, 0.5]]))


def test_an_array_over_the_pixel_limit_is_refused_with_both_numbers():
    huge = np.broadcast_to(np.zeros(1, np.uint8), (20_000, 20_000))
    assert "400,000,000 pixels; at most 178,956,970" in refused(huge)
