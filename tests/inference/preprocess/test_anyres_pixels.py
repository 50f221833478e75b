from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.inference.preprocess.pictures import assert_same_arrays, noise, pictures
from transformers.image_processing_utils import select_best_resolution
from transformers.models.llava_next.image_processing_pil_llava_next import LlavaNextImageProcessorPil
from transformers.models.llava_onevision.image_processing_pil_llava_onevision import LlavaOnevisionImageProcessorPil

from vi.inference.preprocess.anyres_pixels import AnyResPixels, best_grid
from vi.inference.preprocess.placeholders import LLAVA_NEXT_GRIDS, ONEVISION_GRIDS

GRIDS = [[32, 64], [64, 32], [64, 64], [96, 32], [32, 96]]
ONEVISION = [
    {"size": {"height": 32, "width": 32}, "image_grid_pinpoints": GRIDS},
    {"size": {"height": 28, "width": 28}, "image_grid_pinpoints": GRIDS, "resample": 2, "image_mean": [0.5] * 3},
]
NEXT = [
    {"size": {"shortest_edge": 32}, "crop_size": {"height": 32, "width": 32}, "image_grid_pinpoints": GRIDS},
    {"size": {"shortest_edge": 40}, "crop_size": {"height": 32, "width": 32}, "image_grid_pinpoints": GRIDS},
    {"size": {"height": 32, "width": 32}, "crop_size": {"height": 32, "width": 32}, "image_grid_pinpoints": GRIDS},
]
SHOWN = st.lists(pictures(), min_size=1, max_size=2)


@pytest.mark.parametrize("settings_", ONEVISION)
@settings(max_examples=30)
@given(shown=SHOWN)
def test_onevision_is_that_of_transformers(settings_, shown):
    expected = LlavaOnevisionImageProcessorPil(**settings_)(images=[shown], return_tensors="np")  # of one prompt
    assert_same_arrays(AnyResPixels.of_onevision(settings_).encode(shown).arrays, expected)


@pytest.mark.parametrize("settings_", NEXT)
@settings(max_examples=30)
@given(shown=SHOWN)
def test_next_is_that_of_transformers(settings_, shown):
    expected = LlavaNextImageProcessorPil(**settings_)(images=shown, return_tensors="np")
    assert_same_arrays(AnyResPixels.of_next(settings_).encode(shown).arrays, expected)


def test_the_defaults_are_those_of_transformers():
    shown = [noise(500, 300)]
    assert_same_arrays(
        AnyResPixels.of_onevision({}).encode(shown).arrays,
        LlavaOnevisionImageProcessorPil()(images=shown, return_tensors="np"),
    )
    assert_same_arrays(
        AnyResPixels.of_next({}).encode(shown).arrays, LlavaNextImageProcessorPil()(images=shown, return_tensors="np")
    )


@pytest.mark.parametrize("grids", [LLAVA_NEXT_GRIDS, ONEVISION_GRIDS])
@given(height=st.integers(1, 5000), width=st.integers(1, 5000))
def test_the_best_size_is_that_of_transformers(grids, height, width):
    assert best_grid(height, width, grids) == select_best_resolution((height, width), grids)
