from __future__ import annotations

import base64
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from vi.inference.errors import SourceError
from vi.inference.media.policy import MediaPolicy
from vi.inference.media.sources import expand


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    folder = tmp_path / "shots"
    for name in ("img10.png", "img2.PNG", "sub/img1.jpg"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 3)).save(path)
    (folder / "notes.txt").write_text("not a picture")
    return folder


def only(source: object):
    sources = expand(source)
    assert len(sources.items) == 1
    return sources.items[0]


@pytest.mark.parametrize("as_type", [str, Path])
def test_a_file_is_one_source(shots, as_type):
    sources = expand(as_type(shots / "img10.png"))
    assert not sources.many
    (item,) = sources.items
    assert (item.kind, item.value, item.label) == ("file", shots / "img10.png", str(shots / "img10.png"))
    assert item.error is None


@pytest.mark.parametrize("as_type", [str, Path])
def test_a_folder_is_its_pictures_in_natural_order(shots, as_type):
    sources = expand(as_type(shots))
    assert sources.many
    assert [item.value.name for item in sources.items] == ["img2.PNG", "img10.png"]


def test_recursive_reaches_sub_folders(shots):
    names = [item.value.relative_to(shots).as_posix() for item in expand(shots, recursive=True).items]
    assert names == ["img2.PNG", "img10.png", "sub/img1.jpg"]


def test_a_list_keeps_its_order_and_expands_folders_in_place(shots):
    url = "https://example.org/a.png"
    sources = expand([url, shots, shots / "sub" / "img1.jpg"])
    assert sources.many
    assert [Path(item.label).name for item in sources.items] == ["a.png", "img2.PNG", "img10.png", "img1.jpg"]


def test_a_list_is_many_whatever_its_length(shots):
    assert expand([]).many
    assert expand([]).items == []
    assert expand([shots / "img10.png"]).many
    assert expand((str(shots / "img10.png"),)).many


def test_a_folder_without_pictures_is_one_error_that_says_so(tmp_path):
    (tmp_path / "a.txt").write_text("x")
    (tmp_path / "b.mp4").write_bytes(b"x")
    (tmp_path / ".hidden.png").write_bytes(b"x")
    sources = expand(tmp_path)
    assert sources.many
    (item,) = sources.items
    assert f"The folder {tmp_path} has no pictures (it has 1 video and 1 other file)." in str(item.error)
    assert "recursive=True" in str(item.error)


def test_a_missing_file_names_the_nearest_one(shots):
    item = only(shots / "img1O.png")
    assert str(item.error) == f"There is no file {shots / 'img1O.png'}. Did you mean img10.png?"


def test_a_missing_folder_is_named_with_the_nearest_one(shots):
    item = only(str(shots.parent / "shot" / "img10.png"))
    assert f"The folder {shots.parent / 'shot'} does not exist. Did you mean shots?" in str(item.error)


def test_a_bad_source_in_a_list_stays_in_its_place(shots):
    items = expand(["nowhere.png", shots / "img10.png", 7, ["a.png"], None]).items
    assert [item.error is not None for item in items] == [True, False, True, True, True]
    assert "int" in str(items[2].error)
    assert "A list inside a list" in str(items[3].error)


@pytest.mark.parametrize(
    ("url", "label"),
    [
        ("https://example.org/a/b.png", "https://example.org/a/b.png"),
        ("HTTPS://alice:hunter2@Example.org:8443/a.png?key=t0ken#x", "https://example.org:8443/a.png"),
        ("http://[::1]:80/a.png", "http://[::1]:80/a.png"),
        (" https://example.org/a.png\n", "https://example.org/a.png"),
    ],
)
def test_a_url_is_labelled_without_credentials_and_query(url, label):
    item = only(url)
    assert (item.kind, item.label, item.error) == ("url", label, None)


@pytest.mark.parametrize("url", ["ftp://alice:hunter2@host/a.png?t0ken", "javascript://x/a.png", "ssh://h/a.png"])
def test_other_schemes_are_refused_by_name(url):
    error = str(only(url).error)
    assert f"{url.partition(':')[0]} is not a scheme that the media policy allows" in error
    assert "hunter2" not in error
    assert "t0ken" not in error


def test_a_clip_is_known_by_its_name_or_its_first_bytes(tmp_path):
    clip = tmp_path / "run.MP4"
    clip.write_bytes(b"\0\0\0\x18ftypmp42")
    for source in (
        clip,
        "https://example.org/run.mp4?x=1",
        clip.read_bytes(),
        clip.open("rb"),
        "data:video/mp4;base64,",
    ):
        item = only(source)
        assert (item.is_clip, item.error) == (True, None)


def test_base64_and_data_uris_are_told_from_paths(encode):
    content = encode(Image.new("RGB", (40, 30), "red"))
    text = base64.b64encode(content).decode()
    raw, uri = only(text), only(f"data:image/png;base64,{text}")
    assert (raw.kind, raw.label) == ("base64", f"base64 ({len(content)} bytes)")
    assert (uri.kind, uri.label) == ("data", f"data:image/png ({len(content)} bytes)")


