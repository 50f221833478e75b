"""From a source to upright RGB pixels."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from PIL import Image, UnidentifiedImageError

from ..errors import SourceError
from .arrays import from_array
from .colour import to_rgb
from .content import open_content
from .damage import unreadable
from .deadline import Deadline
from .heic import open_heic
from .items import SourceItem
from .kinds import ClipFound
from .limits import check_pixels
from .patience import patient
from .policy import MediaPolicy
from .tensors import is_tensor, to_array

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
_SIDEWAYS = [_UPRIGHT[orientation] for orientation in (5, 6, 7, 8)]


@dataclass(frozen=True, eq=False)
class Picture:
    """A decoded picture.

    pixels: RGB, upright, at full size unless less was asked for. original_size: (width, height) in pixels as seen
    upright, which is what boxes in an answer refer to. path: the file it came from, if it came from one. orientation:
    the EXIF orientation that was undone, 1 for none.
    """

    pixels: Image.Image
    label: str
    original_size: tuple[int, int]
    path: Path | None = None
    orientation: int = 1


def load_picture(item: SourceItem, policy: MediaPolicy | None = None, at_most_pixels: int | None = None) -> Picture:
    """Read, fetch or decode one item. The caller's own picture or array is never changed nor shared.

    at_most_pixels: what the model shrinks a picture to, width times height; a JPEG of much more is decoded at a half, a
    quarter or an eighth of its size, never below that number. None decodes at full size.
    Raises the item's own ``error``, ClipFound for a video, or SourceError that says what is wrong with its content or
    that the policy does not allow it (SourceUnreachable where a host did not answer).
    """
    if item.error is not None:
        raise item.error
    if item.is_clip:
        raise ClipFound.of(item.label)
    reader = _Reader(item.label, MediaPolicy.coerce(policy), at_most_pixels)
    try:
        pixels, size, orientation = reader.read(item)
    except SourceError as error:
        if item.kind != "base64" or isinstance(error, ClipFound):
            raise
        taken = "The text was taken for base64, as no file has that name."
        raise SourceError(error.message, f"{error.hint} {taken}".lstrip()) from error
    return Picture(pixels, item.label, size, item.value if item.kind == "file" else None, orientation)


Sized = tuple[Image.Image, tuple[int, int], int]  # upright pixels, the size before any were left out, the turn undone


@dataclass(frozen=True)
class _Reader:
    label: str
    policy: MediaPolicy
    at_most_pixels: int | None

    def read(self, item: SourceItem) -> Sized:
        if item.kind == "image":
            return self._copy(item.value)
        if item.kind == "array":
            array = to_array(item.value, self.label) if is_tensor(item.value) else item.value
            pixels = to_rgb(from_array(array, self.label, self.policy.max_pixels))
            return pixels, pixels.size, 1
        with open_content(item, self.policy) as content:
            return self._file(content)

    def _file(self, content: BinaryIO) -> Sized:
        file = patient(content, Deadline(self.policy.decode_timeout, self.label, "Pass a simpler copy."))
        try:
            with _opened(file) as image:
                if image.format == "MPEG":
                    raise ClipFound.of(self.label, "MPEG")
                if image.format in _REFUSED:
                    raise SourceError(f"{self.label} is {image.format}, which is not read.", _REFUSED[image.format])
                return self._decode(image, may_keep=True)
        except SourceError:
            raise
        except _BOMBS as error:
            raise self._bomb(error) from None
        except UnidentifiedImageError:
            raise unreadable(content, self.label) from None
        except Exception as error:  # a damaged file makes Pillow raise anything: struct.error, KeyError, SyntaxError...
            raise unreadable(content, self.label, _words(error)) from error

    def _copy(self, image: Image.Image) -> Sized:
        """A caller's own picture, which may still have to be read from its file."""
        try:
            return self._decode(image, may_keep=False)
        except SourceError:
            raise
        except _BOMBS as error:
            raise self._bomb(error) from None
        except Exception as error:  # as above
            raise SourceError(f"{self.label} cannot be decoded ({_words(error)}).") from error

    def _decode(self, image: Image.Image, may_keep: bool) -> Sized:
        if 0 in image.size:
            raise SourceError(f"{self.label} has no pixels ({image.width} x {image.height}).")
        check_pixels(*image.size, self.label, self.policy.max_pixels)
        width, height = image.size
        if may_keep and self.at_most_pixels is not None:
            _shrink_on_load(image, self.at_most_pixels)
        image.load()
        orientation = _orientation(image)
        turn = _UPRIGHT.get(orientation)
        pixels = to_rgb(image, may_keep)
        if turn is None:
            return pixels, (width, height), 1
        size = (height, width) if turn in _SIDEWAYS else (width, height)
        return pixels.transpose(turn), size, int(orientation)

    def _bomb(self, error: Exception) -> SourceError:
        pixels = re.search(r"\d+", str(error))
        count = f"{int(pixels[0]):,}" if pixels else "too many"
        most = f"{self.policy.max_pixels:,}"
        return SourceError(f"{self.label} has {count} pixels; at most {most} are decoded.", "Pass a smaller copy.")


def _opened(file: BinaryIO) -> Image.Image:
    try:
        return Image.open(file)
    except UnidentifiedImageError:
        return open_heic(file)


def _shrink_on_load(image: Image.Image, at_most_pixels: int) -> None:
    """Have a JPEG decoded at the least size of which both sides are as long as those the model will see."""
    share = math.sqrt(at_most_pixels / (image.width * image.height))
    if image.format in ("JPEG", "MPO") and share < 1:
        image.draft(None, (math.ceil(image.width * share), math.ceil(image.height * share)))


def _orientation(image: Image.Image) -> Any:
    try:
        return image.getexif().get(_ORIENTATION)
    except Exception:  # damaged metadata of any kind leaves the picture as it is stored
        return None


def _words(error: Exception) -> str:
    """What Pillow says, on one short line; only the error's name where it says nothing or dumps data."""
    said = str(error).split("\n")[0]
    return said if said and said.isprintable() and len(said) <= 100 and "\\x" not in said else type(error).__name__
