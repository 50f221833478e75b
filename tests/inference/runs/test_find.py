"""Finding a run: where it is looked for, and what is said when it is not there."""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import sys
import uuid

import fsspec
import pytest

from vi import workbench
from vi.inference.errors import ConfigError, LoadError
from vi.inference.runs import find_run


@pytest.fixture
def store(tmp_path, monkeypatch):
    """An empty local store that ``VI_MODEL_STORE`` names."""
    folder = tmp_path / "store"
    folder.mkdir()
    monkeypatch.setenv("VI_MODEL_STORE", str(folder))
    return folder


@pytest.fixture
def remote(tiny_checkpoint):
    """A remote store with the run ``bolts``, which has a checkpoint."""
    url = f"memory://{uuid.uuid4().hex}"
    fs, root = fsspec.core.url_to_fs(url)
    fs.put(str(tiny_checkpoint), f"{root}/bolts/model", recursive=True)
    fs.put(str(tiny_checkpoint), f"{root}/bolts/checkpoints/epoch-1/model", recursive=True)
    yield url
    fs.rm(root, recursive=True)


def add_run(store, name, checkpoint):
    shutil.copytree(checkpoint, store / name / "model")
    return store / name


def add_adapter(run):
    (run / "adapter").mkdir(parents=True)
    (run / "adapter" / "adapter_config.json").write_text("{}")
    (run / "adapter" / "adapter_model.safetensors").write_bytes(b"")


def test_a_run_of_the_local_store(store, tiny_checkpoint):
    run = add_run(store, "bolts", tiny_checkpoint)
    (run / "model" / "run.json").write_text(json.dumps({"flow": {"spec": {"task_type": "VQA"}}}))
    files = find_run("bolts")
    assert (files.run_id, files.model_path, files.adapter_path) == ("bolts", run / "model", None)
    assert files.record.task_type == "vqa"


def test_save_path_wins_over_the_environment(store, tmp_path, tiny_checkpoint):
    run = add_run(tmp_path / "other", "bolts", tiny_checkpoint)
    assert find_run("bolts", save_path=tmp_path / "other").model_path == run / "model"
    assert find_run("bolts", save_path=f"file://{tmp_path / 'other'}").model_path == run / "model"


