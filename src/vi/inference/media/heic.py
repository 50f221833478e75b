"""HEIC, the pictures of most telephones, where pillow-heif is installed."""

from __future__ import annotations

from typing import BinaryIO

from PIL import Image, UnidentifiedImageError

from .kinds import HEAD_BYTES, sniff

INSTALL = "Install pillow-heif to read it, or convert it to JPEG or PNG."


def open_heic(file: BinaryIO) -> Image.Image:
    """The picture in ``file``, not yet decoded; registers nothing with Pillow.

    Raises UnidentifiedImageError where it is no HEIC or pillow-heif is not installed.
    """
    file.seek(0)
    kind = sniff(file.read(HEAD_BYTES))
    if kind is None or kind.name != "HEIC":
        raise UnidentifiedImageError
    try:
        from pillow_heif import HeifImageFile
    except ImportError:
        raise UnidentifiedImageError from None
    file.seek(0)
    return HeifImageFile(file)
