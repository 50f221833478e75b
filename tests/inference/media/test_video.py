from __future__ import annotations

import io
import struct
import time
import tracemalloc
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.inference.media.films import decode_all, film, melody, pick

from vi.inference.errors import ConfigError, SourceError
from vi.inference.media.policy import MediaPolicy
from vi.inference.media.sources import expand
from vi.inference.media.video import load_clip

UNEVEN = [0, 1, 2, 10, 11, 40, 41, 42, 43, 90, 91, 120, 240, 241, 242]
SHORT_GOP = {"g": "12", "bf": "2"}
OPEN_GOP = {"x264-params": "keyint=12:min-keyint=12:bframes=3:open-gop=1:scenecut=0:b-pyramid=normal"}

FILMS: dict[str, Callable[[], bytes]] = {
    "constant rate": lambda: film(range(90), options={"g": "250"}),
    "b-frames, short groups": lambda: film(range(120), options=SHORT_GOP),
    "open groups": lambda: film(range(120), options=OPEN_GOP),
    "open groups in a transport stream": lambda: film(range(120), options=OPEN_GOP, container="mpegts"),
    "variable rate": lambda: film(UNEVEN, options={"bf": "0"}),
    "variable rate, b-frames, milliseconds": lambda: film(UNEVEN, container="matroska", options=SHORT_GOP),
    "offset start": lambda: film(range(60), container="mpegts", start=900),
    "offset start in an edit list": lambda: film(range(60), start=45, options=SHORT_GOP),
    "one frame": lambda: film([0]),
    "no duration": lambda: film(range(60), container="matroska", muxing={"live": "1"}),
    "fragments": lambda: film(range(60), muxing={"movflags": "frag_keyframe+empty_moov"}, options=SHORT_GOP),
    "one second at 24000/1001": lambda: film(range(24), time_base=Fraction(1001, 24000), rate=24),
    "hevc": lambda: film(range(60), codec="libx265", options={"x265-params": "log-level=none:keyint=20:pools=1"}),
    "vp9": lambda: film(range(40), codec="libvpx-vp9", container="webm", options={"g": "10", "cpu-used": "8"}),
    "vp8 with hidden frames": lambda: film(
        range(60), codec="libvpx", container="webm", options={"auto-alt-ref": "1", "lag-in-frames": "16"}
    ),
    "av1": lambda: film(range(40), codec="libsvtav1", options={"preset": "12", "svtav1-params": "keyint=16"}),
    "mpeg-4 in avi": lambda: film(range(60), codec="mpeg4", container="avi", options=SHORT_GOP),
    "mpeg-2": lambda: film(range(60), codec="mpeg2video", container="mpeg", options=SHORT_GOP),
    "flv": lambda: film(range(60), container="flv", options=SHORT_GOP),
    "windows media": lambda: film(range(60), codec="wmv2", container="asf"),
    "with sound": lambda: film(range(60), sound=True),
    "a recording that begins in mid group": lambda: film(
        range(120), options=OPEN_GOP, container="mpegts", size=(320, 240)
    )[188 * 40 :],
    "interlaced": lambda: film(range(60), options={**SHORT_GOP, "flags": "+ildct+ilme", "x264-params": "tff=1"}),
    "a picture a frame": lambda: film(range(30), codec="mjpeg", container="avi", pixels="yuvj420p"),
    "ten minutes": lambda: film(range(0, 18000, 30), options={"g": "40"}, size=(32, 32)),
}


@pytest.fixture(scope="module")
def content() -> Callable[[str], bytes]:
    made: dict[str, bytes] = {}

    def get(name: str) -> bytes:
        if name not in made:
            made[name] = FILMS[name]()
        return made[name]

    return get


@pytest.mark.parametrize("fps", [Fraction(1, 3), Fraction(1), Fraction(4), Fraction(60)], ids=str)
@pytest.mark.parametrize("name", FILMS)
def test_frames_are_those_that_decoding_everything_and_picking_by_time_gives(content, name, fps):
    times, frames = decode_all(content(name))
    clip = load_clip(content(name), fps=float(fps), max_frames=len(frames))
    expected = pick(times, Fraction(clip.duration), fps)
    assert clip.frame_indices == expected
    assert clip.timestamps == pytest.approx([float(times[number]) for number in expected], abs=1e-9)
    assert all((np.asarray(clip.frames[at]) == frames[number]).all() for at, number in enumerate(expected))
    assert clip.source_fps == pytest.approx(len(frames) / clip.duration)
    assert clip.effective_fps == pytest.approx(len(expected) / clip.duration)
    assert clip.duration > float(times[-1])


