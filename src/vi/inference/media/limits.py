"""How large a picture may be before it is decoded."""

from __future__ import annotations

from ..errors import SourceError

MAX_PIXELS = 178_956_970
"""Width times height: half a GiB as RGB, and where Pillow itself calls a picture a decompression bomb."""


def check_pixels(width: int, height: int, label: str, most: int = MAX_PIXELS) -> None:
    """Raises SourceError, with both numbers, where a picture has more than ``most`` pixels."""
    if width * height > most:
        raise SourceError(
            f"{label} has {width:,} x {height:,} = {width * height:,} pixels; at most {most:,} are decoded.",
            "Pass a smaller copy.",
        )
