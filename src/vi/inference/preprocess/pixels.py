"""What every kind of picture processor gives: arrays for the model, and a key that equal pictures share."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from vi.inference.errors import PromptError

if TYPE_CHECKING:
    from PIL import Image


@dataclass(frozen=True)
class EncodedPictures:
    """Pictures as a model takes them.

    arrays: by the names that transformers' processor of the checkpoint gives them; numpy arrays, pixels as float32,
    C-contiguous, and for some kinds lists that say how a picture was cut (``rows``, ``cols``). key: SHA-256 over
    what the arrays were made of; encodings of one processor with equal keys have equal arrays.
    """

    arrays: dict[str, Any]
    key: bytes


class PictureEncoder(Protocol):
    """A checkpoint's way to prepare pictures. Any number of threads may call one at once.

    max_pixels: what larger pictures are shrunk to, width times height; None where that is not one number.
    """

    @property
    def max_pixels(self) -> int | None: ...

    def encode(self, pictures: Sequence[Image.Image], *, whole: bool = False) -> EncodedPictures:
        """Resize, cut and normalise RGB pictures, at least one, all of one prompt.

        whole: do not cut them into tiles, as for frames of a clip, where the kind of processor leaves that open.
        Raises PromptError for a picture whose shape cannot be prepared (such as 1 x 5000 pixels).
        """
        ...


def media_key(arrays: Mapping[str, Any]) -> bytes:
    """SHA-256 over names, number formats, shapes and bytes of arrays, whatever their order; 32 bytes."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(array.data)
    return digest.digest()


def refused(pictures: Sequence[Image.Image], why: object) -> PromptError:
    """The error for pictures whose shape cannot be prepared."""
    sizes = ", ".join(f"{picture.width}x{picture.height}" for picture in pictures)
    return PromptError(f"A picture of {sizes} pixels cannot be prepared for this model: {why}.")
