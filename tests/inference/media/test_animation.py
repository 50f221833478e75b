from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageSequence

from vi.inference.errors import SourceError
from vi.inference.media.policy import MediaPolicy
from vi.inference.media.video import load_clip

DURATIONS = [100, 40, 0, 10, 500, 1000, 20, 330]  # milliseconds, as stored
SHOWN = [0.1, 0.04, 0.1, 0.1, 0.5, 1.0, 0.02, 0.33]  # as browsers show them


def pictures(count: int, size: tuple[int, int] = (40, 30)) -> list[Image.Image]:
    random = np.random.default_rng(0)
    return [Image.fromarray(random.integers(0, 256, (size[1], size[0], 3), np.uint8)) for _ in range(count)]


def animated(format: str, durations: list[int] = DURATIONS) -> bytes:
    first, *rest = pictures(len(durations))
    buffer = io.BytesIO()
    options = {"lossless": True} if format == "WEBP" else {}
    first.save(buffer, format, save_all=True, append_images=rest, duration=durations, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG"])
def test_an_animation_is_a_clip_with_the_times_that_browsers_give_it(format):
    content = animated(format)
    clip = load_clip(content, fps=1000)
    assert clip.timestamps == pytest.approx([0, *np.cumsum(SHOWN)[:-1]])
    assert clip.duration == pytest.approx(sum(SHOWN))
    with Image.open(io.BytesIO(content)) as image:
        for frame, stored in zip(clip.frames, ImageSequence.Iterator(image), strict=True):
            assert frame.tobytes() == stored.convert("RGB").tobytes()


@pytest.mark.parametrize("format", ["GIF", "WEBP"])
def test_frames_of_an_animation_are_chosen_by_time(format):
    clip = load_clip(animated(format), fps=2)  # 0, 0.5, 1, 1.5, 2 s of 2.19
    assert clip.frame_indices == [0, 4, 5, 7]
    assert load_clip(animated(format), fps=2, max_frames=2).frame_indices == [0, 5]


def test_what_is_transparent_in_every_frame_is_white():
    clear = [Image.new("RGBA", (8, 8), (0, 0, 0, 0)) for _ in range(3)]
    for number, image in enumerate(clear):
        image.putpixel((number, 0), (255, 0, 0, 255))
    buffer = io.BytesIO()
    clear[0].save(buffer, "WEBP", save_all=True, append_images=clear[1:], duration=100, lossless=True)
    for number, frame in enumerate(load_clip(buffer.getvalue(), fps=10).frames):
        assert frame.getpixel((number, 0)) == (255, 0, 0)
        assert frame.getpixel((7, 7)) == (255, 255, 255)


@pytest.mark.parametrize("format", ["PNG", "JPEG", "GIF", "WEBP"])
def test_a_still_picture_is_a_clip_of_one_frame(format):
    buffer = io.BytesIO()
    pictures(1)[0].save(buffer, format)
    clip = load_clip(buffer.getvalue())
    assert (clip.frame_indices, clip.timestamps, len(clip.frames)) == ([0], [0.0], 1)


def test_a_still_picture_comes_upright():
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    pictures(1)[0].save(buffer, "JPEG", exif=exif)
    clip = load_clip(buffer.getvalue())
    assert (clip.frames[0].size, clip.original_size) == ((30, 40), (30, 40))


def endless_gif(count: int) -> bytes:
    """A GIF of so many frames, each of 4 x 4 pixels for 10 hundredths of a second."""
    buffer = io.BytesIO()
    Image.new("P", (4, 4)).save(buffer, "GIF")
    content = buffer.getvalue()
    head, body = content[: content.index(b",")], content[content.index(b",") : -1]
    return head + (b"!\xf9\x04\x00\x0a\x00\x00\x00" + body) * count + b";"


def test_a_long_animation_is_bounded_in_frames():
    clip = load_clip(endless_gif(3000), fps=10, max_frames=16)
    assert len(clip.frames) == 16
    assert clip.duration == pytest.approx(300)
    assert "max_frames=16" in clip.warnings[0]


@pytest.mark.slow
def test_an_animation_of_a_hundred_thousand_frames_comes_to_an_end():
    assert len(load_clip(endless_gif(100_000), fps=1).frames) == 768


def test_an_endless_animation_is_bounded_in_time():
    with pytest.raises(SourceError, match="took longer"):
        load_clip(endless_gif(100_000), policy=MediaPolicy(clip_decode_timeout=0.2))


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG"])
@pytest.mark.parametrize("part", [0.01, 0.3, 0.7, 0.95])
def test_an_animation_that_is_cut_off_is_refused(format, part):
    content = animated(format)
    with pytest.raises(SourceError):
        load_clip(content[: int(part * len(content))])
