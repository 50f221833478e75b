"""numpy arrays as pictures."""

from __future__ import annotations

import numpy as np
from PIL import Image

from ..errors import SourceError
from .limits import MAX_PIXELS, check_pixels

_LAYOUT = "It takes [height, width] or [height, width, 1, 2, 3 or 4 channels] in RGB order."


def from_array(array: np.ndarray, label: str, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """A Pillow picture of an array.

    array: [H, W] grey, or [H, W, C] with C of 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGBA); uint8, uint16
    (scaled), bool, or floating point in [0, 1]. Raises SourceError for any other shape, type or value.
    """
    _check_shape(array, label, max_pixels)
    bytes_ = _to_bytes(array, label)
    if bytes_.ndim == 3 and bytes_.shape[2] == 1:
        bytes_ = bytes_[:, :, 0]
    return Image.fromarray(np.ascontiguousarray(bytes_))


def _check_shape(array: np.ndarray, label: str, max_pixels: int) -> None:
    shape = array.shape
    if array.ndim == 4:
        raise SourceError(f"{label} is a batch of pictures, not one.", "Pass list(array) to ask about each.")
    if array.ndim not in (2, 3) or (array.ndim == 3 and shape[2] not in (1, 2, 3, 4)):
        channels_first = array.ndim == 3 and shape[0] in (1, 3, 4)
        hint = "The channels come first: pass np.moveaxis(array, 0, -1)." if channels_first else _LAYOUT
        raise SourceError(f"{label} does not have the shape of a picture.", hint)
    if 0 in shape:
        raise SourceError(f"{label} has no pixels.", _LAYOUT)
    check_pixels(shape[1], shape[0], label, max_pixels)


def _to_bytes(array: np.ndarray, label: str) -> np.ndarray:
    if array.dtype == np.uint8:
        return array
    if array.dtype == np.uint16:
        return WORD_TO_BYTE[array]
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * np.uint8(255)
    if not np.issubdtype(array.dtype, np.floating):
        raise SourceError(
            f"{label} is not uint8 or float.", "Pass array.astype(np.uint8) where its values are 0 to 255."
        )
    low, high = float(array.min()), float(array.max())
    if not (low >= 0.0 and high <= 1.0):  # also true of NaN
        hint = "Divide it by 255." if low >= 0 and 1 < high <= 255 else ""
        raise SourceError(f"{label} has values from {low:g} to {high:g}; a float picture takes 0 to 1.", hint)
    return np.rint(array * np.float32(255)).astype(np.uint8)


WORD_TO_BYTE = ((np.arange(65536, dtype=np.uint32) + 128) // 257).astype(np.uint8)
"""[65536] uint8: the 16-bit value v becomes v / 257, rounded, so that 65535 is 255."""
