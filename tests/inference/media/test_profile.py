from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from vi.inference.media.colour import to_rgb
from vi.inference.media.profile import to_srgb


def profile(space: str) -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile(space)).tobytes()


def swapped_rgb() -> bytes:
    """sRGB with the places of red and green exchanged, which shows whether a profile was used."""
    content = bytearray(profile("sRGB"))
    tags = {bytes(content[132 + 12 * i : 136 + 12 * i]): 132 + 12 * i for i in range(content[131])}
    red, green = tags[b"rXYZ"] + 4, tags[b"gXYZ"] + 4
    content[red : red + 8], content[green : green + 8] = content[green : green + 8], content[red : red + 8]
    at = bytes(content).find("sRGB".encode("utf-16-be"))
    content[at : at + 8] = "abcd".encode("utf-16-be")
    return bytes(content)


def picture(mode: str, colour, icc: bytes) -> Image.Image:
    image = Image.new(mode, (4, 4), colour)
    image.info["icc_profile"] = icc
    return image


def test_colours_go_through_the_profile():
    red, green, blue = to_rgb(picture("RGB", (255, 0, 0), swapped_rgb())).getpixel((0, 0))
    assert (red < 10, green > 245, blue < 10) == (True, True, True)


def test_colours_are_those_of_littlecms(photos):
    with Image.open(photos / "chelsea.png") as image:
        image.info["icc_profile"] = swapped_rgb()
        source = ImageCms.ImageCmsProfile(io.BytesIO(swapped_rgb()))
        expected = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
        assert to_rgb(image).tobytes() == expected.tobytes()


def test_srgb_itself_changes_nothing():
    image = picture("RGB", (10, 200, 30), profile("sRGB"))
    assert to_srgb(image) is image


@pytest.mark.parametrize("mode", ["RGBA", "P", "LA", "L", "CMYK", "1", "I;16", "F"])
@pytest.mark.parametrize("icc", [b"", b"junk", b"\0" * 200, swapped_rgb()[:300], profile("LAB"), profile("XYZ")])
def test_a_profile_that_does_not_fit_is_left_aside(mode, icc):
    image = Image.new(mode, (4, 4))
    plain = to_rgb(image)
    image.info["icc_profile"] = icc
    assert to_rgb(image).tobytes() == plain.tobytes()


def test_alpha_is_kept_apart_from_colours():
    image = picture("RGBA", (255, 0, 0, 255), swapped_rgb())
    image.putpixel((1, 0), (255, 0, 0, 0))
    seen = to_rgb(image)
    assert seen.getpixel((0, 0))[1] > 245
    assert seen.getpixel((1, 0)) == (255, 255, 255)


def test_a_palette_goes_through_the_profile():
    image = picture("RGB", (255, 0, 0), b"").quantize(4)
    image.info["icc_profile"] = swapped_rgb()
    assert to_rgb(image).getpixel((0, 0))[1] > 245


def test_the_callers_picture_is_left_as_it_is():
    image = picture("RGB", (255, 0, 0), swapped_rgb())
    to_rgb(image)
    assert np.asarray(image)[0, 0].tolist() == [255, 0, 0]
