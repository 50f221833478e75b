"""What inspect says, against the loaded model."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest
import transformers

from vi.inference.errors import LoadError
from vi.inference.model_info import ModelInfo, inspect
from vi.inference.runs import find_run
from vi.inference.runs.files import RunFiles


def test_a_plain_checkpoint_answers_freeform(tiny_checkpoint):
    info = inspect(find_run(pretrained_model_name_or_path=tiny_checkpoint))
    model = transformers.AutoModelForImageTextToText.from_pretrained(tiny_checkpoint)
    assert info.parameters == sum(parameter.numel() for parameter in model.parameters())
    assert info.size_gb == (tiny_checkpoint / "model.safetensors").stat().st_size / 1e9
    assert info.architecture == type(model).__name__
    assert (info.task_type, info.supported_tasks, info.run_id) == ("freeform", ("freeform",), None)
    assert not info.adapter_available
    assert info.metadata["context_length"] == 2048


def test_a_run_says_what_its_record_says(tmp_path, tiny_checkpoint):
    run = tmp_path / "bolts"
    shutil.copytree(tiny_checkpoint, run / "model")
    spec = {"task_type": "vqa", "model": {"name": "Qwen2.5-VL"}, "supported_tasks": ["vqa", "freeform"]}
    (run / "model" / "run.json").write_text(json.dumps({"flow": {"spec": spec}, "trained": "2026-01-01"}))
    info = inspect(find_run("bolts", save_path=tmp_path))
    assert (info.model_name, info.run_id, info.task_type) == ("Qwen2.5-VL", "bolts", "vqa")
    assert (info.name, info.path) == (info.model_name, info.model_path)
    assert info.supported_tasks == ("vqa", "freeform")
    assert info.metadata["trained"] == "2026-01-01"
    assert ModelInfo.model_validate_json(info.model_dump_json()) == info
    assert all(text in str(info) for text in ("bolts", "vqa, freeform", "0.2 million", "2026-01-01"))


def test_without_weights_the_size_is_unknown(tmp_path, tiny_checkpoint):
    shutil.copy(tiny_checkpoint / "config.json", tmp_path)
    info = inspect(RunFiles(None, tmp_path, name="org/model"))
    assert (info.size_gb, info.parameters) == (None, None)
    assert "not fetched" in str(info)


@pytest.mark.parametrize("text", ["{", "[]"])
def test_a_broken_config_is_named(tmp_path, text):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(LoadError, match=r"config\.json"):
        inspect(RunFiles(None, tmp_path))


def test_inspecting_imports_no_torch(tiny_checkpoint):
    script = (
        "import sys; from vi.inference.runs import find_run; from vi.inference.model_info import inspect\n"
        "print(inspect(find_run(pretrained_model_name_or_path=sys.argv[1])))\n"
        "assert not {'torch', 'transformers'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script, str(tiny_checkpoint)], check=True, capture_output=True)