def test_the_default_store_is_in_the_home_folder(tmp_path, monkeypatch, tiny_checkpoint):
    monkeypatch.delenv("VI_MODEL_STORE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    run = add_run(tmp_path / ".datature" / "vi" / "models", "bolts", tiny_checkpoint)
    assert find_run("bolts").model_path == run / "model"


def test_an_adapter_is_found(store, tiny_checkpoint):
    run = add_run(store, "bolts", tiny_checkpoint)
    add_adapter(run)
    assert find_run("bolts").adapter_path == run / "adapter"
    (run / "adapter" / "adapter_model.safetensors").unlink()
    with pytest.raises(LoadError, match=r"adapter_model\.safetensors"):
        find_run("bolts")


def test_a_checkpoint_is_laid_out_like_a_run(store, tiny_checkpoint):
    run = add_run(store, "bolts", tiny_checkpoint)
    add_run(run / "checkpoints", "epoch-1", tiny_checkpoint)
    add_adapter(run / "checkpoints" / "epoch-2")
    assert find_run("bolts", ckpt="epoch-1").model_path == run / "checkpoints" / "epoch-1" / "model"
    second = find_run("bolts", ckpt="epoch-2")
    assert (second.model_path, second.adapter_path) == (run / "model", run / "checkpoints" / "epoch-2" / "adapter")
    with pytest.raises(LoadError, match="Checkpoints: epoch-2, epoch-1"):
        find_run("bolts", ckpt="epoch-22")


def test_a_run_that_does_not_exist_names_the_nearest_first(store, tiny_checkpoint):
    for name in ("gears", "bolts-2024", "nuts"):
        add_run(store, name, tiny_checkpoint)
    with pytest.raises(LoadError) as caught:
        find_run("bolts-2025")
    assert str(store) in str(caught.value)
    assert "Runs: bolts-2024, " in str(caught.value)
    assert all(name in str(caught.value) for name in ("gears", "nuts", "workbench"))


def test_a_store_that_does_not_exist_has_only_the_embedded_run(tmp_path):
    with pytest.raises(LoadError, match="Runs: workbench"):
        find_run("bolts", save_path=tmp_path / "nowhere")


@pytest.mark.parametrize("run_id", ["", "../bolts", "a/b", "/etc", ".", "..", ".hidden", "C:x", " a", "a\\b", "a\0b"])
def test_a_run_id_is_a_plain_name(store, run_id):
    with pytest.raises(LoadError, match="is not a run id"):
        find_run(run_id)


@pytest.mark.parametrize(
    ("gone", "said"),
    [
        ("config.json", "config.json"),
        ("model.safetensors", "weights"),
        ("tokenizer.json", "tokenizer"),
        ("preprocessor_config.json", "picture processor"),
    ],
)
def test_what_is_missing_is_named(store, tiny_checkpoint, gone, said):
    run = add_run(store, "bolts", tiny_checkpoint)
    (run / "model" / gone).unlink()
    with pytest.raises(LoadError, match=f"Missing: .*{said}"):
        find_run("bolts")


def test_a_run_without_its_model_says_so(store):
    (store / "bolts").mkdir()
    with pytest.raises(LoadError, match="model"):
        find_run("bolts")


@pytest.mark.parametrize("run_id", [None, "workbench"])
def test_nothing_given_is_the_embedded_run(monkeypatch, tmp_path, tiny_checkpoint, run_id):
    add_run(tmp_path, "package", tiny_checkpoint)
    monkeypatch.setattr(workbench, "run_path", lambda: tmp_path / "package")
    files = find_run(run_id)
    assert (files.run_id, files.model_path) == ("workbench", tmp_path / "package" / "model")
    with pytest.raises(ConfigError, match="ckpt"):
        find_run(run_id, ckpt="epoch-1")


def test_a_local_folder(tiny_checkpoint, monkeypatch):
    files = find_run(pretrained_model_name_or_path=tiny_checkpoint)
    assert (files.run_id, files.model_path, files.name) == (None, tiny_checkpoint, tiny_checkpoint.name)
    monkeypatch.chdir(tiny_checkpoint)
    assert find_run(pretrained_model_name_or_path=".").name == tiny_checkpoint.name


def test_a_folder_that_does_not_exist_names_its_neighbours(tiny_checkpoint):
    with pytest.raises(LoadError, match=rf"Folders in .*: {tiny_checkpoint.name}"):
        find_run(pretrained_model_name_or_path=str(tiny_checkpoint) + "x")


def test_a_run_and_a_checkpoint_exclude_each_other(tiny_checkpoint):
    with pytest.raises(ConfigError, match="run_id"):
        find_run("bolts", pretrained_model_name_or_path=tiny_checkpoint)
    with pytest.raises(ConfigError, match="ckpt"):
        find_run(pretrained_model_name_or_path=tiny_checkpoint, ckpt="epoch-1")


def test_a_remote_run_is_fetched_into_the_local_store_and_found_without_the_remote(store, remote):
    files = find_run("bolts", save_path=remote)
    assert files.model_path == store / "bolts" / "model"
    fsspec.filesystem("memory").rm(remote + "/bolts/model", recursive=True)
    assert find_run("bolts", save_path=remote) == files
    assert find_run("bolts") == files


def test_a_remote_checkpoint_is_fetched_when_it_is_asked_for(store, remote):
    find_run("bolts", save_path=remote)
    assert not (store / "bolts" / "checkpoints").exists()
    files = find_run("bolts", ckpt="epoch-1", save_path=remote)
    assert files.model_path == store / "bolts" / "checkpoints" / "epoch-1" / "model"
    with pytest.raises(LoadError, match="Checkpoints: epoch-1"):
        find_run("bolts", ckpt="epoch-2", save_path=remote)


def test_overwrite_fetches_from_where_the_run_came(store, remote):
    find_run("bolts", save_path=remote)
    fsspec.filesystem("memory").pipe(remote + "/bolts/model/run.json", b'{"flow": {"spec": {"task_type": "vqa"}}}')
    assert find_run("bolts").record.task_type is None
    assert find_run("bolts", overwrite=True).record.task_type == "vqa"


def test_overwrite_of_a_run_that_was_not_fetched_is_said(store, tiny_checkpoint, caplog):
    add_run(store, "bolts", tiny_checkpoint)
    with caplog.at_level(logging.WARNING):
        find_run("bolts", overwrite=True)
    assert "overwrite" in caplog.text


def test_a_run_of_the_same_name_from_another_store_is_not_mistaken(store, remote):
    find_run("bolts", save_path=remote)
    with pytest.raises(LoadError, match=r"was fetched from .* not from"):
        find_run("bolts", save_path="memory://another")


def test_a_remote_run_that_does_not_exist_names_those_that_do(store, remote):
    with pytest.raises(LoadError) as caught:
        find_run("bolt", save_path=remote)
    assert remote in str(caught.value)
    assert "Runs: bolts, " in str(caught.value)


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_a_store_without_write_permission_says_so(remote, read_only_store):
    with pytest.raises(LoadError, match=r"cannot be written \(Permission denied\).*VI_MODEL_STORE"):
        find_run("bolts", save_path=remote)


def offline(cache, name):
    """What ``find_run`` of a hub name says in a process that is offline, with its own hub cache."""
    script = (
        "import sys; from vi.inference.runs import find_run; from vi.inference.errors import LoadError\n"
        "try: print(find_run(pretrained_model_name_or_path=sys.argv[1]).model_path)\n"
        "except LoadError as error: print('LoadError', error)"
    )
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HUB_CACHE": str(cache)}
    done = subprocess.run([sys.executable, "-c", script, name], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_hub_name_offline_says_what_to_do(tmp_path):
    said = offline(tmp_path, "org/model")
    assert "org/model is not in the hub's cache" in said
    assert "Pass a local folder" in said


def test_a_hub_name_in_the_cache_is_used_offline(tmp_path, tiny_checkpoint):
    repository = tmp_path / "models--org--model"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("0" * 40)
    shutil.copytree(tiny_checkpoint, repository / "snapshots" / ("0" * 40))
    assert offline(tmp_path, "org/model") == str(repository / "snapshots" / ("0" * 40))


def test_finding_a_run_needs_no_torch():
    script = (
        "import sys, vi.inference.runs, vi.inference.model_info\n"
        "assert not {'torch', 'transformers'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
