"""A frame as FFmpeg decodes it to upright RGB pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

from .colour import to_rgb

_UNSPECIFIED = 2  # numbers of ITU-T H.273
_RGB, _BT709, _BT601, _BT2020 = 0, 1, 6, 9
_MATRICES = frozenset({_BT709, 4, 5, _BT601, 7, _BT2020, 10})  # those that swscale knows; 10 is near 9

_TURNS = {  # signs of a, b, c, d in x' = a x + c y, y' = b x + d y (y points down) -> what Pillow calls it
    (0, 1, -1, 0): Image.Transpose.ROTATE_270,
    (-1, 0, 0, -1): Image.Transpose.ROTATE_180,
    (0, -1, 1, 0): Image.Transpose.ROTATE_90,
    (-1, 0, 0, 1): Image.Transpose.FLIP_LEFT_RIGHT,
    (1, 0, 0, -1): Image.Transpose.FLIP_TOP_BOTTOM,
    (0, 1, 1, 0): Image.Transpose.TRANSPOSE,
    (0, -1, -1, 0): Image.Transpose.TRANSVERSE,
}


def upright_rgb(frame: Any) -> Image.Image:
    """An ``av.VideoFrame`` as an RGB picture: colours by the frame's matrix and range, transparency on white, turned
    and mirrored as its display matrix says.

    A frame that names no matrix, or one that is not known, has BT.709's when it is larger than standard definition,
    else BT.601's, as players do.
    """
    has_alpha = any(component.is_alpha for component in frame.format.components)
    frame.colorspace = _matrix(frame)
    frame.color_primaries = frame.color_trc = _UNSPECIFIED  # no more than the matrix and the range is undone
    converted = frame.reformat(
        format="rgba" if has_alpha else "rgb24", src_color_range=frame.color_range or None, dst_color_range="JPEG"
    )
    image = Image.fromarray(converted.to_ndarray())
    turn = turn_of(frame)
    image = image.transpose(turn) if turn is not None else image
    return to_rgb(image) if has_alpha else image


def turn_of(frame: Any) -> Image.Transpose | None:
    """What makes the frame upright; None where it is, and for display matrices that are not of right angles."""
    matrix = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return None
    values = np.frombuffer(bytes(matrix), np.int32)[[0, 1, 3, 4]] / 65536  # a, b, c, d of three rows of three
    a, b, c, d = (int(value) for value in np.sign(np.where(np.abs(values) < 0.01, 0, values)))
    return _TURNS.get((a, b, c, d))


def _matrix(frame: Any) -> int:
    if frame.format.is_rgb:
        return _RGB
    if frame.colorspace in _MATRICES:
        return int(frame.colorspace)
    return _BT709 if frame.width >= 1280 or frame.height > 576 else _BT601
