from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vi.inference.preprocess.positions import mrope_positions, plain_positions

PARTS = st.lists(st.integers(1, 5) | st.tuples(st.integers(1, 4), st.integers(1, 4)), min_size=1, max_size=6)


@pytest.fixture(scope="module")
def models(loaded_models):
    return {family: loaded_models[family].weights.model for family in ("qwen2_5_vl", "qwen2_vl")}


@pytest.mark.parametrize("family", ["qwen2_5_vl", "qwen2_vl"])
@settings(max_examples=60, deadline=None)
@given(parts=PARTS)
def test_positions_are_those_of_transformers(models, family, parts):
    model = models[family]
    image = model.config.image_token_id
    ids: list[int] = [9]
    grids = []
    for part in parts:
        if isinstance(part, int):
            ids += [10] * part
        else:
            ids += [image] * (part[0] * part[1]) + [11]  # between two pictures there is always a token
            grids.append([1, part[0] * 2, part[1] * 2])
    tokens = torch.tensor([ids])
    expected, delta = model.model.get_rope_index(
        tokens,
        mm_token_type_ids=(tokens == image).int(),
        image_grid_thw=torch.tensor(grids) if grids else None,
    )
    positions = mrope_positions(ids, image, grids, 2)
    assert np.array_equal(positions, expected[:, 0].numpy())
    assert positions.max() + 1 == len(ids) + delta.item()


@given(st.integers(0, 5000))
def test_without_axes_a_token_stands_behind_the_one_before_it(num_tokens):
    assert plain_positions(num_tokens).tolist() == [list(range(num_tokens))]
