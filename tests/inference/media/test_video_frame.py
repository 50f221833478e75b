from __future__ import annotations

import io
import struct

import av
import numpy as np
import pytest
from PIL import Image, ImageOps
from tests.inference.media.films import film

from vi.inference.media.video import load_clip

BT709, BT601, BT2020 = 1, 6, 9  # ITU-T H.273
WEIGHTS = {BT709: (0.2126, 0.0722), BT601: (0.299, 0.114), BT2020: (0.2627, 0.0593)}  # of red and of blue in luma
COLOURS = [(255, 0, 0), (0, 128, 0), (30, 60, 200), (200, 100, 50), (255, 255, 255), (0, 0, 0)]


def to_yuv(rgb: tuple[int, int, int], matrix: int, is_full: bool, bits: int) -> list[int]:
    """Y, Cb, Cr by the definition of ITU-R BT.601, 709 and 2020."""
    red, green, blue = (value / 255 for value in rgb)
    of_red, of_blue = WEIGHTS[matrix]
    luma = of_red * red + (1 - of_red - of_blue) * green + of_blue * blue
    planes = luma, (blue - luma) / (2 - 2 * of_blue), (red - luma) / (2 - 2 * of_red)
    most = 2**bits - 1
    if is_full:
        offsets = 0, 2 ** (bits - 1), 2 ** (bits - 1)
        return [min(most, round(plane * most + offset)) for plane, offset in zip(planes, offsets, strict=True)]
    scaled = [(219 * planes[0] + 16), (224 * planes[1] + 128), (224 * planes[2] + 128)]
    return [round(value * 2 ** (bits - 8)) for value in scaled]


def flat(rgb, matrix, is_full, pixels="yuv420p", size=(64, 48), tag: int | None = None) -> bytes:
    """A lossless clip of one colour. tag: what it calls its matrix, if not by its name; 2 says nothing."""
    buffer = io.BytesIO()
    bits = 10 if "10" in pixels else 8
    with av.open(buffer, "w", format="matroska") as output:
        stream = output.add_stream("ffv1", rate=10)
        stream.width, stream.height, stream.pix_fmt = *size, pixels
        frame = av.VideoFrame(*size, pixels)
        frame.colorspace = stream.codec_context.colorspace = matrix if tag is None else tag
        frame.color_range = stream.codec_context.color_range = 2 if is_full else 1
        for plane, value in zip(frame.planes, to_yuv(rgb, matrix, is_full, bits), strict=True):
            value = struct.pack("<H", value) if bits == 10 else bytes([value])
            plane.update(value * (plane.buffer_size // len(value)))
        frame.pts = 0
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return buffer.getvalue()


@pytest.mark.parametrize("pixels", ["yuv420p", "yuv422p", "yuv444p", "yuv420p10le"])
@pytest.mark.parametrize("is_full", [False, True])
@pytest.mark.parametrize("matrix", WEIGHTS)
def test_colours_are_those_that_were_encoded(matrix, is_full, pixels):
    for rgb in COLOURS:
        (frame,) = load_clip(flat(rgb, matrix, is_full, pixels)).frames
        assert frame.mode == "RGB"
        assert np.abs(np.asarray(frame, int) - rgb).max() <= 4, rgb  # swscale's fast way rounds twice


@pytest.mark.parametrize("tag", [2, 3, 8, 14])  # unspecified, reserved, YCgCo, ICtCp
@pytest.mark.parametrize(("size", "matrix"), [((64, 48), BT601), ((720, 576), BT601), ((1280, 720), BT709)])
def test_a_clip_that_names_no_known_matrix_has_the_one_of_its_size(size, matrix, tag):
    for rgb in COLOURS[2:4]:
        (frame,) = load_clip(flat(rgb, matrix, False, size=size, tag=tag)).frames
        assert np.abs(np.asarray(frame, int) - rgb).max() <= 4, rgb


@pytest.mark.parametrize("size", [(95, 63), (97, 61), (33, 35)])
def test_odd_sizes_stay_as_they_are(size):
    frames = load_clip(film(range(3), size=size, pixels="yuv444p", options={"crf": "0"}), fps=30).frames
    assert [frame.size for frame in frames] == [size] * 3


def test_what_is_transparent_is_white():
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mov") as output:
        stream = output.add_stream("png", rate=10)
        stream.width, stream.height, stream.pix_fmt = 8, 8, "rgba"
        pixels = np.zeros((8, 8, 4), np.uint8)
        pixels[:4] = (255, 0, 0, 255)
        frame = av.VideoFrame.from_ndarray(pixels, "rgba")
        frame.pts = 0
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    (image,) = load_clip(buffer.getvalue()).frames
    assert (image.getpixel((0, 0)), image.getpixel((0, 7))) == ((255, 0, 0), (255, 255, 255))


ONE = 0x10000
TURNS = {  # a, b, c, d of the display matrix -> what a player does, in Pillow's words
    "none": ((ONE, 0, 0, ONE), lambda image: image),
    "a quarter clockwise": ((0, ONE, -ONE, 0), lambda image: image.rotate(-90, expand=True)),
    "half": ((-ONE, 0, 0, -ONE), lambda image: image.rotate(180)),
    "a quarter counter-clockwise": ((0, -ONE, ONE, 0), lambda image: image.rotate(90, expand=True)),
    "mirrored": ((-ONE, 0, 0, ONE), ImageOps.mirror),
    "upside down": ((ONE, 0, 0, -ONE), ImageOps.flip),
    "mirrored and a quarter": ((0, ONE, ONE, 0), lambda image: ImageOps.mirror(image.rotate(-90, expand=True))),
    "by 5 degrees": ((65287, 5712, -5712, 65287), lambda image: image),
}


@pytest.mark.parametrize("turn", TURNS)
def test_frames_come_upright(turn):
    (a, b, c, d), upright = TURNS[turn]
    stored = film(range(40), options={"g": "10"})
    at = stored.index(b"tkhd") + 44  # the matrix, 9 words, row by row
    matrix = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    clip = load_clip(stored[:at] + matrix + stored[at + 36 :], fps=3)
    plain = load_clip(stored, fps=3)
    expected = [upright(frame) for frame in plain.frames]
    assert clip.frame_indices == plain.frame_indices
    assert clip.original_size == expected[0].size
    for frame, want in zip(clip.frames, expected, strict=True):
        assert frame.tobytes() == want.tobytes()


def test_a_frame_is_turned_before_it_is_made_smaller():
    stored = film([0])
    at = stored.index(b"tkhd") + 44
    turned = stored[:at] + struct.pack(">9i", 0, ONE, 0, -ONE, 0, 0, 0, 0, 1 << 30) + stored[at + 36 :]
    asked = []
    clip = load_clip(turned, fit=lambda *shape: asked.append(shape) or (shape[1] // 2, shape[2] // 2))
    assert asked[-1] == (1, 64, 96)
    assert isinstance(clip.frames[0], Image.Image)
    assert clip.frames[0].size == (32, 48)
