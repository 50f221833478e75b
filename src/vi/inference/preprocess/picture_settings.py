"""What a checkpoint says of its picture and video processors, and the arithmetic on pixels that all kinds share."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from vi.inference.errors import LoadError

if TYPE_CHECKING:
    from PIL import Image

Settings = Mapping[str, Any]
Part = Literal["image_processor", "video_processor"]

CLIP_MEAN, CLIP_STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
HALF = (0.5, 0.5, 0.5)  # SigLIP's, Idefics3's and SmolVLM's mean and standard deviation
BICUBIC, LANCZOS = 3, 1  # Pillow's numbers, which are what the files state
_FILES: dict[Part, tuple[str, ...]] = {
    "image_processor": ("preprocessor_config.json",),
    "video_processor": ("video_preprocessor_config.json", "preprocessor_config.json"),
}


def read_settings(folder: Path, part: Part = "image_processor") -> dict[str, Any]:
    """The settings of a checkpoint's or bundle's picture or video processor, from where transformers takes them.

    That is ``processor_config.json``'s own part, else the processor's own file, else for videos the pictures' file.

    A setting that is null is as if it were not there. Empty for videos where no file tells. Raises LoadError.
    """
    for path in (folder / name for name in ("processor_config.json", *_FILES[part])):
        if not path.is_file():
            continue
        try:
            stated = json.loads(path.read_text(encoding="utf-8"))
            settings = stated.get(part) if path.name == "processor_config.json" else stated
            if settings is not None:
                return {name: value for name, value in settings.items() if value is not None}
        except (OSError, ValueError, AttributeError) as error:
            message = f"{path} is not the configuration of the {part.replace('_', ' ')} ({error})."
            raise LoadError(message, "Fetch the checkpoint again.") from None
    if part == "video_processor":
        return {}
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
