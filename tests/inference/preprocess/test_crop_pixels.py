from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.inference.preprocess.pictures import assert_same_arrays, pictures
from transformers.models.got_ocr2.image_processing_pil_got_ocr2 import (
    GotOcr2ImageProcessorPil,
    get_optimal_tiled_canvas,
)

from vi.inference.preprocess.crop_pixels import CropPixels, nearest_grid

SETTINGS = [
    {"size": {"height": 32, "width": 32}, "crop_to_patches": True},
    {"size": {"height": 28, "width": 42}, "crop_to_patches": True, "min_patches": 2, "max_patches": 6, "resample": 2},
    {"size": {"height": 28, "width": 28}, "crop_to_patches": True, "max_patches": 1},
    {"size": {"height": 30, "width": 20}},
]


@pytest.mark.parametrize("settings_", SETTINGS)
@settings(max_examples=30)
@given(shown=st.lists(pictures(), min_size=1, max_size=3))
def test_tiles_are_those_of_transformers(settings_, shown):
    expected = GotOcr2ImageProcessorPil(**settings_)(images=shown, return_tensors="np")
    assert_same_arrays(CropPixels(settings_).encode(shown).arrays, expected)


@given(shown=st.lists(pictures(), min_size=1, max_size=3))
def test_whole_pictures_are_those_that_transformers_does_not_crop(shown):
    expected = GotOcr2ImageProcessorPil(**SETTINGS[0])(images=shown, return_tensors="np", crop_to_patches=False)
    assert_same_arrays(CropPixels(SETTINGS[0]).encode(shown, whole=True).arrays, expected)


@given(width=st.integers(1, 3000), height=st.integers(1, 3000), fewest=st.integers(1, 4), more=st.integers(0, 10))
def test_the_grid_is_that_of_transformers(width, height, fewest, more):
    expected = get_optimal_tiled_canvas((height, width), (448, 448), fewest, fewest + more)
    assert nearest_grid(width, height, 448 * 448, fewest, fewest + more) == expected