@pytest.mark.parametrize("format", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "AVIF"])
def test_the_smallest_picture_of_each_format_is_known_as_base64(encode, format):
    text = base64.b64encode(encode(Image.new("RGB", (1, 1)), format)).decode()
    assert only(text).kind == "base64"
    assert only(text.rstrip("=")[: len(text) // 2 + 20]).kind == "base64"


@pytest.mark.parametrize(
    "text",
    ["photo.png", "shots/holiday", "/mnt/data/projects/parts/lineA/shiftB/raw", "C:\\shots\\a.png", "not base64!!"],
)
def test_a_mistyped_path_is_taken_for_a_path(text):
    item = only(text)
    assert item.kind == "file"
    assert "There is no file" in str(item.error)


def test_a_file_whose_name_is_base64_is_a_file(tmp_path, monkeypatch, encode):
    monkeypatch.chdir(tmp_path)
    name = base64.urlsafe_b64encode(encode(Image.new("L", (1, 1)), "GIF")).decode()
    Path(name).write_bytes(b"x")
    assert only(name).kind == "file"


def test_pictures_in_memory_are_labelled_by_shape():
    assert only(Image.new("LA", (7, 5))).label == "PIL image (7x5 LA)"
    assert only(np.zeros((5, 7, 3), np.uint8)).label == "array (5x7x3 uint8)"
    assert only(b"x" * 12_000).label == "bytes (12 kB)"


odd_text = st.one_of(
    st.text(),
    st.text("@*?[]./\\~:%#{}ab\0", max_size=12),
    st.builds(
        str.__add__, st.sampled_from(["file:", "file://", "s3://", "data:", "http://", "@", "\u200bhttp://"]), st.text()
    ),
)


@given(
    st.one_of(odd_text, st.binary(), st.integers(), st.none(), st.lists(st.text(max_size=5), max_size=3)),
    st.sampled_from([MediaPolicy(), MediaPolicy.untrusted(), MediaPolicy(roots=["/nowhere"])]),
)
def test_anything_at_all_gives_short_printable_labels(source, policy):
    for item in expand(source, policy=policy).items:
        assert item.label.isprintable()
        assert len(item.label) <= 200
        assert item.error is None or isinstance(item.error, SourceError)


def test_a_file_url_is_its_file(shots):
    for url in (f"file://{shots}/img10.png", f"FILE:{shots}/img10.png", f"file://localhost{shots}/img10.png"):
        assert (only(url).kind, only(url).value) == ("file", shots / "img10.png")
    assert len(expand(f"file://{shots}").items) == 2
    assert "another machine" in str(only("file://host/a.png").error) or "this machine" in str(only("file://h/a").error)


def test_an_open_file_is_a_source(shots):
    with (shots / "img10.png").open("rb") as file:
        assert (only(file).kind, only(file).label) == ("stream", "open file img10.png")


@pytest.fixture
def probes(monkeypatch):
    """Every look at the file system is a failure."""

    def fail(*rest, **options):
        raise AssertionError("the file system was asked")

    for name in ("stat", "lstat", "open", "scandir", "listdir"):
        monkeypatch.setattr(f"os.{name}", fail)


@pytest.mark.parametrize(
    "text", ["/etc/passwd", "shots", "shots/*.png", "file:///etc/passwd", "@list.txt", "~/.ssh/id"]
)
def test_where_no_files_are_allowed_none_is_looked_for(probes, text):
    policy = MediaPolicy.untrusted()
    for source in (text, [text], *([] if text[0] in "@f" else [Path(text)])):
        (item,) = expand(source, policy=policy).items
        assert "the media policy allows no files of this machine" in str(item.error)


def test_base64_needs_no_files(probes, encode):
    text = base64.b64encode(encode(Image.new("RGB", (4, 3)))).decode()
    assert expand(text, policy=MediaPolicy.untrusted()).items[0].kind == "base64"


def test_below_a_root_folders_and_files_are_found(shots):
    policy = MediaPolicy(roots=[shots])
    assert [item.value.name for item in expand(shots, policy=policy).items] == ["img2.PNG", "img10.png"]
    assert expand(shots / "sub/img1.jpg", policy=policy).items[0].error is None
    assert "outside the folders" in str(expand(shots.parent, policy=policy).items[0].error)


def test_a_folder_below_a_root_does_not_list_what_its_links_lead_to(shots):
    (shots.parent / "secret").mkdir()
    (shots.parent / "secret" / "plans.png").touch()
    (shots / "out").symlink_to(shots.parent / "secret")
    items = expand(shots, recursive=True, policy=MediaPolicy(roots=[shots])).items
    assert not any("plans" in item.label for item in items)
    assert [item.label for item in items if item.error is not None] == [str(shots / "out")]


def test_a_data_uri_may_be_forbidden():
    assert "no data: URIs" in str(expand("data:,x", policy=MediaPolicy(schemes=["https"])).items[0].error)
