from __future__ import annotations

import time

import fsspec
import pytest
from PIL import Image

from vi.inference.errors import SourceError, SourceUnreachable
from vi.inference.media.image import load_picture
from vi.inference.media.policy import MediaPolicy
from vi.inference.media.sources import expand


@pytest.fixture
def memory(encode):
    store = fsspec.filesystem("memory")
    store.pipe_file("/vi-tests/a.png", encode(Image.new("RGB", (4, 3), "red")))
    store.pipe_file("/vi-tests/large.bin", b"x" * 2000)
    yield "memory://vi-tests"
    store.rm("/vi-tests", recursive=True)


def refused(url: str, policy: MediaPolicy | None = None) -> str:
    (item,) = expand(url, policy=policy).items
    with pytest.raises(SourceError) as caught:
        load_picture(item, policy)
    return str(caught.value)


@pytest.mark.parametrize("spelling", ["{}/a.png", "MEMORY{}/a.png"])
def test_a_store_is_read_by_url(memory, spelling):
    url = spelling.format(memory if spelling[0] == "{" else memory.removeprefix("memory"))
    (item,) = expand(url).items
    assert load_picture(item).original_size == (4, 3)


def test_what_is_not_there_says_so(memory):
    assert f"{memory}/gone.png is not there" in refused(f"{memory}/gone.png")


def test_a_file_over_the_limit_is_refused(memory):
    assert "has 2 kB; at most 1 kB" in refused(f"{memory}/large.bin", MediaPolicy(max_bytes=1000))


def test_chained_addresses_are_refused(memory, tmp_path):
    (tmp_path / "a.txt").write_text("secret")
    assert "chains several addresses" in refused(f"memory://x::file://{tmp_path}/a.txt")


def test_a_bucket_is_a_host_to_the_policy(memory):
    policy = MediaPolicy(hosts=["shots"])
    assert "does not allow its host" in refused(f"{memory}/a.png", policy)
    assert "is not a scheme that the media policy allows" in refused(f"{memory}/a.png", MediaPolicy.untrusted())


def test_a_client_that_is_not_installed_is_named(monkeypatch):
    def missing(url: str):
        raise ImportError("no module named s3fs")

    monkeypatch.setattr(fsspec, "url_to_fs", missing)
    assert "s3fs" in refused("s3://alice:hunter2@bucket/a.png?key=t0ken")


@pytest.mark.parametrize("error", [OSError("key t0ken is bad"), RuntimeError("hunter2"), PermissionError("t0ken")])
def test_what_a_client_says_is_not_repeated(monkeypatch, error):
    def failing(url: str):
        raise error

    monkeypatch.setattr(fsspec, "url_to_fs", failing)
    said = refused("s3://alice:hunter2@bucket/a.png?key=t0ken")
    assert "hunter2" not in said
    assert "t0ken" not in said


def test_a_client_that_hangs_is_left_behind(monkeypatch):
    monkeypatch.setattr(fsspec, "url_to_fs", lambda url: time.sleep(5))
    (item,) = expand("s3://bucket/a.png").items
    with pytest.raises(SourceUnreachable, match=r"not complete after 0\.1 s"):
        load_picture(item, MediaPolicy(timeout=0.1))
