"""The samples' folder, and the embedded run's place."""

from __future__ import annotations

import pytest

from vi import workbench
from vi.inference.errors import SourceError


@pytest.fixture
def folder(tmp_path):
    for name in ("bench.png", "parts.jpg", "README.md", "answers.json"):
        (tmp_path / name).write_bytes(b"")
    return tmp_path


def test_samples_are_the_pictures_by_name(folder):
    assert [path.name for path in workbench.samples(folder)] == ["bench.png", "parts.jpg"]


def test_a_missing_folder_has_no_samples(tmp_path):
    assert workbench.samples(tmp_path / "none") == ()


@pytest.mark.parametrize("name", ["bench", "bench.png"])
def test_a_sample_is_found_with_and_without_its_suffix(folder, name):
    assert workbench.sample(name, folder) == folder / "bench.png"


def test_an_unknown_sample_names_the_nearest_and_all(folder):
    with pytest.raises(SourceError, match=r"Did you mean bench\?.*bench.png, parts.jpg"):
        workbench.sample("bensch", folder)


def test_the_embedded_run_is_in_the_package():
    assert (workbench.run_path() / "__init__.py").is_file()
