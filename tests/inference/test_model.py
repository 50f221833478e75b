"""Loading, looking, closing: a ViModel's life."""

from __future__ import annotations

import gc
import json
import shutil
import subprocess
import sys
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor

import peft
import pytest
import torch
import transformers
from tests.families import tiny_qwen2_vl, tiny_smolvlm
from tests.inference.asking import ENDLESS, GREEDY, answer, failure, picture, tokens

import vi.inference
from vi.inference import Cancelled, ConfigError, InferenceError, LoadError, ModelInfo, ViError, ViModel


@pytest.fixture
def store(tmp_path, monkeypatch, tiny_checkpoint):
    """A store that ``VI_MODEL_STORE`` names, with the runs ``bolts`` (trained for vqa) and ``nuts``."""
    for name in ("bolts", "nuts"):
        shutil.copytree(tiny_checkpoint, tmp_path / "store" / name / "model")
    record = {"flow": {"spec": {"task_type": "VQA", "model": {"name": "Qwen2.5-VL"}}}}
    (tmp_path / "store" / "bolts" / "model" / "run.json").write_text(json.dumps(record))
    monkeypatch.setenv("VI_MODEL_STORE", str(tmp_path / "store"))
    return tmp_path / "store"


def ask(model, **options):
    return answer(model(picture(), "How many?", **{"generation_config": GREEDY, "task_type": "generic", **options}))


def device_threads():
    return [thread for thread in threading.enumerate() if thread.name == "vi-device"]


