"""A picture and a grammar for the engine's tests."""

from __future__ import annotations

import numpy as np
from PIL import Image

from vi.inference.structured.grammar import json_grammar

LONG = json_grammar({"type": "string", "minLength": 1500})  # an answer that does not end by itself for a while


def picture(size: tuple[int, int]) -> Image.Image:
    """Noise of (width, height), the same for the same size."""
    pixels = np.random.default_rng(size).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(pixels)
