"""A picture is decoded once for as long as nothing could have changed it."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from vi.inference.errors import SourceError
from vi.inference.media.image import load_picture
from vi.inference.media.picture_cache import PictureCache
from vi.inference.media.policy import MediaPolicy
from vi.inference.media.sources import expand

SIDE = 8
POLICY = MediaPolicy()


def item(source):
    (one,) = expand(source).items
    return one


def write(path, shade, age=60.0):
    """A picture of one shade, as if it had been written so many seconds ago."""
    Image.new("RGB", (SIDE, SIDE), (shade, 0, 0)).save(path)
    then = time.time() - age
    os.utime(path, (then, then))
    return path


def shade(picture):
    return picture.pixels.getpixel((0, 0))[0]


@pytest.fixture
def settled(monkeypatch):
    """The time when the files of a test were all written long ago."""
    now = time.time
    monkeypatch.setattr("vi.inference.media.picture_cache.time.time", lambda: now() + 60)


def test_a_file_is_decoded_once(tmp_path, settled):
    cache, path = PictureCache(), write(tmp_path / "a.png", 7)
    first, again = (cache.load(item(path), POLICY) for _ in range(2))
    assert first is again
    np.testing.assert_array_equal(first.pixels, load_picture(item(path)).pixels)
    assert (first.path, first.original_size) == (path, (SIDE, SIDE))


def test_a_file_that_was_changed_is_decoded_anew(tmp_path, settled):
    cache, path = PictureCache(), tmp_path / "a.bmp"
    for value in (7, 8, 9):  # of one size, and with times of modification that say nothing
        write(path, value)
        os.utime(path, (1.0, 1.0))
        assert shade(cache.load(item(path), POLICY)) == value
        time.sleep(0.02)


def test_a_file_that_took_anothers_place_is_decoded_anew(tmp_path, settled):
    cache, path = PictureCache(), write(tmp_path / "a.bmp", 7)
    cache.load(item(path), POLICY)
    write(tmp_path / "b.bmp", 8).replace(path)
    assert shade(cache.load(item(path), POLICY)) == 8


def test_a_file_of_this_moment_is_not_kept(tmp_path):
    cache, path = PictureCache(), write(tmp_path / "a.png", 7, age=0)
    assert cache.load(item(path), POLICY) is not cache.load(item(path), POLICY)


def test_equal_bytes_are_decoded_once(tmp_path):
    cache, content = PictureCache(), write(tmp_path / "a.png", 7).read_bytes()
    assert cache.load(item(content), POLICY) is cache.load(item(bytearray(content)), POLICY)


def test_what_a_caller_may_draw_into_is_never_kept():
    cache, pixels = PictureCache(), np.zeros((SIDE, SIDE, 3), np.uint8)
    for source in (pixels, Image.fromarray(pixels)):
        assert cache.load(item(source), POLICY) is not cache.load(item(source), POLICY)


def test_a_file_that_the_policy_does_not_allow_is_refused_also_where_it_is_known(tmp_path, settled):
    cache, path = PictureCache(), write(tmp_path / "a.png", 7)
    (other := tmp_path / "other").mkdir()
    cache.load(item(path), POLICY)
    for policy in (MediaPolicy(roots=(other,)), MediaPolicy(schemes=frozenset({"https"})), MediaPolicy(max_pixels=3)):
        with pytest.raises(SourceError):
            cache.load(item(path), policy)
    path.unlink()
    with pytest.raises(SourceError, match="leads to no file"):
        cache.load(item(tmp_path).__class__("file", path, "a.png"), POLICY)


def test_a_picture_at_another_size_is_another_one(tmp_path, settled):
    path = tmp_path / "a.jpg"
    Image.new("RGB", (800, 800)).save(path)
    cache = PictureCache()
    sizes = [cache.load(item(path), POLICY, most).pixels.size for most in (None, 100 * 100, None)]
    assert sizes == [(800, 800), (100, 100), (800, 800)]


def test_the_least_recently_used_are_out_first_and_none_is_larger_than_the_room(tmp_path, settled):
    cache = PictureCache(max_bytes=2 * 3 * SIDE**2)
    a, b, c = (item(write(tmp_path / f"{name}.png", 1)) for name in "abc")
    first, second = cache.load(a, POLICY), cache.load(b, POLICY)
    assert cache.load(a, POLICY) is first
    cache.load(c, POLICY)
    assert cache.load(a, POLICY) is first
    assert cache.load(b, POLICY) is not second
    tiny = PictureCache(max_bytes=3)
    assert tiny.load(a, POLICY) is not tiny.load(a, POLICY)


def test_many_threads_get_the_same_pixels(tmp_path, settled):
    items = [item(write(tmp_path / f"{value}.png", value)) for value in range(20)]
    cache = PictureCache(max_bytes=5 * 3 * SIDE**2)
    with ThreadPoolExecutor(8) as pool:
        for _ in range(5):
            assert [shade(picture) for picture in pool.map(lambda one: cache.load(one, POLICY), items)] == [*range(20)]
    assert cache._num_bytes == sum(3 * SIDE**2 for _ in cache._pictures) <= 5 * 3 * SIDE**2
