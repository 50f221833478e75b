"""A bundle's folder appears whole or not at all."""

from __future__ import annotations

import pytest
from tests.inference.bundle.small import write_small_bundle

from vi.inference.bundle.layout import is_bundle
from vi.inference.bundle.publish import work_folder
from vi.inference.errors import LoadError


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_what_was_written_becomes_the_target(tmp_path):
    with work_folder(tmp_path / "bundle", in_place=False) as work:
        (work / "bundle.json").write_text("{}")
        assert not (tmp_path / "bundle").exists()
    assert names(tmp_path) == ["bundle"]
    assert names(tmp_path / "bundle") == ["bundle.json"]


@pytest.mark.parametrize("in_place", [True, False])
@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_an_interrupted_conversion_leaves_what_was_there(tmp_path, in_place, error):
    before = names(write_small_bundle(tmp_path / "bundle"))

    def be_interrupted():
        with work_folder(tmp_path / "bundle", in_place) as work:
            (work / "language.xml").write_text("half of it")
            raise error

    with pytest.raises(error):
        be_interrupted()
    assert names(tmp_path) == ["bundle"]
    assert names(tmp_path / "bundle") == before
    assert (tmp_path / "bundle" / "language.xml").read_text() == "language.xml"


def test_an_older_bundle_is_replaced(tmp_path):
    write_small_bundle(tmp_path / "bundle")
    with work_folder(tmp_path / "bundle", in_place=False) as work:
        (work / "bundle.json").write_text("{}")
    assert names(tmp_path / "bundle") == ["bundle.json"]
    assert names(tmp_path) == ["bundle"]


def test_beside_a_checkpoint_its_files_stay(tmp_path):
    (tmp_path / "model.safetensors").write_text("weights")
    with work_folder(tmp_path, in_place=True) as work:
        (work / "bundle.json").write_text("{}")
        (work / "language.xml").write_text("graph")
        assert not is_bundle(tmp_path)
    assert names(tmp_path) == ["bundle.json", "language.xml", "model.safetensors"]


def test_a_folder_of_something_else_is_not_touched(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(LoadError, match="not a bundle"), work_folder(tmp_path, in_place=False):
        pass
    assert names(tmp_path) == ["thesis.txt"]