def test_a_stream_without_any_times_is_taken_at_its_rate():
    clip = load_clip(film(range(50), container="h264", options={"bf": "2"}), fps=5)
    assert clip.frame_indices == list(range(0, 50, 5))  # FFmpeg takes such streams at 25 frames a second


def test_an_edit_list_that_cuts_off_the_beginning_starts_the_clock_there():
    whole, cut = film(range(60), options=SHORT_GOP), cut_beginning(film(range(60), options=SHORT_GOP), 20)
    clip, everything = load_clip(cut, fps=30), load_clip(whole, fps=30)
    assert clip.timestamps[0] == 0
    assert len(clip.frames) == len(decode_all(cut)[0]) == 40
    assert clip.frames[0].tobytes() == everything.frames[20].tobytes()


def cut_beginning(content: bytes, frames: int) -> bytes:
    """The same MP4 with its edit list's media time moved on by so many frames."""
    at = content.index(b"elst") + 4
    version_flags, count = content[at : at + 4], int.from_bytes(content[at + 4 : at + 8], "big")
    assert (version_flags, count) == (bytes(4), 1)
    media_time = int.from_bytes(content[at + 12 : at + 16], "big") + frames * 512  # 15,360 ticks a second
    length = int.from_bytes(content[at + 8 : at + 12], "big") - frames * 1000 // 30
    return content[: at + 8] + length.to_bytes(4, "big") + media_time.to_bytes(4, "big") + content[at + 16 :]


@pytest.mark.parametrize(("limit", "most"), [({"max_frames": 7}, 7), ({"max_pixels": 5 * 96 * 64}, 5)])
def test_a_limit_leaves_frames_spread_evenly_and_says_so(content, limit, most):
    clip = load_clip(content("constant rate"), fps=30, **limit)
    assert len(clip.frames) == most
    assert np.ptp(np.diff([*clip.frame_indices, 90])) <= 1
    (warning,) = clip.warnings
    assert next(iter(limit)) in warning
    assert "90" in warning
    assert load_clip(content("constant rate"), fps=2).warnings == []


def test_frames_can_be_made_smaller_as_they_come(content):
    plain = load_clip(content("constant rate"), fps=2)
    seen = []
    clip = load_clip(content("constant rate"), fps=2, fit=lambda *asked: seen.append(asked) or (32, 16))
    assert set(seen) == {(6, 96, 64)}
    for small, full in zip(clip.frames, plain.frames, strict=True):
        assert small.tobytes() == full.resize((32, 16), Image.Resampling.BICUBIC).tobytes()
    assert clip.original_size == plain.original_size == (96, 64)


def test_only_the_frames_taken_are_in_memory():
    content = film(range(200), size=(640, 480), options={"preset": "ultrafast"})
    tracemalloc.start()
    clip = load_clip(content, fps=1, fit=lambda *_: (64, 48))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(clip.frames) == 7
    assert peak < 6 * 640 * 480 * 3


def test_a_path_its_content_and_an_open_file_are_the_same_clip(content, tmp_path: Path):
    path = tmp_path / "a b.mp4"
    path.write_bytes(content("with sound"))
    with path.open("rb") as file:
        clips = [
            load_clip(way, fps=3)
            for way in (path, str(path), path.read_bytes(), io.BytesIO(path.read_bytes()), file, *expand(path).items)
        ]
        assert not file.closed
    assert len({(tuple(clip.frame_indices), b"".join(frame.tobytes() for frame in clip.frames)) for clip in clips}) == 1


def refused(source: object, **limits: object) -> str:
    with pytest.raises(SourceError) as caught:
        load_clip(source, **limits)
    return str(caught.value)


def test_what_is_no_clip_is_refused_with_the_reason(content, tmp_path: Path):
    assert "only sound" in refused(melody())
    assert "empty" in refused(b"")
    assert "text" in refused(b"hello, this is no clip at all" * 20)
    assert "SVG" in refused(b"<svg xmlns='http://www.w3.org/2000/svg'></svg>")
    assert "no file" in refused(tmp_path / "absent.mp4")
    assert "a folder" in refused(tmp_path)
    assert "damaged" in refused(bytes(range(256)) * 40)


INDEX_FIRST = {"movflags": "faststart"}


