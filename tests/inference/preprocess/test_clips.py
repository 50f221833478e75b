from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from vi.inference.errors import LoadError, PromptError
from vi.inference.media.clip import Clip
from vi.inference.preprocess.clip_families import CLIP_FAMILIES
from vi.inference.preprocess.clip_positions import clip_positions
from vi.inference.preprocess.clips import ClipEncoder, read_clips
from vi.inference.preprocess.frame_texts import frame_texts
from vi.inference.preprocess.picture_settings import read_settings
from vi.inference.preprocess.positions import mrope_positions
from vi.inference.preprocess.qwen_pixels import QwenPixels

SMALL = {"size": {"shortest_edge": 4 * 28 * 28, "longest_edge": 16 * 28 * 28}}


def clip_of(count: int, size: tuple[int, int] = (120, 80), every: float = 0.5, seed: int = 0) -> Clip:
    random = np.random.default_rng(seed)
    pictures = [random.integers(0, 256, (size[1], size[0], 3), np.uint8) for _ in range(count)]
    return Clip.of(pictures, [every * number for number in range(count)])


def encoder(family: str = "qwen2_5_vl", **settings: object) -> ClipEncoder:
    return ClipEncoder({**SMALL, **settings}, CLIP_FAMILIES[family])


def test_a_clip_of_one_frame_is_what_the_picture_processor_makes_of_it():
    clip = clip_of(1)
    encoded = encoder().encode(clip)
    expected = QwenPixels(SMALL).encode(clip.frames).arrays
    assert (encoded.arrays["pixel_values_videos"] == expected["pixel_values"]).all()
    assert (encoded.arrays["video_grid_thw"] == expected["image_grid_thw"]).all()
    assert encoded.seen_size == (encoded.grid[2] * 14, encoded.grid[1] * 14)


