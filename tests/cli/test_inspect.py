"""``vi-infer inspect``."""

from __future__ import annotations

import shutil

import pytest

from vi import workbench
from vi.inference import ModelInfo, ViModel


def test_a_checkpoint_folder_is_told_as_python_tells_it(vi_infer, tiny_checkpoint):
    info = ViModel.inspect(pretrained_model_name_or_path=tiny_checkpoint)
    assert vi_infer("inspect", tiny_checkpoint).stdout == f"{info}\n"
    assert ModelInfo.model_validate_json(vi_infer("inspect", tiny_checkpoint, "--json").stdout) == info


def test_a_stored_run_is_found_by_its_id_and_by_its_folder(vi_infer, tiny_checkpoint, tmp_path, monkeypatch):
    shutil.copytree(tiny_checkpoint, tmp_path / "my-run" / "model")
    monkeypatch.setenv("VI_MODEL_STORE", str(tmp_path))
    by_id, by_folder = vi_infer("inspect", "my-run", "--json"), vi_infer("inspect", tmp_path / "my-run", "--json")
    assert by_id.stdout == by_folder.stdout
    assert ModelInfo.model_validate_json(by_id.stdout).run_id == "my-run"


@pytest.mark.parametrize("name", ["my-rum", "./nowhere/else"])
def test_a_name_that_is_none_is_one_line_and_bad_input(vi_infer, name, tmp_path, monkeypatch):
    (tmp_path / "my-run").mkdir()
    monkeypatch.setenv("VI_MODEL_STORE", str(tmp_path))
    result = vi_infer("inspect", name)
    assert (result.exit_code, result.stdout) == (2, "")
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith("LoadError: There is no ")


@pytest.mark.skipif(not (workbench.run_path() / "model").is_dir(), reason="the embedded run is not here")
def test_without_a_name_it_is_the_embedded_run(vi_infer):
    assert ModelInfo.model_validate_json(vi_infer("inspect", "--json").stdout).run_id == "workbench"