@pytest.mark.parametrize("part", [0.02, 0.3, 0.6, 0.9])
@pytest.mark.parametrize("container", ["mp4", "mp4 with its index first", "matroska", "avi", "flv"])
def test_a_clip_that_is_cut_off_is_refused(container, part):
    container, *index_first = container.split(" with ")
    whole = film(range(300), container=container, muxing=INDEX_FIRST if index_first else {}, options=SHORT_GOP)
    said = refused(whole[: int(part * len(whole))])
    assert "cut off" in said
    if part > 0.3 and container != "avi" and (index_first or container != "mp4"):
        assert "10.0 s long" in said or "10.1 s long" in said


def test_a_clip_that_ends_long_before_it_says_is_refused():
    honest = film(range(90), container="matroska")
    at = honest.index(b"\x44\x89\x88") + 3  # Duration, 8 bytes
    lie = honest[:at] + struct.pack(">d", 3_600_000.0) + honest[at + 8 :]
    assert "says that it is 3600.0 s long, but ends after 3.0 s" in refused(lie)


def test_a_length_in_the_head_that_its_frames_contradict_changes_nothing(content):
    lie = content("constant rate")
    for box, at in ((b"mvhd", 16), (b"tkhd", 20), (b"mdhd", 16)):
        at += lie.index(box) + 4
        lie = lie[:at] + (3_600_000).to_bytes(4, "big") + lie[at + 4 :]
    assert load_clip(lie, fps=1).frame_indices == [0, 30, 60]


@pytest.mark.parametrize("name", ["b-frames, short groups", "vp9", "mpeg-2", "open groups in a transport stream"])
def test_damage_gives_frames_or_a_typed_error(content, name):
    random = np.random.default_rng(0)
    whole = np.frombuffer(content(name), np.uint8)
    for _ in range(25):
        damaged = whole.copy()
        places = random.integers(0, len(whole), random.integers(1, 30))
        damaged[places] ^= (1 << random.integers(0, 8, len(places))).astype(np.uint8)
        try:
            clip = load_clip(damaged.tobytes(), fps=2)
        except SourceError:
            continue
        assert clip.frames
        assert len(clip.frames) == len(clip.timestamps) == len(clip.frame_indices)


def test_a_time_limit_ends_the_work(content):
    assert "took longer" in refused(content("constant rate"), policy=MediaPolicy(clip_decode_timeout=1e-9))


class Trickle(io.BytesIO):
    """A file that gives a byte at a time, slowly."""

    def read(self, size: int | None = -1) -> bytes:
        time.sleep(0.001)
        return super().read(1)


class Endless(io.BytesIO):
    """A file that begins as one does and never ends."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(size) or bytes(1000)


@pytest.mark.parametrize("kind", [Trickle, Endless])
@pytest.mark.parametrize("name", ["open groups in a transport stream", "mpeg-2"])
def test_a_file_that_is_slow_or_endless_is_bounded_in_time(content, name, kind):
    assert "took longer" in refused(kind(content(name)), policy=MediaPolicy(clip_decode_timeout=0.3))


def test_more_pixels_than_are_decoded_are_refused(content):
    assert "96 x 64 = 6,144 pixels" in refused(content("constant rate"), policy=MediaPolicy(max_pixels=6143))
    assert load_clip(content("constant rate"), policy=MediaPolicy(max_pixels=6144)).frames


def test_a_playlist_reads_no_other_file(content, tmp_path: Path):
    secret = tmp_path / "secret.ts"
    secret.write_bytes(content("open groups in a transport stream"))
    playlists = [
        f"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n{secret}\n#EXT-X-ENDLIST\n",
        f"ffconcat version 1.0\nfile '{secret}'\n",
        f"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nfile://{secret}\n#EXT-X-ENDLIST\n",
    ]
    for playlist in playlists:
        (tmp_path / "list.m3u8").write_text(playlist)
        assert "not a clip" in refused(tmp_path / "list.m3u8")
        assert "not a clip" in refused(playlist.encode("utf-16"))
        assert "not a clip" in refused(b"\x00" + playlist.encode())


@pytest.mark.parametrize(
    "limit", [{"fps": 0}, {"fps": -1.0}, {"fps": float("nan")}, {"fps": "4"}, {"max_frames": 0}, {"max_pixels": 1.5}]
)
def test_limits_that_are_not_allowed_are_told(content, limit):
    with pytest.raises(ConfigError, match=next(iter(limit))):
        load_clip(content("one frame"), **limit)
