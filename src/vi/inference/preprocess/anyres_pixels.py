"""Pictures as LLaVA-NeXT and LLaVA-OneVision take them: whole, then fitted into the best of several sizes and cut."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from vi.inference.preprocess.picture_settings import BICUBIC, CLIP_MEAN, CLIP_STD, PixelScale, Settings, resize, sides
from vi.inference.preprocess.pixels import EncodedPictures, media_key
from vi.inference.preprocess.placeholders import LLAVA_NEXT_GRIDS, ONEVISION_GRIDS
from vi.inference.preprocess.plain_pixels import PlainFit

if TYPE_CHECKING:
    from PIL import Image

Grids = Sequence[Sequence[int]]


class AnyResPixels:
    """``LlavaNextImageProcessor`` and ``LlavaOnevisionImageProcessor`` without transformers.

    grids: the (height, width) in pixels that a picture may be fitted into, where the settings state none. counts:
    several pictures of one prompt are not cut into tiles, and ``batch_num_images`` says how many they are.
    """

    max_pixels: int | None = None

    def __init__(self, settings: Settings, grids: Grids, *, crops: bool, counts: bool) -> None:
        size, crop = settings["size"], settings.get("crop_size")
        shortest = size if isinstance(size, int) else size.get("shortest_edge", 0)
        self._whole = (None if isinstance(size, int) else sides(size)) or (shortest, shortest)
        self._tile = ((None if crop is None else sides(crop)) or self._whole)[0]
        self._grids: Grids = settings.get("image_grid_pinpoints", grids)
        self._counts = counts
        self._around = tuple(int(level * 255) for level in settings.get("image_mean", CLIP_MEAN))
        self._resample = int(settings.get("resample", BICUBIC))
        self._fit = PlainFit(settings, crops=crops)
        self._scale = PixelScale(settings, CLIP_MEAN, CLIP_STD)

    @classmethod
    def of_next(cls, settings: Settings) -> AnyResPixels:
        stated = {"size": {"shortest_edge": 224}, "crop_size": 224, **settings}
        return cls(stated, LLAVA_NEXT_GRIDS, crops=True, counts=False)

    @classmethod
    def of_onevision(cls, settings: Settings) -> AnyResPixels:
        stated = {"size": {"height": 384, "width": 384}, **settings}
        return cls(stated, ONEVISION_GRIDS, crops=False, counts=True)

    def encode(self, pictures: Sequence[Image.Image], *, whole: bool = False) -> EncodedPictures:
        """``pixel_values`` float32 [pictures, most tiles, 3, height, width], fewer tiles followed by zeros.

        ``image_sizes`` int64 [pictures, 2]: (height, width) as they came.
        """
        are_whole = self._counts and len(pictures) > 1
        tiles = [[self._square(picture)] if are_whole else self._tiles(picture) for picture in pictures]
        cut = [np.stack([self._fit(tile) for tile in of_one]) for of_one in tiles]
        values = np.zeros((len(cut), max(map(len, cut)), *cut[0].shape[1:]), dtype=np.float32)
        for row, pixels in zip(values, cut, strict=True):
            row[: len(pixels)] = self._scale(pixels)
        sizes = np.array([(picture.height, picture.width) for picture in pictures], dtype=np.int64)
        arrays = {"pixel_values": values, "image_sizes": sizes}
        if self._counts:
            arrays["batch_num_images"] = np.array([len(cut)])
        named = {f"tiles {index}": pixels for index, pixels in enumerate(cut)}
        return EncodedPictures(arrays, media_key({**named, "sizes": sizes}))

    def _tiles(self, picture: Image.Image) -> list[Image.Image]:
        """The whole picture squeezed into one tile, then its tiles row by row, black around it."""
        from PIL import Image

        height, width = best_grid(picture.height, picture.width, self._grids)
        fitted = resize(picture, *_within(picture.height, picture.width, height, width), self._resample)
        canvas = Image.new("RGB", (width, height))
        canvas.paste(fitted, ((width - fitted.width) // 2, (height - fitted.height) // 2))
        side = self._tile
        corners = [(left, top) for top in range(0, height, side) for left in range(0, width, side)]
        boxes = [(left, top, min(left + side, width), min(top + side, height)) for left, top in corners]
        return [resize(picture, *self._whole, self._resample), *map(canvas.crop, boxes)]

    def _square(self, picture: Image.Image) -> Image.Image:
        """The whole picture with the mean colour around it."""
        from PIL import Image

        side = max(picture.size)
        canvas = Image.new("RGB", (side, side), self._around)
        canvas.paste(picture, ((side - picture.width) // 2, (side - picture.height) // 2))
        return canvas


def best_grid(height: int, width: int, grids: Grids) -> tuple[int, int]:
    """The (height, width) of ``grids`` in which most of a picture's pixels stay, then the fewest places are empty.

    LLaVA-NeXT's ``select_best_resolution``; the first of ``grids`` wins a tie.
    """
    best, most, least = (0, 0), 0, float("inf")
    for rows, columns in grids:
        scale = min(columns / width, rows / height)
        kept = min(int(width * scale) * int(height * scale), width * height)
        empty = rows * columns - kept
        if kept > most or (kept == most and empty < least):
            best, most, least = (int(rows), int(columns)), kept, empty
    return best


def _within(height: int, width: int, most_height: int, most_width: int) -> tuple[int, int]:
    """The (height, width) of the largest picture of the same shape within the bounds."""
    across, down = most_width / width, most_height / height
    if across < down:
        return min(math.ceil(height * across), most_height), most_width
    return most_height, min(math.ceil(width * down), most_width)
