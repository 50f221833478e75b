"""Pixels of every mode that Pillow knows, as 8-bit RGB."""

from __future__ import annotations

import numpy as np
from PIL import Image

from .arrays import WORD_TO_BYTE
from .profile import to_srgb

_WORD_FORMATS = ("PNG", "PPM")  # whose mode "I" always means 16 bits


def to_rgb(image: Image.Image, may_keep: bool = False) -> Image.Image:
    """A new RGB picture: alpha laid on white, palettes resolved, 16-bit and float values scaled, not clipped.

    Colours go through the picture's own profile, if it has one, to sRGB. may_keep: a picture that is RGB already may be
    given back itself.

    Mode I;16 is divided by 257. Modes I and F carry no range of their own: values within [0, 1] (F only),
    [0, 255] or [0, 65535] are taken to fill that range, any others are stretched from their least to their greatest.
    Raises ValueError for a mode that has no way to RGB.
    """
    if image.mode.startswith("I;16"):
        return _grey(WORD_TO_BYTE[np.asarray(image).astype(np.uint16, copy=False)])
    if image.mode == "I":
        return _grey(_scale(np.asarray(image), is_word=image.format in _WORD_FORMATS))
    if image.mode == "F":
        return _grey(_scale(np.asarray(image)))
    if image.mode == "La":  # premultiplied grey; Pillow undoes that to LA alone
        image = image.convert("LA")
    seen = to_srgb(image)
    if seen.has_transparency_data:
        return _on_white(seen.convert("RGBA"))
    if seen.mode != "RGB":
        return seen.convert("RGB")
    return seen if may_keep or seen is not image else image.copy()


def _on_white(image: Image.Image) -> Image.Image:
    white = Image.new("RGBA", image.size, (255, 255, 255, 255))
    white.alpha_composite(image)
    return white.convert("RGB")


def _grey(values: np.ndarray) -> Image.Image:
    return Image.fromarray(values).convert("RGB")  # values: [H, W] uint8


def _scale(values: np.ndarray, is_word: bool = False) -> np.ndarray:
    """values: [H, W] of any number type. Returns [H, W] uint8; NaN becomes 0, infinities the ends of the range."""
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    if low >= 0 and high <= 65535:
        is_unit = values.dtype.kind == "f" and high <= 1
        low, high = 0.0, 1.0 if is_unit else 255.0 if high <= 255 and not is_word else 65535.0
    span = (high - low) or 1.0
    unit = (np.nan_to_num(values.astype(np.float64), nan=low, posinf=high, neginf=low) - low) / span
    return np.rint(np.clip(unit, 0.0, 1.0) * 255).astype(np.uint8)
