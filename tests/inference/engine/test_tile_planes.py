"""Tiles joined to planes, against transformers' own packing."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from vi.inference.bundle.layout import VisionFacts
from vi.inference.engine.runners.tile_planes import best_grid, join_planes

SIDE, TILE, WIDTH = 4, 32, 6
GRIDS = tuple((TILE * rows, TILE * columns) for rows in range(1, 4) for columns in range(1, 4))
SIZES = [(30, 30), (40, 90), (90, 40), (64, 64), (500, 20), (70, 69)]


def facts(most_tiles):
    return VisionFacts(kind="planes", tile=TILE, side=SIDE, grids=GRIDS, most_tiles=most_tiles)


def tiles_of(sizes):
    """[N, side² + 1, H] and how many of them each picture has."""
    counts = [1 + np.prod(best_grid(*size, GRIDS)) // TILE**2 for size in sizes]
    features = np.random.default_rng(0).normal(size=(sum(counts), SIDE**2 + 1, WIDTH)).astype(np.float32)
    features[:, -1] = np.arange(WIDTH)
    return features, [int(count) for count in counts]


@pytest.mark.parametrize("family", ["llava_next", "llava_onevision"])
def test_planes_are_packed_as_transformers_packs_them(family):
    torch = pytest.importorskip("torch")
    module = pytest.importorskip(f"transformers.models.{family}.modeling_{family}")
    model_class = module.LlavaNextModel if family == "llava_next" else module.LlavaOnevisionModel
    vision = SimpleNamespace(image_size=TILE, patch_size=TILE // SIDE)
    model = SimpleNamespace(config=SimpleNamespace(vision_config=vision, image_grid_pinpoints=list(GRIDS)))
    features, counts = tiles_of(SIZES)
    split = torch.split(torch.tensor(features[:, :-1]), counts)
    options = {"image_newline": torch.tensor(features[0, -1])}
    if family == "llava_next":
        options["vision_feature_select_strategy"] = "default"
    else:
        options["vision_aspect_ratio"] = "anyres_max_2"
    packed, _ = model_class.pack_image_features(model, split, torch.tensor(SIZES), **options)
    expected = torch.cat(list(packed)).numpy()
    ours = join_planes(facts(0 if family == "llava_next" else 2), features, SIZES)
    np.testing.assert_allclose(ours, expected, atol=1e-5)


def test_a_row_of_a_plane_ends_with_a_newline():
    features, _ = tiles_of([(64, 64)])
    joined = join_planes(facts(0), features, [(64, 64)])
    assert joined.shape == (SIDE**2 + 8 * 9, WIDTH)
    np.testing.assert_array_equal(joined[SIDE**2 :].reshape(8, 9, WIDTH)[:, -1], np.tile(np.arange(WIDTH), (8, 1)))
