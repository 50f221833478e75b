from __future__ import annotations

import io
import os

import pytest

from vi.inference.media.web_cache import WebCache, key


def kept(cache: WebCache, url: str) -> bytes | None:
    entry = cache.find(url)
    if entry is None:
        return None
    into = io.BytesIO()
    entry.copy_to(into)
    entry.close()
    return into.getvalue()


def keep(cache: WebCache, url: str, body: bytes) -> None:
    cache.keep(url, key(url), '"v1"', io.BytesIO(body), len(body))


def test_a_body_comes_back_with_its_tag(tmp_path):
    cache = WebCache(tmp_path / "cache", 10_000)
    keep(cache, "http://h/a", b"body")
    assert kept(cache, "http://h/a") == kept(cache, "http://h/a#part") == b"body"
    assert kept(cache, "http://h/b") is None


def test_the_least_recently_used_make_room(tmp_path):
    cache = WebCache(tmp_path, 1000)
    for i in range(3):
        keep(cache, f"http://h/{i}", b"x" * 200)
        os.utime(tmp_path / key(f"http://h/{i}"), (i, i))
    assert kept(cache, "http://h/0") is not None  # and is now the latest used
    keep(cache, "http://h/3", b"x" * 200)
    assert [kept(cache, f"http://h/{i}") is not None for i in range(4)] == [True, False, True, True]
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 1000


def test_a_body_larger_than_the_cache_is_not_kept(tmp_path):
    cache = WebCache(tmp_path, 100)
    keep(cache, "http://h/a", b"x" * 101)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]\n", b'{"etag": 1', b'{"etag": "v", "final": "f", "size": 9}\nshort']
)
def test_a_damaged_entry_is_none(tmp_path, content):
    cache = WebCache(tmp_path, 1000)
    (tmp_path / key("http://h/a")).write_bytes(content)
    assert cache.find("http://h/a") is None


def test_an_open_entry_survives_its_removal(tmp_path):
    cache = WebCache(tmp_path, 1000)
    keep(cache, "http://h/a", b"body")
    entry = cache.find("http://h/a")
    (tmp_path / key("http://h/a")).unlink()
    into = io.BytesIO()
    entry.copy_to(into)
    entry.close()
    assert into.getvalue() == b"body"


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path):
    (tmp_path / "file").write_text("in the way")
    cache = WebCache(tmp_path / "file" / "cache", 1000)
    keep(cache, "http://h/a", b"body")
    assert cache.find("http://h/a") is None
