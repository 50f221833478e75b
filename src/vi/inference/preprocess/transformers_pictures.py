"""Pictures prepared by transformers' own processor, for kinds that have no implementation of ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from vi.inference.preprocess.pixels import EncodedPictures, media_key, refused

if TYPE_CHECKING:
    from PIL import Image


class TransformersPictures:
    """Wraps an image processor of transformers that works on Pillow's pictures (``backend="pil"``).

    options: what it is called with besides the pictures.
    """

    max_pixels: int | None = None

    def __init__(self, processor: Any, options: Mapping[str, Any]) -> None:
        self._processor = processor
        self._options = dict(options)

    def encode(self, pictures: Sequence[Image.Image], *, whole: bool = False) -> EncodedPictures:
        """Whatever the processor gives, as numpy arrays by its own names; lists stay lists."""
        try:
            inputs = self._processor(images=list(pictures), return_tensors="np", **self._options)
        except ValueError as error:
            raise refused(pictures, error) from error
        arrays = {name: _array(value) for name, value in inputs.items()}
        return EncodedPictures(arrays, media_key({name: np.asarray(value) for name, value in arrays.items()}))


def _array(value: Any) -> Any:
    if not isinstance(value, np.ndarray):
        return value
    return np.ascontiguousarray(value, dtype=np.float32 if value.dtype.kind == "f" else value.dtype)
