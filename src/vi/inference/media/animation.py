"""Pictures that move: GIF, WebP, APNG and whatever else Pillow steps through."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps

from .colour import to_rgb
from .deadline import Deadline
from .frame_choice import STILL_SECONDS
from .limits import MAX_PIXELS, check_pixels

_SHORTEST = 0.010  # seconds; what claims to be shown this long or less is shown for STILL_SECONDS, as browsers do


class Animation:
    """The frames of one open file, and when they are shown."""

    def __init__(self, file: BinaryIO, label: str, deadline: Deadline, most_pixels: int = MAX_PIXELS) -> None:
        self._file, self._label, self._deadline, self._most_pixels = file, label, deadline, most_pixels
        self.warnings: list[str] = []
        self.size, self.durations = self._measure()

    @property
    def times(self) -> np.ndarray:
        """float64 [N]: seconds from the first frame."""
        return np.concatenate([[0.0], np.cumsum(self.durations)[:-1]])

    @property
    def duration(self) -> float:
        """Seconds that one round takes."""
        return float(self.durations.sum())

    def frames(self, wanted: np.ndarray) -> Iterator[Image.Image]:
        """The frames numbered ``wanted`` (ascending), RGB, transparency on white."""
        numbers = {int(number) for number in wanted}
        for number, image in enumerate(self._frames()):
            if number in numbers:
                yield to_rgb(_upright(image))
            if number >= wanted[-1]:
                return

    def remeasured(self) -> None:
        """None: it was measured by its frames."""

    def _measure(self) -> tuple[tuple[int, int], np.ndarray]:
        durations = []
        size = (0, 0)
        for image in self._frames():
            size = image.size
            seconds = float(image.info.get("duration") or 0) / 1000
            durations.append(seconds if seconds > _SHORTEST else STILL_SECONDS)
        return size, np.array(durations)

    def _frames(self) -> Iterator[Image.Image]:
        self._file.seek(0)
        with Image.open(self._file) as image:
            check_pixels(*image.size, self._label, self._most_pixels)
            for number in count():
                self._deadline.check()
                try:
                    image.seek(number)
                except EOFError:  # Pillow's word for the end
                    return
                image.load()
                yield image


def _upright(image: Image.Image) -> Image.Image:
    with suppress(Exception):  # damaged metadata of any kind leaves the picture as it is stored
        return ImageOps.exif_transpose(image)
    return image
