"""Damaged files: 10,000 variants of 40 files of every kind either load or are SourceErrors. Slow: run with -m slow."""

from __future__ import annotations

import io
import warnings

import numpy as np
import pytest
from PIL import Image

from vi.inference.errors import SourceError
from vi.inference.media.image import load_picture
from vi.inference.media.items import memory_item
from vi.inference.media.policy import MediaPolicy

FORMATS = {
    "PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"),
    "JPEG": ("L", "RGB", "CMYK"),
    "GIF": ("L", "P", "RGB"),
    "BMP": ("1", "L", "P", "RGB"),
    "TIFF": ("1", "L", "P", "RGB", "RGBA", "CMYK", "I;16", "F"),
    "WEBP": ("RGB", "RGBA"),
    "AVIF": ("RGB", "RGBA"),
    "JPEG2000": ("L", "RGB", "RGBA"),
    "ICO": ("RGB", "RGBA"),
    "PPM": ("1", "L", "RGB", "I;16"),
    "TGA": ("L", "P", "RGB", "RGBA"),
    "PCX": ("1", "L", "P", "RGB"),
}
SEEDS, VARIANTS = 40, 10_000
SMALL = MediaPolicy(max_pixels=4_000_000, decode_timeout=5.0)


def seed_file(format: str, number: int, dice: np.random.Generator) -> bytes:
    mode = FORMATS[format][number % len(FORMATS[format])]
    width, height = dice.integers(1, 65, size=2)
    noise = Image.fromarray(dice.integers(0, 256, (height, width, 3), np.uint8))
    image = Image.new(mode, (int(width), int(height))) if mode in ("I;16", "F") else noise.convert(mode)
    options: dict[str, object] = {}
    if format == "TIFF" and mode != "F":
        codecs = ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"] if mode != "1" else ["raw", "group4"]
        options["compression"] = codecs[number % len(codecs)]
    if format == "JPEG":
        options["progressive"] = bool(number % 2)
    if format in ("WEBP", "GIF", "PNG") and number % 4 == 0 and mode not in ("1", "I;16"):
        options |= {"save_all": True, "append_images": [image.transpose(Image.Transpose.ROTATE_180)]}
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def damaged(content: bytes, dice: np.random.Generator) -> bytes:
    broken = bytearray(content[: dice.integers(1, len(content) + 1)] if dice.random() < 0.5 else content)
    for at in dice.integers(0, len(broken), size=dice.integers(0, 6)):
        broken[at] = dice.integers(256) if dice.random() < 0.5 else broken[at] ^ (1 << dice.integers(8))
    return bytes(broken)


@pytest.mark.slow
@pytest.mark.parametrize("format", FORMATS)
def test_every_damage_is_a_picture_or_a_source_error(format):
    dice = np.random.default_rng(sorted(FORMATS).index(format))
    seeds = [seed_file(format, number, dice) for number in range(SEEDS)]
    counts = {"loaded": 0, "refused": 0}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number in range(VARIANTS):
            content = damaged(seeds[number % SEEDS], dice)
            try:
                picture = load_picture(memory_item(content), SMALL, at_most_pixels=400 if number % 2 else None)
            except SourceError as error:
                counts["refused"] += 1
                said = str(error)
            else:
                counts["loaded"] += 1
                said = picture.pixels.mode
            assert said.isprintable()
    print(format, counts)
    assert min(counts.values()) > 0
