"""A bundle in a folder of its own is a model, on a machine that has neither torch nor the checkpoint."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest
from tests.inference.asking import answer, picture

from vi.inference import LoadError, ViModel

ALONE = """
import sys
for name in ("torch", "transformers", "accelerate", "peft"):
    sys.modules[name] = None  # importing it fails from now on
from PIL import Image
from vi.inference import ViModel

with ViModel(pretrained_model_name_or_path=sys.argv[1]) as model:
    result, error = model(Image.open(sys.argv[2]), "Which?", {"max_new_tokens": 8}, task_type="generic")
    if error is not None:
        raise error
    print(result.raw_output, end="")
"""


@pytest.fixture(scope="module")
def folder(converted):
    return converted("qwen2_5_vl").folder


def test_it_answers_as_its_checkpoint_does_where_there_is_no_torch(folder, tiny_files, tmp_path):
    picture().save(tmp_path / "picture.png")
    command = [sys.executable, "-c", ALONE, folder, tmp_path / "picture.png"]
    process = subprocess.run(command, capture_output=True, encoding="utf-8")
    assert process.returncode == 0, process.stderr
    with ViModel(pretrained_model_name_or_path=tiny_files("qwen2_5_vl").model_path, device="cpu") as model:
        config = {"max_new_tokens": 8}
        assert answer(model(picture(), "Which?", config, task_type="generic")).raw_output == process.stdout


def test_it_can_be_inspected(folder):
    info = ViModel.inspect(pretrained_model_name_or_path=folder)
    assert info.architecture == "Qwen2_5_VLForConditionalGeneration"
    assert info.size_gb > 0
    assert info.parameters is None


@pytest.mark.parametrize("asked", [{"runner": "torch"}, {"dtype": "bfloat16"}, {"weights": "int8"}])
def test_what_needs_the_checkpoint_says_so(folder, asked):
    with pytest.raises(LoadError, match=r"holds a bundle.*without the weights of the checkpoint"):
        ViModel(pretrained_model_name_or_path=folder, **asked)


def test_a_bundle_that_lacks_a_file_is_said_to(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "bundle")
    (copy / "language.bin").unlink()
    with pytest.raises(LoadError, match=r"lacks language\.bin"):
        ViModel(pretrained_model_name_or_path=copy)
