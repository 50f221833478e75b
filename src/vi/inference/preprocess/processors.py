"""Which of our picture encoders stands for a checkpoint's image processor."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from vi.inference.preprocess.anyres_pixels import AnyResPixels
from vi.inference.preprocess.crop_pixels import CropPixels
from vi.inference.preprocess.picture_settings import Settings, read_settings
from vi.inference.preprocess.pixels import PictureEncoder
from vi.inference.preprocess.plain_pixels import PlainPixels
from vi.inference.preprocess.qwen_pixels import QwenPixels
from vi.inference.preprocess.tile_pixels import TilePixels

ENCODERS: dict[str, Callable[[Settings], PictureEncoder]] = {
    "Qwen2VLImageProcessor": QwenPixels,
    "SmolVLMImageProcessor": TilePixels,
    "Idefics3ImageProcessor": TilePixels,
    "GotOcr2ImageProcessor": CropPixels,
    "LlavaNextImageProcessor": AnyResPixels.of_next,
    "LlavaOnevisionImageProcessor": AnyResPixels.of_onevision,
    "CLIPImageProcessor": PlainPixels.of_clip,
    "SiglipImageProcessor": PlainPixels.of_siglip,
}


def read_pictures(folder: Path, options: Mapping[str, Any]) -> PictureEncoder | None:
    """The encoder of a checkpoint or bundle, None where its kind of processor is not among ours.

    options: the architecture's own settings (``Family.options``), which go before the file's. Raises LoadError for
    a file that cannot be read.
    """
    settings = read_settings(folder)
    kind = str(settings.get("image_processor_type", "")).removesuffix("Fast")
    return ENCODERS[kind]({**settings, **options}) if kind in ENCODERS else None
