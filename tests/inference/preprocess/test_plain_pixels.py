from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.inference.preprocess.pictures import assert_same_arrays, pictures
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

from vi.inference.preprocess.plain_pixels import PlainPixels

CLIP = [
    {"size": {"shortest_edge": 30}, "crop_size": {"height": 30, "width": 30}},
    {"size": 31, "crop_size": 28},
    {"size": {"shortest_edge": 20}, "crop_size": {"height": 33, "width": 24}, "resample": 2},
    {"size": {"height": 24, "width": 40}, "do_center_crop": False},
]
SIGLIP = [{"size": {"height": 24, "width": 40}}, {"size": {"height": 30, "width": 30}, "resample": 2}, {}]
SHOWN = st.lists(pictures(100), min_size=1, max_size=2)


@pytest.mark.parametrize("settings_", CLIP)
@settings(max_examples=30)
@given(shown=SHOWN)
def test_clip_is_that_of_transformers(settings_, shown):
    expected = CLIPImageProcessorPil(**settings_)(images=shown, return_tensors="np")
    assert_same_arrays(PlainPixels.of_clip(settings_).encode(shown).arrays, expected)


@pytest.mark.parametrize("settings_", SIGLIP)
@settings(max_examples=30)
@given(shown=SHOWN)
def test_siglip_is_that_of_transformers(settings_, shown):
    expected = SiglipImageProcessorPil(**settings_)(images=shown, return_tensors="np")
    assert_same_arrays(PlainPixels.of_siglip(settings_).encode(shown).arrays, expected)
