from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from vi.inference.errors import SourceError
from vi.inference.media.clip import Clip
from vi.inference.media.clip_manifest import ClipManifest

PICTURES = [Image.new("RGB", (6, 4), colour) for colour in ("red", "green", "blue")]


def test_pictures_with_times_are_a_clip():
    clip = Clip.of(PICTURES, [10, 12.5, 13])
    assert clip.timestamps == [0, 2.5, 3]
    assert clip.duration == 4.5
    assert clip.frame_indices == [0, 1, 2]
    assert clip.effective_fps == clip.source_fps == pytest.approx(3 / 4.5)
    assert [frame.tobytes() for frame in clip.frames] == [picture.tobytes() for picture in PICTURES]
    assert clip.original_size == (6, 4)


def test_arrays_and_other_modes_become_rgb():
    clip = Clip.of([np.zeros((4, 6), np.uint8), Image.new("RGBA", (6, 4), (0, 0, 0, 0))], [0, 1])
    assert [frame.mode for frame in clip.frames] == ["RGB", "RGB"]
    assert clip.frames[1].getpixel((0, 0)) == (255, 255, 255)


def test_pictures_come_upright_as_sources_do():
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    PICTURES[0].save(buffer, "JPEG", exif=exif)
    clip = Clip.of([buffer.getvalue(), Image.open(buffer)], [0, 1])
    assert [frame.size for frame in clip.frames] == [(4, 6), (4, 6)]


def test_a_single_picture_has_a_length():
    assert Clip.of(PICTURES[:1], [3]).duration > 0


@pytest.mark.parametrize(
    ("pictures", "times", "why"),
    [
        ([], [], "0 pictures"),
        (PICTURES, [0, 1], "3 pictures with 2 times"),
        (PICTURES, [0, 1, 1], "do not rise"),
        (PICTURES, [0, 2, 1], "do not rise"),
        (PICTURES, [0, 1, float("nan")], "do not rise"),
        (["a.png"], [0], "not a source"),
    ],
)
def test_what_is_no_clip_is_told(pictures, times, why):
    with pytest.raises(SourceError, match=why):
        Clip.of(pictures, times)


def test_the_manifest_says_what_was_seen():
    manifest = Clip.of(PICTURES, [0, 1, 2]).manifest
    assert manifest.model_dump() == {
        "duration": 3.0, "source_fps": 1.0, "effective_fps": 1.0, "frame_indices": [0, 1, 2], "timestamps": [0, 1, 2],
    }  # fmt: skip
    assert ClipManifest.model_validate_json(manifest.model_dump_json()) == manifest
