from __future__ import annotations

import glob
import logging
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vi.inference.media.folders import natural_key
from vi.inference.media.patterns import matcher
from vi.inference.media.sources import expand


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    for name in ("a10.png", "a2.png", "b.jpg", "c.txt", "d.mp4", "day1/a1.png", "day1/deep/a3.png", ".hidden/a4.png",
                 ".a5.png", "odd[1].png", "data.raw"):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def found(shots: Path, pattern: str, as_type: type = str) -> list[str]:
    sources = expand(as_type(shots / pattern))
    assert sources.many
    return [item.value.relative_to(shots).as_posix() for item in sources.items if item.error is None]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.png", ["a2.png", "a10.png", "odd[1].png"]),
        ("a?.png", ["a2.png"]),
        ("*", ["a2.png", "a10.png", "b.jpg", "odd[1].png"]),
        ("**/*.png", ["a2.png", "a10.png", "day1/a1.png", "day1/deep/a3.png", "odd[1].png"]),
        ("**", ["a2.png", "a10.png", "b.jpg", "day1/a1.png", "day1/deep/a3.png", "odd[1].png"]),
        ("*/*.png", ["day1/a1.png"]),
        ("day[0-9]/**/a*.png", ["day1/a1.png", "day1/deep/a3.png"]),
        ("[ab]*", ["a2.png", "a10.png", "b.jpg"]),
        ("*.raw", ["data.raw"]),
    ],
)
@pytest.mark.parametrize("as_type", [str, Path])
def test_a_pattern_is_the_files_it_matches_in_natural_order(shots, pattern, expected, as_type):
    assert found(shots, pattern, as_type) == expected


def test_patterns_match_what_the_standard_library_matches(shots):
    for pattern in ("**/*.png", "*/*.png", "a*", "day1/**/*.png", "[!a]*.png"):
        theirs = glob.glob(pattern, root_dir=shots, recursive=True)  # noqa: PTH207 - pathlib differs in links
        assert found(shots, pattern) == sorted((p for p in theirs if p.endswith((".png", ".jpg"))), key=natural_key)


def test_a_file_whose_name_looks_like_a_pattern_is_itself(shots):
    sources = expand(shots / "odd[1].png")
    assert (sources.many, sources.items[0].value) == (False, shots / "odd[1].png")


def test_a_pattern_that_matches_nothing_says_so(shots):
    (item,) = expand(shots / "*.webp").items
    assert "No pictures match" in str(item.error)
    (item,) = expand(shots / "day2" / "*.webp").items
    assert f"there is no folder {shots / 'day2'}. Did you mean day1?" in str(item.error)


def test_what_is_left_out_is_counted_in_one_line(shots, caplog):
    with caplog.at_level(logging.WARNING):
        expand(shots)
    assert [record.getMessage() for record in caplog.records] == [f"{shots}: left out 1 video and 2 other files."]


def test_clips_are_listed_where_they_are_asked_for(shots):
    items = expand(shots, clips=True).items
    assert [(item.value.name, item.is_clip) for item in items if item.is_clip] == [("d.mp4", True)]
    assert len(items) == 5


parts = st.lists(st.sampled_from(["a", "b", "c.png"]), min_size=1, max_size=6)


@given(parts, st.lists(st.sampled_from(["*", "**", "a", "b", "*.png"]), min_size=1, max_size=5))
def test_two_stars_are_any_number_of_folders(names, pattern):
    def oracle(names: list[str], pattern: list[str]) -> bool:
        if not pattern:
            return not names
        if pattern[0] == "**" and oracle(names, pattern[1:]):
            return True
        return bool(names) and (
            (pattern[0] == "**" and oracle(names[1:], pattern))
            or (
                pattern[0] != "**"
                and (pattern[0] in ("*", names[0]) or (pattern[0] == "*.png" and names[0] == "c.png"))
                and oracle(names[1:], pattern[1:])
            )
        )

    base = Path("/base")
    pattern = [*pattern, "*"] if pattern[-1] == "**" else pattern
    assert matcher(base, pattern)(base.joinpath(*names)) == oracle(names, pattern)
