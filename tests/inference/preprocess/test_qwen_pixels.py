from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.inference.preprocess.pictures import assert_same_arrays, noise, pictures
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil, smart_resize

from vi.inference.errors import PromptError
from vi.inference.preprocess import qwen_pixels
from vi.inference.preprocess.qwen_pixels import QwenPixels

SETTINGS = [
    {"size": {"shortest_edge": 3136, "longest_edge": 50176}},
    {"min_pixels": 4096, "max_pixels": 30720, "patch_size": 16, "image_mean": [0.5] * 3, "image_std": [0.5, 0.4, 0.3]},
    {"size": {"shortest_edge": 784, "longest_edge": 7840}, "resample": 2, "merge_size": 1, "temporal_patch_size": 3},
    {"size": {"shortest_edge": 784, "longest_edge": 7840}, "do_normalize": False},
    {"size": {"shortest_edge": 784, "longest_edge": 7840}, "do_rescale": False, "rescale_factor": 0.5},
]  # fmt: skip


@pytest.mark.parametrize("settings_", SETTINGS)
@settings(max_examples=40)
@given(shown=st.lists(pictures(), min_size=1, max_size=3))
def test_pixels_and_grids_are_those_of_transformers(settings_, shown):
    try:
        expected = Qwen2VLImageProcessorPil(**settings_)(images=shown, return_tensors="np")
    except ValueError as error:
        with pytest.raises(PromptError, match=str(error)):
            QwenPixels(settings_).encode(shown)
    else:
        assert_same_arrays(QwenPixels(settings_).encode(shown).arrays, expected)


@given(
    height=st.integers(1, 5000), width=st.integers(1, 5000), factor=st.sampled_from([14, 28, 32]),
    low=st.integers(1, 100), more=st.integers(0, 1000),
)  # fmt: skip
def test_sizes_are_those_of_transformers(height, width, factor, low, more):
    bounds = low * factor**2, (low + more) * factor**2
    try:
        expected = smart_resize(height, width, factor, *bounds)
    except ValueError as error:
        with pytest.raises(ValueError, match=str(error)):
            qwen_pixels.smart_resize(height, width, factor, *bounds)
    else:
        assert qwen_pixels.smart_resize(height, width, factor, *bounds) == expected


def test_a_picture_that_is_too_long_is_named_by_its_size():
    with pytest.raises(PromptError, match=r"1x900 pixels cannot be prepared.*aspect ratio"):
        QwenPixels({}).encode([noise(1, 900)])


def test_equal_pictures_have_equal_keys_and_others_do_not():
    encoder = QwenPixels(SETTINGS[0])
    keys = [encoder.encode([noise(*size, seed)]).key for size, seed in [((64, 48), 0), ((48, 64), 0), ((64, 48), 1)]]
    assert len(set(keys)) == 3
    assert encoder.encode([noise(64, 48, 0)]).key == keys[0]
