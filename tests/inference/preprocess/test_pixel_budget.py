"""Bounds on pixels that a caller sets: what transformers' processors make of the same."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.inference.preprocess.pictures import assert_same_arrays, noise, pictures
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from vi.inference.errors import ConfigError
from vi.inference.preprocess.chat import ChatPrompt
from vi.inference.preprocess.clip_families import CLIP_FAMILIES
from vi.inference.preprocess.clips import ClipEncoder
from vi.inference.preprocess.pixel_budget import PixelBudget
from vi.inference.preprocess.qwen_pixels import QwenPixels

OWN = {"min_pixels": 4 * 28 * 28, "max_pixels": 60 * 28 * 28}
BOUNDS = st.tuples(st.integers(1, 80), st.integers(1, 80)).map(lambda pair: [side * 28 * 28 for side in sorted(pair)])


@settings(max_examples=40)
@given(shown=pictures(), bounds=BOUNDS)
def test_a_picture_is_that_of_transformers_with_the_same_bounds(shown, bounds):
    least, most = bounds
    stock = Qwen2VLImageProcessorPil(min_pixels=least, max_pixels=most)
    if max(shown.size) / min(shown.size) <= 200:
        ours = QwenPixels(OWN).within(PixelBudget(least, most)).encode([shown]).arrays
        assert_same_arrays(ours, stock(images=[shown], return_tensors="np"))


@settings(max_examples=40)
@given(count=st.integers(1, 9), width=st.integers(20, 900), height=st.integers(20, 900), bounds=BOUNDS)
def test_frames_are_those_of_a_video_processor_with_the_same_bounds(count, width, height, bounds):
    size = dict(zip(("shortest_edge", "longest_edge"), bounds, strict=True))
    family = CLIP_FAMILIES["qwen2_5_vl"]
    stated = {"max_video_tokens": 10**9}  # which bounds all frames together
    ours = ClipEncoder(stated, family).within(PixelBudget(*bounds))
    assert ours.fit(count, width, height) == ClipEncoder({**stated, "size": size}, family).fit(count, width, height)


@settings(max_examples=40)
@given(count=st.integers(2, 9), width=st.integers(40, 900), height=st.integers(40, 900))
def test_frames_that_share_their_pixels_keep_within_the_bound_of_each(count, width, height):
    most = 12 * 32 * 32
    fitted = ClipEncoder({}, CLIP_FAMILIES["qwen3_vl"]).within(PixelBudget(32 * 32, most)).fit(count, width, height)
    if min(fitted) > 32:  # a side is never less than a square of patches, whatever the shape, as upstream
        assert fitted[0] * fitted[1] <= most * (count + 1) / count  # an odd number of frames rounds to even, likewise


def test_one_bound_alone_moves_the_other_along():
    assert PixelBudget(max_pixels=10).over(20, 30) == (10, 10)
    assert PixelBudget(min_pixels=40).over(20, 30) == (40, 40)
    assert PixelBudget(25).over(20, 30) == (25, 30)
    assert PixelBudget().over(20, 30) == (20, 30)


@pytest.mark.parametrize("bounds", [(0, None), (None, -1), (None, 1.5), (True, None), ("9", None), (9, 8)])
def test_bounds_that_cannot_be_are_refused(bounds):
    with pytest.raises(ConfigError, match="_pixels="):
        PixelBudget(*bounds)


def test_a_model_that_sizes_pictures_otherwise_says_so(loaded_models):
    with pytest.raises(ConfigError, match="smolvlm sizes pictures in its own way"):
        ChatPrompt(loaded_models["smolvlm"]).within(PixelBudget(max_pixels=9))


def test_a_prompt_has_as_many_places_as_its_bounds_leave(loaded):
    chat, shown = ChatPrompt(loaded), noise(600, 400)
    sizes = [
        chat.within(PixelBudget(max_pixels=area * 28 * 28)).build("?", picture=shown).seen_size for area in (6, 12)
    ]
    assert [width * height <= area * 28 * 28 for (width, height), area in zip(sizes, (6, 12), strict=True)] == [
        True,
        True,
    ]
    assert sizes[0] != sizes[1]
    assert chat.build("?", picture=shown).seen_size == ChatPrompt(loaded).build("?", picture=shown).seen_size
