"""What ``preprocessor_config.json`` says, and the arithmetic on pixels that all kinds of processors share."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vi.inference.errors import LoadError

if TYPE_CHECKING:
    from PIL import Image

Settings = Mapping[str, Any]

CLIP_MEAN, CLIP_STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
HALF = (0.5, 0.5, 0.5)  # SigLIP's, Idefics3's and SmolVLM's mean and standard deviation
BICUBIC, LANCZOS = 3, 1  # Pillow's numbers, which are what the files state


def read_settings(folder: Path) -> dict[str, Any]:
    """The picture processor's settings of a checkpoint or bundle: ``processor_config.json``'s own part, else the file.

    The order of transformers. A setting that is null is as if it were not there. Raises LoadError.
    """
    nested, single = folder / "processor_config.json", folder / "preprocessor_config.json"
    for path in (nested, single):
        if not path.is_file():
            continue
        try:
            stated = json.loads(path.read_text(encoding="utf-8"))
            settings = stated.get("image_processor") if path is nested else stated
            if settings is not None:
                return {name: value for name, value in settings.items() if value is not None}
        except (OSError, ValueError, AttributeError) as error:
            message = f"{path} is not a picture processor's configuration ({error})."
            raise LoadError(message, "Fetch the checkpoint again.") from None
    raise LoadError(f"{folder} has no picture processor (preprocessor_config.json).", "Fetch the checkpoint again.")


class PixelScale:
    """Pixels 0 to 255 to the model's floats, (value * rescale_factor - mean) / std a channel, as one multiply-add."""

    def __init__(self, settings: Settings, mean: tuple[float, ...], std: tuple[float, ...]) -> None:
        factor = settings.get("rescale_factor", 1 / 255) if settings.get("do_rescale", True) else 1.0
        shift, spread = np.zeros(3), np.ones(3)
        if settings.get("do_normalize", True):
            shift, spread = (np.asarray(settings.get(*of), float) for of in (("image_mean", mean), ("image_std", std)))
        self._factor = (factor / spread).astype(np.float32)[:, None, None]  # [3, 1, 1]
        self._offset = (-shift / spread).astype(np.float32)[:, None, None]

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """uint8 [..., 3, height, width] to float32 of the same shape, C-contiguous."""
        scaled = pixels.astype(np.float32, order="C")
        scaled *= self._factor
        scaled += self._offset
        return scaled


def resize(picture: Image.Image, height: int, width: int, resample: int) -> Image.Image:
    """``picture`` at another size; itself where it has that size."""
    if picture.size == (width, height):
        return picture
    from PIL import Image

    return picture.resize((width, height), Image.Resampling(resample))


def planes(picture: Image.Image) -> np.ndarray:
    """An RGB picture as uint8 [3, height, width]; a view, not contiguous."""
    return np.asarray(picture).transpose(2, 0, 1)


def sides(size: Any) -> tuple[int, int] | None:
    """(height, width) where a size states both, as two numbers or one for a square; None where it states edges."""
    if isinstance(size, int):
        return size, size
    return (int(size["height"]), int(size["width"])) if "height" in size else None
