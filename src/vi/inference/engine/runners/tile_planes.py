"""Features of a picture's tiles as the language model reads them: the whole picture, then one plane row by row.

As transformers packs them for LLaVA-NeXT and LLaVA-OneVision (Liu et al. 2024), here in numpy.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from vi.inference.bundle.layout import VisionFacts


def join_planes(facts: VisionFacts, tiles: np.ndarray, sizes: Sequence[Any]) -> np.ndarray:
    """All pictures' features end to end, [places, H].

    tiles: [N, side² + 1, H], of every picture the whole of it and then its tiles; the last feature of each is the
    newline. sizes: (height, width) in pixels of the pictures before they were cut. Where there are no more tiles than
    pictures, none was cut, and the newline follows the whole.
    """
    if len(tiles) == len(sizes):
        return tiles.reshape(-1, tiles.shape[-1])
    parts, start = [], 0
    for size in sizes:
        height, width = (int(length) for length in size)
        rows, columns = (length // facts.tile for length in best_grid(height, width, facts.grids))
        end = start + 1 + rows * columns
        whole, newline = tiles[start, :-1], tiles[start, -1]
        plane = _lay_out(tiles[start + 1 : end, :-1], rows, columns)
        plane = _shrink(_cut_padding(plane, height, width), facts.side**2 * facts.most_tiles)
        lines = np.broadcast_to(newline, (len(plane), 1, len(newline)))
        parts += [whole, np.concatenate([plane, lines], axis=1).reshape(-1, len(newline))]
        start = end
    return np.concatenate(parts)


def best_grid(height: int, width: int, grids: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """The size (height, width) that keeps most pixels, then leaves fewest empty; the first wins a tie."""

    def fit(grid: tuple[int, int]) -> tuple[int, int]:
        scale = min(grid[1] / width, grid[0] / height)
        kept = min(int(width * scale) * int(height * scale), width * height)
        return kept, kept - grid[0] * grid[1]

    return max(grids, key=fit)


def _lay_out(tiles: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """[rows * columns, side², H] -> [rows * side, columns * side, H]"""
    side, width = math.isqrt(tiles.shape[1]), tiles.shape[-1]
    plane = tiles.reshape(rows, columns, side, side, width).transpose(0, 2, 1, 3, 4)
    return plane.reshape(rows * side, columns * side, width)


def _cut_padding(plane: np.ndarray, height: int, width: int) -> np.ndarray:
    """Without what was added to give the picture its grid's shape; cut after 7 places, so that 27.9999999 is 28."""
    rows, columns = plane.shape[:2]
    if width / height > columns / rows:
        margin = (rows - int(round(height * (columns / width), 7))) // 2
        return plane[margin : rows - margin]
    margin = (columns - int(round(width * (rows / height), 7))) // 2
    return plane[:, margin : columns - margin]


def _shrink(plane: np.ndarray, most: int) -> np.ndarray:
    """To the area of ``most`` features where it is over a fifth more (0: never), bilinearly, corners not aligned."""
    rows, columns = plane.shape[:2]
    excess = math.sqrt(rows * columns / most) if most else 0
    if excess <= 1.1:
        return plane
    return _resample(_resample(plane, int(rows // excess)).swapaxes(0, 1), int(columns // excess)).swapaxes(0, 1)


def _resample(plane: np.ndarray, length: int) -> np.ndarray:
    """Along the first axis."""
    size = len(plane)
    at = np.maximum((np.arange(length, dtype=np.float32) + np.float32(0.5)) * np.float32(size / length) - 0.5, 0)
    low = at.astype(np.int64)
    share = (at - low)[:, None, None].astype(plane.dtype)
    return plane[low] * (1 - share) + plane[np.minimum(low + 1, size - 1)] * share
