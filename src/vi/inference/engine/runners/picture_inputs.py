"""What a bundle's picture encoder is given: pixels cut into calls, and what follows from a picture's size, in numpy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from vi.inference.bundle.layout import VisionFacts

CALL_PATCHES, CALL_TILES = 16_384, 16  # bounds the memory of one call
PATCH_MEDIA = (("pixel_values", "image_grid_thw"), ("pixel_values_videos", "video_grid_thw"))

Inputs = dict[str, np.ndarray]


def picture_inputs(facts: VisionFacts, media: Mapping[str, Any]) -> Iterator[Inputs]:
    """The encoder's calls for ``media`` (``Prompt.media``), in the order of the placeholders."""
    return _patch_calls(facts, media) if facts.kind == "patches" else _tile_calls(media)


def _tile_calls(media: Mapping[str, Any]) -> Iterator[Inputs]:
    if "pixel_values" not in media:
        return
    pixels = np.asarray(media["pixel_values"], np.float32)
    tiles = pixels.reshape(-1, *pixels.shape[-3:])  # [N, 3, height, width]
    tiles = tiles[tiles.any(axis=(1, 2, 3))]  # processors fill batches up with tiles of zeros
    for start in range(0, len(tiles), CALL_TILES):
        yield {"pixel_values": tiles[start : start + CALL_TILES]}


def _patch_calls(facts: VisionFacts, media: Mapping[str, Any]) -> Iterator[Inputs]:
    for pixels_name, grids_name in PATCH_MEDIA:
        if pixels_name not in media:
            continue
        pixels = np.asarray(media[pixels_name], np.float32)  # [patches, P]
        start = 0
        for frames, rows, columns in np.asarray(media[grids_name]).tolist():
            size = rows * columns
            clip = pixels[start : start + frames * size].reshape(frames, size, -1)
            start += frames * size
            at_once = max(1, CALL_PATCHES // size)
            for first in range(0, frames, at_once):
                yield {"pixel_values": clip[first : first + at_once], **_geometry(facts, rows, columns)}


@lru_cache(maxsize=32)
def _geometry(facts: VisionFacts, rows: int, columns: int) -> Inputs:
    places = patch_places(rows, columns, facts.merge)
    inputs = {"places": places}
    if facts.grid:
        inputs["grid_indices"], inputs["grid_weights"] = grid_corners(places, rows, columns, facts.grid)
    if facts.window:
        names = ("window_places", "window_padding", "window_return")
        windows = attention_windows(rows // facts.merge, columns // facts.merge, facts.window, facts.merge**2)
        inputs |= dict(zip(names, windows, strict=True))
    return inputs


def patch_places(rows: int, columns: int, merge: int) -> np.ndarray:
    """Row and column of each patch, int64 [S, 2]; patches stand in squares of ``merge`` a side, as they are merged."""
    squares = np.indices((rows, columns)).reshape(2, rows // merge, merge, columns // merge, merge)
    return np.ascontiguousarray(squares.transpose(0, 1, 3, 2, 4).reshape(2, -1).T)


def attention_windows(rows: int, columns: int, window: int, unit: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Windows of ``window`` x ``window`` squares over ``rows`` x ``columns`` squares of ``unit`` patches (Qwen2.5-VL).

    Returns (places int64 [W, L], padding float32 [W, L], back int64 [S]): the patches of each window, filled up with
    patch 0 where it reaches over the edge; -inf there and 0 elsewhere; where in W * L each patch stands.
    """
    high, wide = -(-rows // window), -(-columns // window)
    squares = np.full((high * window, wide * window), -1)
    squares[:rows, :columns] = np.arange(rows * columns).reshape(rows, columns)
    squares = squares.reshape(high, window, wide, window).transpose(0, 2, 1, 3).reshape(high * wide, window**2)
    patches = np.where(squares < 0, -1, squares * unit)[..., None] + np.arange(unit)
    real = np.repeat(squares >= 0, unit, axis=1)  # [W, L]
    places = np.where(real, patches.reshape(real.shape), 0)
    back = np.empty(rows * columns * unit, np.int64)
    back[places[real]] = np.flatnonzero(real)
    return places, np.where(real, 0, -np.inf).astype(np.float32), back


def grid_corners(places: np.ndarray, rows: int, columns: int, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Bilinear interpolation, corners aligned, of a learned grid of ``side`` x ``side`` positions (Qwen3-VL).

    Returns (indices int64 [S, 4], weights float32 [S, 4]) of the four grid points around each patch.
    """
    sizes = np.maximum(np.array([rows, columns], np.float32) - 1, 1)
    at = places.astype(np.float32) * np.float32(side - 1) / sizes  # [S, 2]
    low = np.floor(at)
    points = np.clip(np.stack([low, low + 1]), 0, side - 1).astype(np.int64)  # [2 corners, S, 2 axes]
    shares = np.stack([1 - (at - low), at - low])
    indices = points[:, None, :, 0] * side + points[None, :, :, 1]  # [2, 2, S]
    weights = shares[:, None, :, 0] * shares[None, :, :, 1]
    return np.ascontiguousarray(indices.reshape(4, -1).T), np.ascontiguousarray(weights.reshape(4, -1).T)
