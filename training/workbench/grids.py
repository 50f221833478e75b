"""The grid of cells that a picture, or a frame of a clip, becomes."""

from __future__ import annotations

from vi.inference.preprocess.qwen_pixels import smart_resize

PATCH, MERGE = 16, 2
CELL = PATCH * MERGE  # pixels a language token covers, each way
PIXELS = 224 * 224  # the picture's area as the model sees it (min_pixels = max_pixels)
CLIP_PIXELS = 160 * 160  # and that of a clip's frame: four seconds are 200 tokens


def grid_for(width: int, height: int, pixels: int = PIXELS) -> tuple[int, int]:
    """(rows, columns) of cells that a picture is resized to at a fixed area, rounded as the package rounds it."""
    high, wide = smart_resize(height, width, CELL, pixels, pixels)
    return high // CELL, wide // CELL
