"""Pictures as InternVL takes them: squeezed into the grid of tiles nearest to their shape, the whole as the last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from vi.inference.preprocess.picture_settings import (
    BICUBIC,
    CLIP_MEAN,
    CLIP_STD,
    PixelScale,
    Settings,
    planes,
    resize,
    sides,
)
from vi.inference.preprocess.pixels import EncodedPictures, media_key

if TYPE_CHECKING:
    from PIL import Image


class CropPixels:
    """``GotOcr2ImageProcessor`` without transformers."""

    max_pixels: int | None = None

    def __init__(self, settings: Settings) -> None:
        self._tile = sides(settings.get("size", 384)) or (384, 384)
        self._bounds = int(settings.get("min_patches", 1)), int(settings.get("max_patches", 12))
        self._crops = bool(settings.get("crop_to_patches", False)) and self._bounds[1] > 1
        self._resizes = bool(settings.get("do_resize", True))
        self._resample = int(settings.get("resample", BICUBIC))
        self._scale = PixelScale(settings, CLIP_MEAN, CLIP_STD)

    def encode(self, pictures: Sequence[Image.Image], *, whole: bool = False) -> EncodedPictures:
        """``pixel_values`` float32 [tiles, 3, height, width] of all pictures, ``num_patches`` int64 [pictures]."""
        tiles = [self._cut(picture, whole) for picture in pictures]
        pixels = np.concatenate(tiles)
        counts = np.array([len(cut) for cut in tiles], dtype=np.int64)
        arrays = {"pixel_values": self._scale(pixels), "num_patches": counts}
        return EncodedPictures(arrays, media_key({"pixels": pixels, "counts": counts}))

    def _cut(self, picture: Image.Image, as_one: bool) -> np.ndarray:
        """uint8 [tiles, 3, height, width], row by row."""
        height, width = self._tile
        if as_one or not self._crops:
            return planes(resize(picture, height, width, self._resample) if self._resizes else picture)[None]
        columns, rows = nearest_grid(picture.width, picture.height, height * width, *self._bounds)
        whole = planes(resize(picture, rows * height, columns * width, self._resample))
        tiles = whole.reshape(3, rows, height, columns, width).transpose(1, 3, 0, 2, 4)
        tiles = tiles.reshape(rows * columns, 3, height, width)
        if len(tiles) == 1:
            return tiles
        return np.concatenate([tiles, planes(resize(picture, height, width, self._resample))[None]])


def nearest_grid(width: int, height: int, tile_area: int, fewest: int, most: int) -> tuple[int, int]:
    """(columns, rows) of the grid of ``fewest`` to ``most`` tiles that is nearest in shape to a picture.

    Of two equally near the later and larger one, unless the picture has at most half as many pixels as its tiles
    (InternVL 1.5, Chen et al. 2024, section 3.2).
    """
    grids = [(columns, rows) for columns in range(1, most + 1) for rows in range(1, most + 1)]
    best, smallest = (1, 1), float("inf")
    for columns, rows in sorted((grid for grid in grids if fewest <= grid[0] * grid[1] <= most), key=np.prod):
        difference = abs(width / height - columns / rows)
        is_larger = width * height > 0.5 * tile_area * columns * rows
        if difference < smallest or (difference == smallest and is_larger):
            best, smallest = (columns, rows), difference
    return best
