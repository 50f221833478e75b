"""Pictures as CLIP and SigLIP take them: resized, and where the settings say so the middle cut out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from vi.inference.preprocess.picture_settings import (
    BICUBIC,
    CLIP_MEAN,
    CLIP_STD,
    HALF,
    PixelScale,
    Settings,
    planes,
    resize,
    sides,
)
from vi.inference.preprocess.pixels import EncodedPictures, media_key

if TYPE_CHECKING:
    from PIL import Image


class PlainFit:
    """Brings a picture to the size of a vision tower: uint8 [3, height, width].

    ``size`` states both sides, or the shorter one as ``shortest_edge`` or a number; ``crop_size`` what stays of it.
    """

    def __init__(self, settings: Settings, *, crops: bool) -> None:
        size = settings["size"]
        self._shortest = int(size if isinstance(size, int) else size.get("shortest_edge", 0))
        self._sides = None if isinstance(size, int) else sides(size)
        self._resizes = bool(settings.get("do_resize", True))
        self._crop = sides(settings["crop_size"]) if settings.get("do_center_crop", crops) else None
        self._resample = int(settings.get("resample", BICUBIC))

    def __call__(self, picture: Image.Image) -> np.ndarray:
        if self._resizes:
            picture = resize(picture, *(self._sides or self._of_shortest(picture)), self._resample)
        if self._crop is not None:
            height, width = self._crop
            top, left = (picture.height - height) // 2, (picture.width - width) // 2
            picture = picture.crop((left, top, left + width, top + height))  # black where it is too small
        return planes(picture)

    def _of_shortest(self, picture: Image.Image) -> tuple[int, int]:
        shortest = self._shortest
        if picture.width <= picture.height:
            return int(shortest * picture.height / picture.width), shortest
        return shortest, int(shortest * picture.width / picture.height)


class PlainPixels:
    """``CLIPImageProcessor`` and ``SiglipImageProcessor`` without transformers."""

    max_pixels: int | None = None

    def __init__(self, fit: PlainFit, scale: PixelScale) -> None:
        self._fit, self._scale = fit, scale

    @classmethod
    def of_clip(cls, settings: Settings) -> PlainPixels:
        stated = {"size": {"shortest_edge": 224}, "crop_size": 224, **settings}
        return cls(PlainFit(stated, crops=True), PixelScale(settings, CLIP_MEAN, CLIP_STD))

    @classmethod
    def of_siglip(cls, settings: Settings) -> PlainPixels:
        stated = {"size": {"height": 224, "width": 224}, **settings, "do_center_crop": False}
        return cls(PlainFit(stated, crops=False), PixelScale(settings, HALF, HALF))

    def encode(self, pictures: Sequence[Image.Image], *, whole: bool = False) -> EncodedPictures:
        """``pixel_values`` float32 [pictures, 3, height, width]."""
        pixels = np.stack([self._fit(picture) for picture in pictures])
        return EncodedPictures({"pixel_values": self._scale(pixels)}, media_key({"pixels": pixels}))
