"""A bundle is made once for what a checkpoint holds, wherever the checkpoint lies."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.inference.bundle.small import write_small_bundle

from vi.inference.bundle import convert as conversion
from vi.inference.bundle.cache import bundle_for, cache_folder
from vi.inference.bundle.layout import read_bundle
from vi.inference.errors import LoadError
from vi.inference.runs.files import RunFiles


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("VI_BUNDLE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def made(monkeypatch):
    """The folders that were converted into; what is put there is small."""
    folders: list[Path] = []

    def convert(files, target, *, weights=None, show_progress=False):
        folders.append(target)
        shutil.rmtree(target, ignore_errors=True)
        return read_bundle(write_small_bundle(target))

    monkeypatch.setattr(conversion, "convert", convert)
    return folders


@pytest.fixture
def files(tmp_path):
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type": "qwen2_5_vl"}')
    (folder / "model.safetensors").write_bytes(b"weights")
    return RunFiles(None, folder, name="org/a name")


def test_a_second_load_makes_nothing(cache, made, files):
    first = bundle_for(files)
    assert bundle_for(files) == first
    assert made == [first.folder]
    assert first.folder.parent == cache == cache_folder()
    assert first.folder.name.startswith("org-a-name-")


def test_a_copy_elsewhere_is_the_same_checkpoint(cache, made, files, tmp_path):
    copy = shutil.copytree(files.model_path, tmp_path / "copy")
    assert bundle_for(files) == bundle_for(RunFiles(None, copy, name=files.name))
    assert len(made) == 1


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "adapter_model.safetensors"])
def test_other_content_is_another_bundle(cache, made, files, tmp_path, name):
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    (adapter / "adapter_model.safetensors").write_bytes(b"adapter")
    files = RunFiles(None, files.model_path, adapter, name=files.name)
    first = bundle_for(files)
    path = (adapter if "adapter" in name else files.model_path) / name
    path.write_bytes(path.read_bytes() + b" ")
    assert bundle_for(files) != first
    assert len(made) == 2


def test_other_weights_are_another_bundle(cache, made, files):
    assert bundle_for(files) != bundle_for(files, weights="int8")


def test_a_damaged_bundle_is_made_again(cache, made, files):
    folder = bundle_for(files).folder
    (folder / "language.xml").unlink()
    assert read_bundle(bundle_for(files).folder)
    assert made == [folder, folder]


def test_a_bundle_beside_the_checkpoint_is_used_as_it_is(cache, made, files, tmp_path):
    folder = write_small_bundle(tmp_path / "bundle")
    assert (
        bundle_for(RunFiles(None, folder)) == bundle_for(RunFiles(None, folder), weights="f16") == read_bundle(folder)
    )
    assert made == []
    assert not cache.exists()


def test_a_family_that_cannot_be_converted_reads_and_writes_nothing(cache, made, files):
    (files.model_path / "config.json").write_text('{"model_type": "qwen3_5"}')
    with pytest.raises(LoadError, match="cannot be converted"):
        bundle_for(files)
    assert made == []
    assert not cache.exists()


def test_a_cache_that_cannot_be_written_says_what_to_set(files, made, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("VI_BUNDLE_CACHE", str(tmp_path / "file"))
    with pytest.raises(LoadError, match=r"cannot be written.*Set VI_BUNDLE_CACHE"):
        bundle_for(files)
