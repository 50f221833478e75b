"""Scripts that users already have, and what the package they come from gets wrong."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.inference.asking import SAMPLED, answer, failure, picture

from vi.inference import ConfigError

# The call shapes of the documents that the users follow, with files and cut answers of ours.
SCRIPT = """
from pathlib import Path

from pydantic import BaseModel, Field

from vi.inference import ViModel
from vi.inference.task_types.phrase_grounding import PhraseGroundingResponse
from vi.inference.task_types.vqa import VQAResponse
from vi.inference.utils.visualize import visualize_prediction

info = ViModel.inspect(run_id="your-run-id")
print(info.model_name, info.architecture, info.size_gb)
print(info.task_type, info.supported_tasks, info.run_id, info.adapter_available, info.metadata)

model = ViModel(run_id="your-run-id", device_map=None, attn_implementation="eager", low_cpu_mem_usage=True,
                trust_remote_code=False)
few = {"max_new_tokens": 24}

# one source
result, error = model(source="image.jpg", user_prompt="Describe this image", generation_config=few)
assert (result is None) != (error is None)
if error is None:
    print(result.prompt, result.raw_output, result.thinking)
if isinstance(result, VQAResponse):
    print(result.result.answer)
elif isinstance(result, PhraseGroundingResponse):
    for grounding in result.result.groundings:
        print(result.result.sentence, grounding.phrase, grounding.grounding)

result, error = model(
    source="image.jpg",
    user_prompt="Describe this image",
    generation_config={"max_new_tokens": 24, "temperature": 0.7, "top_p": 0.9, "top_k": 40, "do_sample": True,
                       "repetition_penalty": 1.2, "seed": 42},
)
assert error is None

# lists and folders
results = model(source=["image.jpg", Path("image.jpg")], user_prompt="What is visible?", generation_config=few)
for result, error in results:
    assert error is None, error
results = model(source=["image.jpg", "missing.jpg"], user_prompt=["What?", "Where?"], generation_config=few,
                show_progress=False)
assert [error is None for result, error in results] == [True, False]
results = model(source="./folder/", user_prompt="What is visible?", generation_config=few, recursive=True)
assert len(results) == 2

# streaming
stream = model(source="image.jpg", user_prompt="Describe this image", generation_config=few, stream=True)
pieces = []
for piece in stream:
    print(piece, end="", flush=True)
    pieces.append(piece)
assert "".join(pieces) == stream.get_final_completion().raw_output

# tasks, chain of thought, frames, the caller's own class
for task in ("vqa", "phrase-grounding", "freeform", "video-freeform", "generic"):
    result, error = model("image.jpg", "What?", few, task_type=task, fps=4.0)
    assert error is None, error
result, error = model(source="image.jpg", user_prompt="Think.", generation_config=few, cot=True)
assert error is None and result.raw_output.startswith("<think>")

class Defect(BaseModel):
    present: bool
    count: int = Field(ge=0, le=9)

result, error = model(source="image.jpg", user_prompt="Any defect?", response_format=Defect)
assert Defect.model_validate_json(result.result) == result.parsed

image = visualize_prediction(image_path="image.jpg", prediction=result)
image.save("drawn.png")
print("done")
"""

# A process that may neither connect, nor start another, nor install anything.
SEALED = """
import sys

def watch(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn"):
        raise SystemExit(f"{event}{arguments!r}")

sys.addaudithook(watch)
"""


@pytest.fixture
def desk(tmp_path, monkeypatch, tiny_checkpoint):
    """A folder to work in, with pictures, and a store with the run ``your-run-id``."""
    monkeypatch.setenv("VI_MODEL_STORE", str(tmp_path / "store"))
    shutil.copytree(tiny_checkpoint, tmp_path / "store" / "your-run-id" / "model")
    record = {"flow": {"spec": {"task_type": "VQA", "model": {"name": "Qwen2.5-VL"}}}}
    (tmp_path / "store" / "your-run-id" / "model" / "run.json").write_text(json.dumps(record))
    (tmp_path / "folder" / "inner").mkdir(parents=True)
    for name in ("image.jpg", "folder/a.png", "folder/inner/b.png"):
        picture().save(tmp_path / name)
    return tmp_path


def test_a_script_for_the_reference_runs_and_nothing_is_fetched_or_installed(desk):
    done = subprocess.run([sys.executable, "-c", SEALED + SCRIPT], cwd=desk, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("done\n")
    assert done.stderr == ""
    assert (desk / "drawn.png").is_file()


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("vi.inference", "ViModel"),
        ("vi.inference", "GenerationConfig"),
        ("vi.inference.task_types.vqa", "VQAResponse"),
        ("vi.inference.task_types.phrase_grounding", "PhraseGroundingResponse"),
        ("vi.inference.task_types.freeform", "FreeformResponse"),
        ("vi.inference.task_types.generic", "GenericResponse"),
        ("vi.inference.utils.visualize", "visualize_prediction"),
    ],
)
def test_names_are_where_scripts_import_them_from(module, name):
    assert getattr(__import__(module, fromlist=[name]), name).__name__ == name


# What that package gets wrong, row by row


def test_sampling_samples(tiny_model):
    def text(seed):
        config = {**SAMPLED, "seed": seed, "max_new_tokens": 24}
        return answer(tiny_model(picture(), "Describe this image", config)).raw_output

    assert len({text(seed) for seed in range(4)}) == 4


@pytest.mark.parametrize("config", [{"temperature": -3}, {"top_p": 7}])
def test_values_out_of_range_are_refused(tiny_model, config):
    error = failure(tiny_model(picture(), generation_config=config))
    assert isinstance(error, ConfigError)
    assert "out of range; it takes 0.0 to" in str(error)


def test_a_misspelt_key_is_explained(tiny_model):
    error = failure(tiny_model(picture(), generation_config={"max_new_token": 9}))
    assert isinstance(error, ConfigError)
    assert "Did you mean max_new_tokens?" in str(error)


def test_a_task_asked_for_with_a_stream_reads_with_its_own_schema(tiny_model):
    prefixes = {"vqa": '{"vqa":', "phrase-grounding": '{"phrase_grounding":', "freeform": '{"freeform":'}

    def stream(task):
        few = {"max_new_tokens": 60}
        return tiny_model(picture(), "What?", few, task_type=task, stream=True).get_final_completion().raw_output

    with ThreadPoolExecutor(3) as pool:
        for task, text in zip([*prefixes] * 3, pool.map(stream, [*prefixes] * 3), strict=True):
            assert text.startswith(prefixes[task])
    assert answer(tiny_model(picture(), "What?", {"max_new_tokens": 24})).raw_output.startswith('{"freeform":')
