from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from vi.inference.media.colour import to_rgb

RAMP = np.arange(65536, dtype=np.uint16).reshape(256, 256)
SCALED = np.floor(RAMP / 257 + 0.5)
MODES = [
    "1",
    "L",
    "LA",
    "La",
    "P",
    "PA",
    "RGB",
    "RGBA",
    "RGBa",
    "RGBX",
    "CMYK",
    "YCbCr",
    "HSV",
    "I",
    "F",
    "I;16",
    "I;16B",
]


def grey(image: Image.Image) -> np.ndarray:
    rgb = np.asarray(to_rgb(image))
    assert (rgb == rgb[:, :, :1]).all()
    return rgb[:, :, 0]


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_becomes_rgb_even_at_one_pixel(mode):
    assert (to_rgb(Image.new(mode, (1, 1))).mode, to_rgb(Image.new(mode, (3, 2))).size) == ("RGB", (3, 2))


@pytest.mark.parametrize("mode", ["LA", "PA", "RGBA", "RGBa"])
def test_what_is_clear_is_white(mode):
    assert to_rgb(Image.new("RGBA", (2, 2), (255, 0, 0, 0)).convert(mode)).getpixel((0, 0)) == (255, 255, 255)


def test_half_clear_is_half_white():
    assert to_rgb(Image.new("RGBA", (1, 1), (255, 0, 0, 51))).getpixel((0, 0)) == (255, 204, 204)


@pytest.mark.parametrize("mode", ["RGB", "L", "P"])
def test_a_transparent_colour_is_white(mode):
    image = Image.new(mode, (2, 1), 0)
    image.putpixel((1, 0), (200, 0, 0) if mode == "RGB" else 1)
    image.info["transparency"] = (0, 0, 0) if mode == "RGB" else 0
    assert to_rgb(image).getpixel((0, 0)) == (255, 255, 255)
    assert to_rgb(image).getpixel((1, 0)) != (255, 255, 255)


@pytest.mark.parametrize("dtype", ["<u2", ">u2"])
def test_sixteen_bits_are_scaled(dtype):
    mode = {"<u2": "I;16", ">u2": "I;16B"}[dtype]
    image = Image.frombytes(mode, (256, 256), RAMP.astype(dtype).tobytes())
    assert (grey(image) == SCALED).all()


def test_integers_fill_the_smallest_usual_range():
    assert (grey(Image.fromarray(RAMP.astype(np.int32))) == SCALED).all()
    assert (grey(Image.fromarray(RAMP.astype(np.int32) % 256)) == RAMP % 256).all()
    assert grey(Image.fromarray(np.array([[-5, 5], [0, 0]], np.int32))).tolist() == [[0, 255], [128, 128]]


def test_floats_fill_the_smallest_usual_range():
    unit = RAMP.astype(np.float32) / 65535
    assert np.abs(grey(Image.fromarray(unit)) - SCALED).max() <= 1
    assert np.abs(grey(Image.fromarray(RAMP.astype(np.float32))) - SCALED).max() <= 1
    assert (grey(Image.fromarray((RAMP % 256).astype(np.float32))) == RAMP % 256).all()


def test_values_that_are_no_numbers_are_black_or_the_ends():
    odd = np.array([[np.nan, np.inf, -np.inf, 0.5]], np.float32)
    assert grey(Image.fromarray(odd)).tolist() == [[0, 255, 0, 128]]
    assert (grey(Image.fromarray(np.full((2, 2), np.nan, np.float32))) == 0).all()


def test_inks_are_mixed_as_pillow_mixes_them():
    inks = Image.new("CMYK", (2, 2), (0, 255, 255, 0))
    assert to_rgb(inks).getpixel((0, 0)) == (255, 0, 0)


def test_the_result_is_never_the_picture_itself():
    image = Image.new("RGB", (2, 2))
    to_rgb(image).putpixel((0, 0), (9, 9, 9))
    assert image.getpixel((0, 0)) == (0, 0, 0)