@pytest.mark.parametrize("count", [1, 2, 5, 6])
@pytest.mark.parametrize("family", CLIP_FAMILIES)
def test_patches_are_cut_as_the_processors_cut_them(family, count):
    """Against one reshape of all frames, as the processors' documentation has it."""
    clip, maker = clip_of(count), encoder(family)
    encoded = maker.encode(clip)
    side, (mean, std) = (14, _CLIP) if family.startswith("qwen2") else (16, _HALF)
    frames = [np.asarray(frame.resize(encoded.seen_size, Image.Resampling.BICUBIC)) for frame in clip.frames]
    frames += [frames[-1]] * (count % 2)
    values = (np.stack(frames) / 255 - mean) / std  # [T, H, W, 3]
    time, rows, columns = encoded.grid
    cut = values.transpose(0, 3, 1, 2).reshape(time, 2, 3, rows // 2, 2, side, columns // 2, 2, side)
    expected = cut.transpose(0, 3, 6, 4, 7, 2, 1, 5, 8).reshape(time * rows * columns, -1)
    got = encoded.arrays["pixel_values_videos"]
    assert got.dtype == np.float32
    assert got.flags.c_contiguous
    np.testing.assert_allclose(got, expected, atol=1e-5)
    assert encoded.arrays["video_grid_thw"].tolist() == [[time, rows, columns]]


_CLIP = np.array([0.48145466, 0.4578275, 0.40821073]), np.array([0.26862954, 0.26130258, 0.27577711])
_HALF = 0.5, 0.5


@pytest.mark.parametrize("count", [1, 4, 7])
@pytest.mark.parametrize("family", CLIP_FAMILIES)
def test_frames_that_were_resized_on_the_way_in_encode_alike(family, count):
    clip, maker = clip_of(count), ClipEncoder({}, CLIP_FAMILIES[family])
    size = maker.fit(count, *clip.original_size)
    small = [frame.resize(size, Image.Resampling.BICUBIC) for frame in clip.frames]
    there, here = maker.encode(replace(clip, frames=small)), maker.encode(clip)
    assert (there.arrays["pixel_values_videos"] == here.arrays["pixel_values_videos"]).all()
    assert (there.key, there.seen_size) == (here.key, size)


def test_the_key_tells_clips_apart():
    maker = encoder()
    keys = {maker.encode(clip_of(count, seed=seed)).key for count in (1, 2, 3, 4) for seed in (0, 1)}
    assert len(keys) == 8


SIZES = st.integers(17, 3000)


@given(
    count=st.integers(1, 400), width=SIZES, height=SIZES, capped=st.booleans(), family=st.sampled_from([*CLIP_FAMILIES])
)
def test_frames_fit_the_patches_and_the_bounds(count, width, height, capped, family):
    if max(width, height) / min(width, height) > 150:
        return
    maker = ClipEncoder({"cap_pixels_per_frame": capped}, CLIP_FAMILIES[family])
    wide, high = maker.fit(count, width, height)
    factor = 28 if family.startswith("qwen2") else 32
    assert wide % factor == high % factor == 0
    most = 768 * factor**2
    if family.startswith("qwen2"):
        assert wide * high <= most
    elif not capped and count * factor * max(wide, high) < most:
        assert count * wide * high <= most * 1.5  # an odd number of frames is rounded to whole patches


def test_a_shape_that_is_too_long_is_told():
    with pytest.raises(PromptError, match="6000x20"):
        encoder().fit(4, 6000, 20)


def test_times_are_half_way_through_each_patch_and_the_text_says_them():
    maker = encoder("qwen3_vl")
    encoded = maker.encode(clip_of(5, every=0.4))
    assert encoded.times == pytest.approx((0.2, 1.0, 1.6))
    text = maker.text(encoded, "<s>", "p", "<e>")
    places = "p" * (encoded.grid[1] * encoded.grid[2] // 4)
    assert text == "".join(f"<{time} seconds><s>{places}<e>" for time in ("0.2", "1.0", "1.6"))
    assert maker.runs(encoded) == [(1, *encoded.grid[1:])] * 3
    assert maker.interval(encoded, 2) == 1


def test_qwen2_families_have_one_run_and_only_the_later_counts_seconds():
    for family, interval in (("qwen2_vl", 1.0), ("qwen2_5_vl", 4 * 2 * 0.25)):
        maker = encoder(family)
        encoded = maker.encode(clip_of(6, every=0.25))
        assert encoded.seconds_per_grid == pytest.approx(0.5)
        assert (
            maker.text(encoded, "<s>", "p", "<e>") == "<s>" + "p" * (3 * encoded.grid[1] * encoded.grid[2] // 4) + "<e>"
        )
        assert maker.runs(encoded) == [encoded.grid]
        assert maker.interval(encoded, 4) == pytest.approx(interval)


def test_settings_come_from_where_transformers_takes_them(tmp_path: Path):
    def write(name: str, value: object) -> None:
        (tmp_path / name).write_text(json.dumps(value), encoding="utf-8")

    assert read_settings(tmp_path, "video_processor") == {}
    write("preprocessor_config.json", {"min_pixels": 3136, "max_pixels": 12845056, "do_resize": None})
    assert read_settings(tmp_path, "video_processor") == {"min_pixels": 3136, "max_pixels": 12845056}
    maker = read_clips(tmp_path, "qwen2_5_vl")
    assert maker is not None
    assert maker.fit(2, 1920, 1080) == (1932, 1092)
    write("processor_config.json", {"image_processor": {}})
    write("video_preprocessor_config.json", {"size": {"longest_edge": 4096}})
    assert read_settings(tmp_path, "video_processor") == {"size": {"longest_edge": 4096}}
    write("processor_config.json", {"video_processor": {"patch_size": 16}})
    assert read_settings(tmp_path, "video_processor") == {"patch_size": 16}
    assert read_clips(tmp_path, "smolvlm") is None
    (tmp_path / "processor_config.json").write_text("[", encoding="utf-8")
    with pytest.raises(LoadError, match="video processor"):
        read_clips(tmp_path, "qwen3_vl")


PARTS = st.lists(st.integers(1, 5) | st.tuples(st.integers(1, 4), st.integers(1, 4)), min_size=1, max_size=6)


@given(parts=PARTS)
def test_a_clip_of_one_patch_stands_where_a_picture_does(parts):
    ids: list[int] = [9]
    grids = []
    for part in parts:
        if isinstance(part, int):
            ids += [10] * part
        else:
            ids += [7] * (part[0] * part[1]) + [11]
            grids.append((1, part[0] * 2, part[1] * 2))
    assert (clip_positions(ids, 7, grids, 2, 3.5) == mrope_positions(ids, 7, grids, 2)).all()


def test_positions_are_those_of_the_paper():
    """Three temporal patches of 2 x 2 places, 50 apart: the example of Qwen2.5-VL's own code."""
    positions = clip_positions([7] * 12 + [1] * 5, 7, [(3, 4, 4)], 2, 25 * 2 / 1)
    assert positions[0].tolist() == [0] * 4 + [50] * 4 + [100] * 4 + [101, 102, 103, 104, 105]
    assert positions[1].tolist() == [0, 0, 1, 1] * 3 + [101, 102, 103, 104, 105]
    assert positions[2].tolist() == [0, 1, 0, 1] * 3 + [101, 102, 103, 104, 105]


def test_frames_as_pictures_have_their_times_in_words():
    texts = frame_texts(Clip.of([np.zeros((4, 4, 3), np.uint8)] * 3, [0, 65, 130]))
    assert texts.intro == "You are provided the following series of 3 frames from a 0:03:15 [H:MM:SS] video.\n"
    assert texts.times == ["\nFrame from 00:00:", "\nFrame from 01:05:", "\nFrame from 02:10:"]
    assert texts.outro == "\n\n"
    dense = frame_texts(Clip.of([np.zeros((4, 4, 3), np.uint8)] * 3, [0, 0.25, 61]))
    assert dense.times == ["\nFrame from 00:00.0:", "\nFrame from 00:00.2:", "\nFrame from 01:01.0:"]
