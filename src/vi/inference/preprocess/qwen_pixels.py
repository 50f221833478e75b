"""Pictures as Qwen2-VL and its descendants take them: resized to whole patches, and the patches laid in a row."""

from __future__ import annotations

import math
from collections.abc import Sequence
from copy import copy
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
)
from vi.inference.preprocess.pixels import EncodedPictures, media_key, refused

if TYPE_CHECKING:
    from PIL import Image

    from vi.inference.preprocess.pixel_budget import PixelBudget

LONGEST_RATIO = 200  # of the longer to the shorter side


class QwenPixels:
    """``Qwen2VLImageProcessor`` (Qwen2-VL, Qwen2.5-VL, Qwen3-VL, Qwen3.5) without transformers."""

    def __init__(self, settings: Settings) -> None:
        size = {"shortest_edge": 56 * 56, "longest_edge": 28 * 28 * 1280, **settings.get("size", {})}
        self.min_pixels = int(settings.get("min_pixels", size["shortest_edge"]))
        self.max_pixels = int(settings.get("max_pixels", size["longest_edge"]))
        self.patch_size = int(settings.get("patch_size", 14))
        self.temporal_patch_size = int(settings.get("temporal_patch_size", 2))
        self.merge_size = int(settings.get("merge_size", 2))
        self.resample = int(settings.get("resample", BICUBIC))
        self.resizes = bool(settings.get("do_resize", True))
        self.scale = PixelScale(settings, CLIP_MEAN, CLIP_STD)

    def within(self, budget: PixelBudget) -> QwenPixels:
        """The same with a caller's bounds on pixels."""
        bounded = copy(self)
        bounded.min_pixels, bounded.max_pixels = budget.over(self.min_pixels, self.max_pixels)
        return bounded

    def encode(self, pictures: Sequence[Image.Image], *, whole: bool = False) -> EncodedPictures:
        """``pixel_values`` float32 [patches, 3 * frames * side * side], ``image_grid_thw`` int64 [pictures, 3]."""
        try:
            patches = [self.patches(self.fit(picture)) for picture in pictures]
        except ValueError as error:
            raise refused(pictures, error) from error
        grids = np.array([[1, rows, columns] for _, rows, columns in patches], dtype=np.int64)
        pixels = np.concatenate([patch for patch, _, _ in patches])  # uint8 [patches, 3, side, side]
        values = np.repeat(self.scale(pixels)[:, :, None], self.temporal_patch_size, axis=2)  # a picture stands still
        arrays = {"pixel_values": values.reshape(len(values), -1), "image_grid_thw": grids}
        return EncodedPictures(arrays, media_key({"pixels": pixels, "grids": grids}))

    def fit(self, picture: Image.Image) -> Image.Image:
        """``picture`` at the size the model sees. Raises ValueError for a shape that is too long."""
        if not self.resizes:
            return picture
        factor = self.patch_size * self.merge_size
        height, width = smart_resize(picture.height, picture.width, factor, self.min_pixels, self.max_pixels)
        return resize(picture, height, width, self.resample)

    def patches(self, picture: Image.Image) -> tuple[np.ndarray, int, int]:
        """(uint8 [rows * columns, 3, side, side], rows, columns) of a picture whose sides are whole patches.

        Patches that are merged into one token stand together, row by row, and so do these squares.
        """
        side, merge = self.patch_size, self.merge_size
        rows, columns = picture.height // side, picture.width // side
        squares = planes(picture).reshape(3, rows // merge, merge, side, columns // merge, merge, side)
        ordered = squares.transpose(1, 4, 2, 5, 0, 3, 6)
        return ordered.reshape(rows * columns, 3, side, side), rows, columns


def smart_resize(height: int, width: int, factor: int, min_pixels: int, max_pixels: int) -> tuple[int, int]:
    """(height, width) as multiples of ``factor`` whose area is within the bounds, the shape kept as nearly as possible.

    From Qwen2-VL's own ``smart_resize``. Raises ValueError for a picture 200 times longer than wide.
    """
    if (ratio := max(height, width) / min(height, width)) > LONGEST_RATIO:
        raise ValueError(f"absolute aspect ratio must be smaller than {LONGEST_RATIO}, got {ratio}")
    rows, columns = round(height / factor), round(width / factor)
    if rows * columns * factor**2 > max_pixels:
        shrink = math.sqrt(height * width / max_pixels)
        rows, columns = (max(1, math.floor(side / shrink / factor)) for side in (height, width))
    elif rows * columns * factor**2 < min_pixels:
        grow = math.sqrt(min_pixels / (height * width))
        rows, columns = (math.ceil(side * grow / factor) for side in (height, width))
    return rows * factor, columns * factor
