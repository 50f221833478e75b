"""Pictures as Idefics3 and SmolVLM take them: cut into square tiles, with the whole picture as the last one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from vi.inference.preprocess.picture_settings import HALF, LANCZOS, PixelScale, Settings, planes, resize, sides
from vi.inference.preprocess.pixels import EncodedPictures, media_key

if TYPE_CHECKING:
    from PIL import Image

LARGEST_SIDE = 4096


class TilePixels:
    """``Idefics3ImageProcessor`` and ``SmolVLMImageProcessor`` without transformers."""

    max_pixels: int | None = None

    def __init__(self, settings: Settings) -> None:
        self._size: dict[str, int] = settings.get("size", {"longest_edge": 4 * 364})
        self._tile = int(settings.get("max_image_size", {"longest_edge": 364})["longest_edge"])
        self._resizes = bool(settings.get("do_resize", True))
        self._splits = bool(settings.get("do_image_splitting", True))
        self._pads = bool(settings.get("do_pad", True))
        self._resample = int(settings.get("resample", LANCZOS))
        self._scale = PixelScale(settings, HALF, HALF)

    def encode(self, pictures: Sequence[Image.Image], *, whole: bool = False) -> EncodedPictures:
        """``pixel_values`` float32 [1, tiles, 3, side, side] of all pictures, with its mask; ``rows`` and ``cols``."""
        tiles: list[np.ndarray] = []
        rows, columns = [], []
        for picture in pictures:
            cut, num_rows, num_columns = self._cut(self._fit(picture), whole)
            tiles += cut
            rows.append(num_rows)
            columns.append(num_columns)
        pixels = np.stack(tiles)  # uint8 [tiles, 3, side, side]
        arrays: dict[str, Any] = {"pixel_values": self._scale(pixels)[None]}
        if self._pads:  # all tiles have one size, so nothing is padded
            arrays["pixel_attention_mask"] = np.ones((1, len(pixels), *pixels.shape[2:]), dtype=np.int64)
        key = media_key({"pixels": pixels, "rows": np.array(rows), "cols": np.array(columns)})
        return EncodedPictures({**arrays, "rows": [rows], "cols": [columns]}, key)

    def _fit(self, picture: Image.Image) -> Image.Image:
        """The picture at its longest side's size, an even number of pixels on the other."""
        if not self._resizes:
            return picture
        height, width = sides(self._size) or self._longest(picture.height, picture.width)
        return resize(picture, height, width, self._resample)

    def _longest(self, height: int, width: int) -> tuple[int, int]:
        longest, ratio = self._size["longest_edge"], width / height
        if width >= height:
            height, width = int(longest / ratio), longest
            height += height % 2
        else:
            height, width = longest, int(longest * ratio)
            width += width % 2
        return _below(max(height, 1), max(width, 1), LARGEST_SIDE)

    def _cut(self, picture: Image.Image, as_one: bool) -> tuple[list[np.ndarray], int, int]:
        """(uint8 [3, side, side] each, rows, columns); one tile has no rows, and the last of several is the whole."""
        side = self._tile
        if as_one or not self._splits:
            return [planes(resize(picture, side, side, self._resample))], 0, 0
        height, width = self._whole_tiles(picture.height, picture.width)
        picture = resize(picture, height, width, self._resample)
        rows, columns = height // side, width // side
        if rows * columns == 1:
            return [planes(picture)], 0, 0
        squares = planes(picture).reshape(3, rows, side, columns, side).transpose(1, 3, 0, 2, 4)
        whole = planes(resize(picture, side, side, self._resample))
        return [*squares.reshape(rows * columns, 3, side, side), whole], rows, columns

    def _whole_tiles(self, height: int, width: int) -> tuple[int, int]:
        side, ratio = self._tile, width / height
        if width >= height:
            width = math.ceil(width / side) * side
            height = math.ceil(int(width / ratio) / side) * side
        else:
            height = math.ceil(height / side) * side
            width = math.ceil(int(height * ratio) / side) * side
        return height, width


def _below(height: int, width: int, longest: int) -> tuple[int, int]:
    ratio = width / height
    if width >= height and width > longest:
        height, width = int(longest / ratio), longest
    elif height > width and height > longest:
        height, width = longest, int(longest * ratio)
    return max(height, 1), max(width, 1)
