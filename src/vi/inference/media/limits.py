"""How large a picture may be before it is decoded."""

from __future__ import annotations

from ..errors import SourceError

MAX_PIXELS = 178_956_970
"""Width times height: half a GiB as RGB, and where Pillow itself calls a picture a decompression bomb."""

MAX_SIDE = 1_000_000
"""Pixels of width or height; each line of a picture takes memory of its own, however short."""


def check_pixels(width: int, height: int, label: str, most: int = MAX_PIXELS) -> None:
    """Raises SourceError, with both numbers, where a picture has more than ``most`` pixels or too long a side."""
    if width * height > most:
        raise SourceError(
            f"{label} has {width:,} x {height:,} = {width * height:,} pixels; at most {most:,} are decoded.",
            "Pass a smaller copy.",
        )
    if max(width, height) > MAX_SIDE:
        raise SourceError(f"{label} has {width:,} x {height:,} pixels; at most {MAX_SIDE:,} a side are decoded.")
