"""Where pictures are drawn to."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from vi.cli.drawings import Drawings, is_picture_name, save
from vi.inference.errors import ConfigError
from vi.inference.media.sources import expand
from vi.inference.task_types import Caption, FreeformResponse


@pytest.fixture
def answer():
    return FreeformResponse(prompt="x", result=Caption(caption="a bolt"))


def test_several_sources_do_not_fit_one_picture(pictures, tmp_path):
    with pytest.raises(ConfigError, match=r"one picture for 3 sources.*takes a folder"):
        Drawings(tmp_path / "out.png", expand(pictures).items)


def test_same_names_from_different_folders_get_numbers(pictures, tmp_path, answer):
    other = tmp_path / "other" / "0.JPG"
    other.parent.mkdir()
    Image.new("RGB", (40, 30)).save(other)
    items = expand([pictures[0], other]).items
    drawings = Drawings(tmp_path / "out", items)
    for index, item in enumerate(items):
        drawings.draw(index, item, answer)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["0-2.png", "0.png"]


@pytest.mark.parametrize("out", ["shots/0.png", "shots"])
def test_a_source_is_never_overwritten(pictures, tmp_path, out):
    before = pictures[0].read_bytes()
    with pytest.raises(ConfigError, match="would overwrite the source"):
        Drawings(tmp_path / out, expand(pictures[0]).items)
    assert pictures[0].read_bytes() == before


def test_a_place_that_cannot_be_made_is_said_before_any_inference(pictures, tmp_path):
    with pytest.raises(ConfigError, match="cannot be made"):
        Drawings(pictures[1] / "inside.png", expand(pictures[0]).items)


def test_a_picture_that_cannot_be_written_is_a_config_error(tmp_path):
    (tmp_path / "taken.png").mkdir()
    with pytest.raises(ConfigError, match="cannot be written"):
        save(Image.new("RGB", (2, 2)), tmp_path / "taken.png")


@pytest.mark.parametrize(("name", "is_one"), [("a.png", True), ("a.JPG", True), ("a.txt", False), ("drawn", False)])
def test_a_picture_is_known_by_its_name(name, is_one):
    assert is_picture_name(Path(name)) is is_one
