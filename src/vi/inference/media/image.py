"""From a source to upright RGB pixels."""

from __future__ import annotations

import io
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from PIL import Image, UnidentifiedImageError

from ..errors import SourceError
from .arrays import from_array
from .colour import to_rgb
from .damage import unreadable
from .encoded import decode_base64, decode_data_uri
from .fetch import fetch
from .kinds import clip_error
from .limits import MAX_PIXELS, check_pixels
from .sources import SourceItem

_REFUSED = {"EPS": "PostScript is a program, not pixels: render it to PNG first."}  # Pillow would start Ghostscript

_BOMBS = (Image.DecompressionBombError, Image.DecompressionBombWarning)  # the latter where warnings are errors

_ORIENTATION = 0x0112
_UPRIGHT = {  # EXIF orientation -> what undoes it (CIPA DC-008, section 4.6.4)
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True, eq=False)
class Picture:
    """A decoded picture.

    pixels: RGB, upright, at full size. original_size: (width, height) in pixels as seen upright, which is what
    boxes in an answer refer to. path: the file it came from, if it came from one.
    """

    pixels: Image.Image
    label: str
    original_size: tuple[int, int]
    path: Path | None = None


def load_picture(item: SourceItem) -> Picture:
    """Read, fetch or decode one item. The caller's own picture or array is never changed nor shared.

    Raises the item's own ``error``, or SourceError that says what is wrong with its content
    (SourceUnreachable where a host did not answer).
    """
    if item.error is not None:
        raise item.error
    try:
        pixels = _pixels(item)
    except SourceError as error:
        if item.kind != "base64":
            raise
        taken = "The text was taken for base64, as no file has that name."
        raise SourceError(error.message, f"{error.hint} {taken}".lstrip()) from error
    return Picture(pixels, item.label, pixels.size, item.value if item.kind == "file" else None)


def _pixels(item: SourceItem) -> Image.Image:
    if item.kind == "image":
        return _copy(item.value, item.label)
    if item.kind == "array":
        return to_rgb(from_array(item.value, item.label))
    if item.kind == "file":
        return _read_file(item.value, item.label)
    return _read(io.BytesIO(_content(item)), item.label)


def _content(item: SourceItem) -> bytes:
    if item.kind == "url":
        return fetch(item.value)
    if item.kind == "data":
        return decode_data_uri(item.value, item.label)
    if item.kind == "base64":
        return decode_base64(item.value, item.label)
    return item.value


def _read_file(path: Path, label: str) -> Image.Image:
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe or a device may never end
            raise SourceError(f"{label} is not a file with a picture, but a device, pipe or socket.")
        with path.open("rb") as file:
            return _read(file, label)
    except FileNotFoundError:
        raise SourceError(f"{label} leads to no file: it is a link to nothing, or was removed meanwhile.") from None
    except OSError as error:
        raise SourceError(f"{label} cannot be read ({error.strerror or error}).") from error


def _read(file: BinaryIO, label: str) -> Image.Image:
    try:
        with Image.open(file) as image:
            if image.format == "MPEG":
                raise clip_error(label, "MPEG")
            if image.format in _REFUSED:
                raise SourceError(f"{label} is {image.format}, which is not read.", _REFUSED[image.format])
            return _decode(image, label)
    except SourceError:
        raise
    except _BOMBS as error:
        raise _bomb(error, label) from None
    except UnidentifiedImageError:
        raise unreadable(file, label) from None
    except Exception as error:  # a damaged file makes Pillow raise anything: struct.error, KeyError, SyntaxError...
        raise unreadable(file, label, _words(error)) from error


def _copy(image: Image.Image, label: str) -> Image.Image:
    """A caller's own picture, which may still have to be read from its file."""
    try:
        return _decode(image, label)
    except SourceError:
        raise
    except _BOMBS as error:
        raise _bomb(error, label) from None
    except Exception as error:  # as above
        raise SourceError(f"{label} cannot be decoded ({_words(error)}).") from error


def _decode(image: Image.Image, label: str) -> Image.Image:
    if 0 in image.size:
        raise SourceError(f"{label} has no pixels ({image.width} x {image.height}).")
    check_pixels(*image.size, label)
    image.load()
    turn = _UPRIGHT.get(_orientation(image))
    pixels = to_rgb(image)
    return pixels.transpose(turn) if turn is not None else pixels


def _orientation(image: Image.Image) -> Any:
    try:
        return image.getexif().get(_ORIENTATION)
    except Exception:  # damaged metadata of any kind leaves the picture as it is stored
        return None


def _bomb(error: Exception, label: str) -> SourceError:
    pixels = re.search(r"\d+", str(error))
    count = f"{int(pixels[0]):,}" if pixels else "too many"
    return SourceError(f"{label} has {count} pixels; at most {MAX_PIXELS:,} are decoded.", "Pass a smaller copy.")


def _words(error: Exception) -> str:
    """What Pillow says, on one short line; only the error's name where it says nothing or dumps data."""
    said = str(error).split("\n")[0]
    return said if said and said.isprintable() and len(said) <= 100 and "\\x" not in said else type(error).__name__
