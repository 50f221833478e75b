from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vi.inference.media.lists import beside
from vi.inference.media.policy import MediaPolicy
from vi.inference.media.sources import expand


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    for name in ("one.png", "many/1.png", "many/2.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def listed(path: Path, text: str, policy: MediaPolicy | None = None):
    path.write_text(text, "utf-8")
    sources = expand(f"@{path}", policy=policy)
    assert sources.many
    return sources.items


def test_a_list_is_its_lines_in_order(shots):
    text = "\ufeff# today's\n\none.png\r\n  many/*.png\nhttps://example.org/a.png\nmany\ngone.png\n"
    items = listed(shots / "list.txt", text)
    names = ["one.png", "1.png", "2.png", "a.png", "1.png", "2.png", "gone.png"]
    assert [Path(item.label).name for item in items] == names
    assert [item.error is None for item in items] == [True] * 6 + [False]


def test_a_list_inside_a_list_of_sources_expands_in_place(shots):
    (shots / "list.txt").write_text("one.png\n")
    items = expand([shots / "many/1.png", f"@{shots / 'list.txt'}", shots / "many/2.png"]).items
    assert [item.value.name for item in items] == ["1.png", "one.png", "2.png"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("# nothing\n", "is empty"),
        ("@list.txt\n", "names another list in line 1"),
        ("a\0b", "line 1"),
    ],
)
def test_a_list_that_is_none_says_why(shots, text, said):
    assert said in str(listed(shots / "list.txt", text)[-1].error)


def test_a_picture_is_no_list(shots):
    (shots / "p.png").write_bytes(b"\x89PNG\r\n\x1a\n\xff\xfe\xfd")
    (item,) = expand(f"@{shots / 'p.png'}").items
    assert "not UTF-8 text" in str(item.error)


def test_a_list_that_is_missing_says_so(shots):
    (item,) = expand(f"@{shots / 'gone.txt'}").items
    assert "leads to no file" in str(item.error)


def test_a_list_obeys_the_policy(shots):
    rooted = MediaPolicy(roots=[shots], schemes=["file"])
    items = listed(shots / "list.txt", "one.png\n../x.png\n/etc/passwd\nhttp://h/a.png\n", rooted)
    assert [item.error is None for item in items] == [True, False, False, False]
    (item,) = listed(shots / "list.txt", "one.png\n", MediaPolicy.untrusted())
    assert "no files of this machine" in str(item.error)


@given(st.sampled_from(["http:", "https://h", "data:,", "s3://b", "FILE:/", "x.y+z://"]), st.text(max_size=10))
def test_a_url_is_never_taken_for_a_path_beside_the_list(start, rest):
    assert beside(Path("/srv/list.txt"), start + rest) == start + rest


def test_a_relative_path_counts_from_the_list():
    assert beside(Path("/srv/list.txt"), "a.png") == "/srv/a.png"
    assert beside(Path("/srv/list.txt"), "/b.png") == "/b.png"
