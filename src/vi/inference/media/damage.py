"""Why a file cannot be read as a picture, in words."""

from __future__ import annotations

import os
import struct
from typing import BinaryIO

from ..errors import SourceError
from .heic import INSTALL
from .kinds import HEAD_BYTES, ClipFound, Kind, sniff

_HINTS = {
    "an HTML page": "The address shows a page; pass the address of the picture itself.",
    "HEIC": INSTALL,
    "SVG": "It is a drawing, not pixels: render it to PNG first.",
    "PDF": "Render the page to PNG first.",
    "PostScript": "It is a program, not pixels: render it to PNG first.",
}


def unreadable(file: BinaryIO, label: str, reason: str = "") -> SourceError:
    """The error for a file that Pillow refuses, from what the file says of itself; ``reason`` is Pillow's own."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    head = file.read(HEAD_BYTES)
    if not head:
        return SourceError(f"{label} is empty (0 bytes).")
    kind = sniff(head)
    if kind is None:
        return _not_a_picture(label, reason or "no picture format that is known")
    if kind.family == "clip":
        return ClipFound.of(label, kind.name)
    if kind.family == "picture":
        cut = cut_off(file, kind, size)
        return _not_a_picture(label, f"{kind.name}, {cut or reason or 'damaged or of a kind that is not supported'}")
    return _not_a_picture(label, f"its content is {kind.name}", _HINTS.get(kind.name, ""))


def cut_off(file: BinaryIO, kind: Kind, size: int) -> str:
    """``cut off after 3,112 of 88,004 bytes`` where the format tells its own length and ``size`` is below it.

    PNG tells it chunk by chunk, so that the whole is known to be at least what the last chunk needs. Empty for
    a file that is whole, or of a format that does not tell.
    """
    file.seek(0)
    if kind.name == "PNG":
        needed = _png_needs(file, size)
        return f"cut off after {size:,} of at least {needed:,} bytes" if needed > size else ""
    head = file.read(12)
    needed = 0
    if kind.name == "WebP":
        needed = struct.unpack("<I", head[4:8])[0] + 8
    elif kind.name == "BMP":
        needed = struct.unpack("<I", head[2:6])[0]
    elif kind.name == "JPEG":
        return "" if _has_end_marker(file, size) else f"cut off after {size:,} bytes"
    return f"cut off after {size:,} of {needed:,} bytes" if needed > size else ""


def _not_a_picture(label: str, why: str, hint: str = "") -> SourceError:
    return SourceError(f"{label} is not a picture that can be read ({why}).", hint)


def _png_needs(file: BinaryIO, size: int) -> int:
    at, end = 8, 12  # the signature; an IEND chunk
    while at + 8 <= size:
        file.seek(at)
        length, name = struct.unpack(">I4s", file.read(8))
        if not name.isalpha():
            return 0  # damaged rather than cut
        at += 12 + length
        if name == b"IEND":
            return at
    return at + end


def _has_end_marker(file: BinaryIO, size: int) -> bool:
    file.seek(max(0, size - 4096))  # cameras append padding and previews after the end
    return b"\xff\xd9" in file.read()