def run_python(script, *arguments):
    done = subprocess.run([sys.executable, "-c", script, *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


# Finding and loading


def test_a_run_of_the_store_answers_its_own_task(store, tiny_model):
    with ViModel(run_id="bolts", device="cpu") as model:
        assert answer(model(picture(), "How many?", {"max_new_tokens": 24})).raw_output.startswith('{"vqa":')
        assert tokens(ask(model)) == tokens(ask(tiny_model))
        assert repr(model) == "ViModel('bolts')"
    assert repr(model) == "ViModel('bolts', closed)"


def test_save_path_names_another_store(store, tmp_path, monkeypatch):
    monkeypatch.setenv("VI_MODEL_STORE", str(tmp_path / "empty"))
    with pytest.raises(LoadError):
        ViModel("bolts")
    with ViModel("bolts", save_path=store, device="cpu") as model:
        assert ask(model)


def test_a_run_that_does_not_exist_names_those_that_do(store):
    with pytest.raises(LoadError, match=r"no run 'bolt'.*Runs: bolts, nuts, workbench"):
        ViModel("bolt")


@pytest.mark.parametrize("write", [tiny_qwen2_vl, tiny_smolvlm])
def test_other_architectures_go_through_the_same_lines(tmp_path, write):
    with ViModel(pretrained_model_name_or_path=write(tmp_path / "checkpoint"), device="cpu") as model:
        outcomes = model([picture(), picture((200, 100))], "How many?", GREEDY, task_type="vqa")
        assert all(answer(outcome).raw_output.startswith('{"vqa":{"answer":"') for outcome in outcomes)


def test_a_run_with_an_adapter_answers_as_the_merged_model(store, tiny_checkpoint, tiny_model):
    base = transformers.AutoModelForImageTextToText.from_pretrained(tiny_checkpoint)
    attached = peft.get_peft_model(base, peft.LoraConfig(r=4, target_modules=["q_proj", "v_proj", "down_proj"]))
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for name, parameter in attached.named_parameters():
            if "lora_" in name:
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.2)
    attached.save_pretrained(store / "bolts" / "adapter")
    attached.merge_and_unload().save_pretrained(store / "nuts" / "model")
    with ViModel("bolts", device="cpu") as adapted, ViModel("nuts", device="cpu") as merged:
        assert tokens(ask(adapted)) == tokens(ask(merged)) != tokens(ask(tiny_model))
        assert adapted.info.adapter_available


@pytest.mark.parametrize(
    ("arguments", "kind", "said"),
    [
        ({"run_id": "bolts", "pretrained_model_name_or_path": "x"}, ConfigError, "exclude each other"),
        ({"run_id": "bolts", "generation_config": {"temprature": 1}}, ConfigError, "Did you mean temperature"),
        ({"run_id": "bolts", "generation_config": "detailled"}, ConfigError, "Did you mean detailed"),
        ({"run_id": "bolts", "device": "gpu"}, LoadError, "There is:"),
        ({"run_id": "bolts", "dtype": "int3"}, LoadError, "int3"),
        ({"run_id": "../bolts"}, LoadError, "not a run id"),
    ],
)
def test_wrong_arguments_are_told_before_anything_is_loaded(store, arguments, kind, said):
    with pytest.raises(kind, match=said) as caught:
        ViModel(**arguments)
    assert isinstance(caught.value, ViError)


def test_a_wrong_value_in_the_runs_record_is_told_when_loading(store):
    record = {"flow": {"spec": {"generation_config": {"temperature": 3}}}}
    (store / "bolts" / "model" / "run.json").write_text(json.dumps(record))
    with pytest.raises(ConfigError, match=r"In the run's own generation config: temperature=3"):
        ViModel("bolts")


# Looking


def test_inspect_loads_neither_weights_nor_torch(store):
    info = ViModel.inspect(run_id="bolts")
    assert isinstance(info, ModelInfo)
    assert (info.run_id, info.model_name, info.task_type) == ("bolts", "Qwen2.5-VL", "vqa")
    (store / "bolts" / "model" / "tokenizer.json").write_text("not read")
    said = run_python(
        "import sys; from vi.inference import ViModel; print(ViModel.inspect(run_id='bolts').architecture);"
        "assert not {'torch', 'transformers'} & set(sys.modules)"
    )
    assert said == "Qwen2_5_VLForConditionalGeneration"
    with pytest.raises(LoadError):
        ViModel.inspect("nut")


def test_a_model_tells_what_it_is(tiny_model, tiny_checkpoint):
    assert tiny_model.info == ViModel.inspect(pretrained_model_name_or_path=tiny_checkpoint)


def test_importing_the_call_imports_no_torch():
    said = run_python(
        "import sys, vi, vi.inference; light = set(sys.modules)\n"
        "from vi.inference import *; import vi.inference.model\n"
        "print({'torch', 'transformers'} & set(sys.modules), {'numpy', 'PIL', 'pydantic'} & light)"
    )
    assert said == "set() set()"


def test_every_error_is_a_vi_error():
    errors = [value for name in vi.inference.__all__ if isinstance(value := getattr(vi.inference, name), type)]
    errors = [kind for kind in errors if issubclass(kind, Exception)]
    assert len(errors) == 10
    assert all(issubclass(kind, ViError) for kind in errors)


# Closing


def test_a_block_closes_and_closing_twice_does_nothing(tiny_checkpoint):
    before = len(device_threads())
    with ViModel(pretrained_model_name_or_path=tiny_checkpoint, device="cpu") as model:
        runner = weakref.ref(model._answerer._engine._loop.runner)
        assert ask(model)
        assert len(device_threads()) == before + 1
    model.close()
    gc.collect()
    assert runner() is None
    assert len(device_threads()) == before
    assert isinstance(failure(model(picture())), InferenceError)


def test_a_model_that_is_dropped_frees_its_device(tiny_checkpoint):
    before = len(device_threads())
    model = ViModel(pretrained_model_name_or_path=tiny_checkpoint, device="cpu")
    assert ask(model)
    del model
    gc.collect()
    assert len(device_threads()) == before


def test_closing_ends_those_that_run_and_those_that_wait(tiny_checkpoint):
    model = ViModel(pretrained_model_name_or_path=tiny_checkpoint, device="cpu")
    streams = [model(picture(), "Go on.", stream=True, **ENDLESS)]
    assert next(streams[0])
    with ThreadPoolExecutor(6) as pool:
        single = [pool.submit(model, picture(), "Go on.", **ENDLESS) for _ in range(2)]
        many = pool.submit(model, [picture()] * 6, "Go on.", show_progress=False, **ENDLESS)
        while model.state.running + model.state.waiting < 4:  # one of each is there
            time.sleep(0.01)
        for _ in pool.map(lambda _: model.close(), range(3)):
            pass
        errors = [failure(future.result()) for future in single] + [failure(outcome) for outcome in many.result()]
    assert len(errors) == 8
    assert all(isinstance(error, InferenceError) for error in errors)  # Cancelled, or refused after the end
    with pytest.raises(Cancelled):
        streams[0].get_final_completion()


def test_models_do_not_notice_each_other(tiny_model, tmp_path):
    with ViModel(pretrained_model_name_or_path=tiny_smolvlm(tmp_path / "checkpoint"), device="cpu") as other:
        alone = tokens(ask(tiny_model)), tokens(ask(other))
        with ThreadPoolExecutor(2) as pool:
            together = pool.map(lambda model: [tokens(ask(model)) for _ in range(3)], (tiny_model, other))
            assert list(together) == [[alone[0]] * 3, [alone[1]] * 3]


def test_tasks_do_not_notice_each_other_in_threads(tiny_model):
    tasks = ["vqa", "phrase-grounding", "freeform", "generic"] * 4
    room = {"generation_config": {"max_new_tokens": 60}}
    alone = {task: ask(tiny_model, task_type=task, **room).raw_output for task in tasks}
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda task: ask(tiny_model, task_type=task, **room).raw_output, tasks))
    assert together == [alone[task] for task in tasks]
