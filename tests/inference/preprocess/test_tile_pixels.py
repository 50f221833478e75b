from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.inference.preprocess.pictures import assert_same_arrays, noise, pictures
from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil
from transformers.models.smolvlm.image_processing_pil_smolvlm import SmolVLMImageProcessorPil

from vi.inference.preprocess.tile_pixels import TilePixels

SETTINGS = [
    {"size": {"longest_edge": 96}, "max_image_size": {"longest_edge": 32}},
    {"size": {"longest_edge": 100}, "max_image_size": {"longest_edge": 28}, "resample": 2},
    {"size": {"longest_edge": 32}, "max_image_size": {"longest_edge": 32}, "do_image_splitting": False},
    {"size": {"longest_edge": 30}, "max_image_size": {"longest_edge": 64}},
    {"size": {"height": 60, "width": 90}, "max_image_size": {"longest_edge": 32}},
]


@pytest.mark.parametrize("stock", [SmolVLMImageProcessorPil, Idefics3ImageProcessorPil])
@pytest.mark.parametrize("settings_", SETTINGS)
@settings(max_examples=25)
@given(shown=pictures())
def test_tiles_are_those_of_transformers(stock, settings_, shown):
    expected = stock(**settings_)(images=[shown], return_tensors="np", return_row_col_info=True)
    assert_same_arrays(TilePixels(settings_).encode([shown]).arrays, expected)


@settings(max_examples=20)
@given(shown=st.lists(pictures(), min_size=2, max_size=3))
def test_several_pictures_are_one_batch(shown):
    expected = SmolVLMImageProcessorPil(**SETTINGS[0])(images=shown, return_tensors="np", return_row_col_info=True)
    assert_same_arrays(TilePixels(SETTINGS[0]).encode(shown).arrays, expected)


@given(shown=st.lists(pictures(), min_size=1, max_size=3))
def test_whole_pictures_are_those_that_transformers_does_not_split(shown):
    stock = SmolVLMImageProcessorPil(**SETTINGS[0])
    expected = stock(images=shown, return_tensors="np", return_row_col_info=True, do_image_splitting=False)
    assert_same_arrays(TilePixels(SETTINGS[0]).encode(shown, whole=True).arrays, expected)


@pytest.mark.parametrize("size", [(900, 700), (5000, 3), (3, 5000)])
def test_the_defaults_are_those_of_transformers(size):
    expected = SmolVLMImageProcessorPil()(images=[noise(*size)], return_tensors="np", return_row_col_info=True)
    assert_same_arrays(TilePixels({}).encode([noise(*size)]).arrays, expected)
