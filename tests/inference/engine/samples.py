"""A picture and a grammar for the engine's tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from vi.inference.engine.serial import SerialEngine
from vi.inference.engine.vocabulary import Vocabulary
from vi.inference.structured.grammar import json_grammar

if TYPE_CHECKING:
    from vi.inference.loading.loaded import LoadedModel

LONG = json_grammar({"type": "string", "minLength": 1500})  # an answer that does not end by itself for a while


def serial_engine(loaded: LoadedModel) -> SerialEngine:
    """The engine of families that cannot be paged, over transformers' own forward."""
    from vi.inference.engine.runners.plain_runner import PlainTorchRunner

    return SerialEngine(PlainTorchRunner(loaded), Vocabulary(loaded))


def picture(size: tuple[int, int]) -> Image.Image:
    """Noise of (width, height), the same for the same size."""
    pixels = np.random.default_rng(size).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(pixels)
