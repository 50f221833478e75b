from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vi.inference.media.folders import list_media, natural_key, nearest_name
from vi.inference.media.policy import MediaPolicy
from vi.inference.media.sources import expand

links = pytest.mark.skipif(sys.platform == "win32", reason="symbolic links need a privilege there")


def names(folder: Path, recursive: bool = True) -> list[str]:
    listing = list_media(folder, MediaPolicy(), depth=99 if recursive else 1)
    return [entry.path.relative_to(folder).as_posix() for entry in listing.entries]


def touch(folder: Path, *paths: str) -> None:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).touch()


@given(st.lists(st.integers(0, 10**6), unique=True))
def test_natural_order_is_the_numbers_order(numbers):
    by_name = sorted((f"img{n}.png" for n in numbers), key=natural_key)
    assert by_name == [f"img{n}.png" for n in sorted(numbers)]


@given(st.lists(st.text()))
def test_any_names_can_be_ordered(some):
    assert sorted(sorted(some, key=natural_key, reverse=True), key=natural_key) == sorted(some, key=natural_key)


def test_hidden_and_unknown_files_are_skipped_and_counted(tmp_path):
    touch(tmp_path, "a.png", ".b.png", ".git/c.png", "d.txt", "e", "f.mov", "g.JPEG")
    listing = list_media(tmp_path, MediaPolicy(), depth=2)
    assert [entry.path.name for entry in listing.entries] == ["a.png", "g.JPEG"]
    assert (listing.num_clips, listing.num_others) == (1, 2)


@links
def test_loops_of_links_end_and_no_picture_comes_twice(tmp_path):
    touch(tmp_path, "a/1.png", "b/2.png")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "b" / "other").symlink_to(tmp_path / "a")
    (tmp_path / "self").symlink_to(tmp_path / "self")
    (tmp_path / "self.png").symlink_to(tmp_path / "self.png")
    assert names(tmp_path) == ["a/1.png", "b/2.png", "self.png"]


def test_an_unreadable_sub_folder_is_an_error_in_its_place(tmp_path):
    touch(tmp_path, "a/1.png", "b/2.png", "c/3.png")
    (tmp_path / "b").chmod(0)
    if os.access(tmp_path / "b", os.R_OK):
        pytest.skip("this user may read everything")
    items = expand(tmp_path, recursive=True).items
    (tmp_path / "b").chmod(0o700)
    assert [item.error is not None for item in items] == [False, True, False]
    assert "Permission denied" in str(items[1].error)


def test_the_first_missing_part_of_a_path_is_named(tmp_path):
    touch(tmp_path, "shots/day1/a.png")
    assert nearest_name(tmp_path / "shots/day1/b.png") == "Did you mean a.png?"
    assert nearest_name(tmp_path / "shots/day2/x/a.png").endswith("day2 does not exist. Did you mean day1?")
    assert nearest_name(tmp_path / "shots/day1/zzzzzz") == ""
