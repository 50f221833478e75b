"""How large a picture is, told by its first bytes."""

from __future__ import annotations

from contextlib import suppress

from PIL import Image

from vi.inference.media.content import open_content
from vi.inference.media.policy import MediaPolicy
from vi.inference.media.sources import SourceItem
from vi.inference.media.tensors import is_tensor, to_array

_ORIENTATION = 0x0112
_LATE = ("exif", "XML:com.adobe.xmp", "Raw profile type exif")  # without these a PNG would be decoded to look further


def picture_size(item: SourceItem, policy: MediaPolicy) -> tuple[int, int] | None:
    """(width, height) in pixels as seen upright; None where that takes a fetch, or cannot be told."""
    with suppress(Exception):  # a damaged file makes Pillow raise anything
        if item.kind == "array":
            height, width = (to_array(item.value, item.label) if is_tensor(item.value) else item.value).shape[:2]
            return int(width), int(height)
        if item.kind == "image":
            return _upright(item.value)
        if item.kind in ("file", "bytes"):
            with open_content(item, policy) as content, Image.open(content) as image:
                return _upright(image)
    return None


def _upright(image: Image.Image) -> tuple[int, int]:
    width, height = image.size
    if image.format == "PNG" and not any(name in image.info for name in _LATE):
        return width, height
    on_its_side = image.getexif().get(_ORIENTATION) in (5, 6, 7, 8)
    return (height, width) if on_its_side else (width, height)
