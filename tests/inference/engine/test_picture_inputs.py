"""What follows from a picture's size, against transformers' own functions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vi.inference.bundle.layout import VisionFacts
from vi.inference.engine.runners.picture_inputs import (
    CALL_TILES,
    attention_windows,
    grid_corners,
    patch_places,
    picture_inputs,
)

sides = st.integers(1, 12)


@given(rows=sides, columns=sides, window=st.integers(1, 5))
def test_every_patch_is_in_one_window_and_comes_back(rows, columns, window):
    places, padding, back = attention_windows(rows, columns, window, unit=4)
    real = padding == 0
    assert sorted(places[real]) == list(range(rows * columns * 4))
    np.testing.assert_array_equal(places.reshape(-1)[back], np.arange(rows * columns * 4))
    row, column = (places // 4 // columns) // window, (places // 4 % columns) // window
    for index in range(len(places)):
        assert len({*zip(row[index][real[index]], column[index][real[index]], strict=True)}) == 1


@pytest.mark.parametrize(("rows", "columns"), [(2, 2), (8, 12), (34, 18)])
def test_places_and_windows_are_those_of_transformers(rows, columns):
    torch = pytest.importorskip("torch")
    vision_utils = pytest.importorskip("transformers.vision_utils")
    grid = torch.tensor([[1, rows, columns]])
    places = patch_places(rows, columns, merge=2)
    np.testing.assert_array_equal(places, vision_utils.get_vision_position_ids(grid, 2).numpy())
    order, ends = vision_utils.get_vision_window_index(grid, 2, window_size=112, patch_size=14)
    window_places, padding, _ = attention_windows(rows // 2, columns // 2, 4, unit=4)
    np.testing.assert_array_equal(window_places[padding == 0][::4] // 4, order.numpy())
    np.testing.assert_array_equal((padding == 0).sum(1), np.diff(ends.numpy()))


@pytest.mark.parametrize(("rows", "columns"), [(2, 2), (8, 12), (34, 18)])
def test_grid_positions_are_interpolated_as_transformers_does(rows, columns):
    torch = pytest.importorskip("torch")
    vision_utils = pytest.importorskip("transformers.vision_utils")
    indices, weights = vision_utils.get_vision_interpolation_indices_and_weights(
        torch.tensor([[1, rows, columns]]), num_grid_per_side=24, align_corners=True, spatial_merge_size=2
    )
    ours = grid_corners(patch_places(rows, columns, merge=2), rows, columns, 24)
    table = np.random.default_rng(0).normal(size=(24 * 24, 3))
    expected = (table[indices.numpy()] * weights.numpy()[..., None]).sum(1)
    np.testing.assert_allclose((table[ours[0]] * ours[1][..., None]).sum(1), expected, atol=1e-5)


def test_each_picture_is_a_call_and_a_clip_one_of_its_frames():
    pixels = np.arange((24 + 2 * 8) * 5, dtype=np.float32).reshape(-1, 5)
    media = {"pixel_values": pixels, "image_grid_thw": np.array([[1, 4, 6], [2, 2, 4]])}
    calls = list(picture_inputs(VisionFacts(kind="patches", merge=2), media))
    assert [call["pixel_values"].shape for call in calls] == [(1, 24, 5), (2, 8, 5)]
    np.testing.assert_array_equal(np.concatenate([call["pixel_values"].reshape(-1, 5) for call in calls]), pixels)


def test_tiles_that_only_fill_a_batch_up_are_left_out():
    pixels = np.ones((1, CALL_TILES + 3, 3, 2, 2), np.float32)
    pixels[0, 1] = 0
    calls = list(picture_inputs(VisionFacts(kind="tiles"), {"pixel_values": pixels}))
    assert [len(call["pixel_values"]) for call in calls] == [CALL_TILES, 2]


def test_a_prompt_without_pictures_makes_no_call():
    assert list(picture_inputs(VisionFacts(kind="patches"), {})) == []
