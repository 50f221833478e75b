"""LoRA adapters: merged, they compute what peft computes unmerged."""

from __future__ import annotations

import json
import shutil

import peft
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from vi.inference.errors import LoadError
from vi.inference.loading.loader import load
from vi.inference.runs.files import RunFiles


def make_adapter(base, folder, targets=("q_proj", "v_proj", "down_proj")):
    """A LoRA adapter with random weights on both sides, so that it changes the answers."""
    model = transformers.AutoModelForImageTextToText.from_pretrained(base)
    config = peft.LoraConfig(r=4, lora_alpha=8, target_modules=list(targets), task_type="CAUSAL_LM")
    attached = peft.get_peft_model(model, config)
    generator = torch.Generator().manual_seed(3)
    for name, parameter in attached.named_parameters():
        if "lora_" in name:
            with torch.no_grad():
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.1)
    attached.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def adapter(tiny_checkpoint, tmp_path_factory):
    return make_adapter(tiny_checkpoint, tmp_path_factory.mktemp("lora") / "adapter")


def logits(model):
    with torch.inference_mode():
        return model(input_ids=torch.arange(10, 40)[None]).logits


def unmerged(base, adapter):
    model = transformers.AutoModelForImageTextToText.from_pretrained(base)
    return peft.PeftModel.from_pretrained(model, adapter).eval()


def test_a_merged_adapter_equals_the_attached_one(tiny_checkpoint, adapter):
    merged = load(RunFiles("run", tiny_checkpoint, adapter), device="cpu").weights.model
    assert type(merged) is transformers.Qwen2_5_VLForConditionalGeneration
    torch.testing.assert_close(logits(merged), logits(unmerged(tiny_checkpoint, adapter)), atol=1e-5, rtol=0)
    base = load(RunFiles("run", tiny_checkpoint), device="cpu").weights.model
    assert (logits(merged) - logits(base)).abs().max() > 0.1
    assert set(merged.state_dict()) == set(base.state_dict())


@pytest.mark.parametrize("targets", [["lm_head"], ["embed_tokens", "q_proj"]])
def test_an_adapter_on_tied_embeddings_computes_the_same(tiny_checkpoint, tmp_path, targets):
    adapter = make_adapter(tiny_checkpoint, tmp_path / "adapter", targets)
    loaded = load(RunFiles("run", tiny_checkpoint, adapter), device="cpu")
    torch.testing.assert_close(
        logits(loaded.weights.model), logits(unmerged(tiny_checkpoint, adapter)), atol=1e-5, rtol=0
    )
    assert loaded.vocab_size == 384
    assert not any(parameter.requires_grad for parameter in loaded.weights.model.parameters())


@pytest.fixture
def broken(adapter, tmp_path):
    return shutil.copytree(adapter, tmp_path / "broken")


def load_broken(base, folder):
    with pytest.raises(LoadError, match=str(folder)) as caught:
        load(RunFiles("run", base, folder))
    return str(caught.value)


@pytest.mark.parametrize("name", ["adapter_config.json", "adapter_model.safetensors"])
def test_a_cut_off_adapter_is_an_error(tiny_checkpoint, broken, name):
    (broken / name).write_bytes((broken / name).read_bytes()[:-40])
    assert "cannot be loaded" in load_broken(tiny_checkpoint, broken)


def test_an_adapter_of_another_model_is_an_error(tiny_checkpoint, broken):
    path = broken / "adapter_model.safetensors"
    save_file({name.replace("layers.1", "layers.7"): value for name, value in load_file(path).items()}, path)
    assert "does not fit" in load_broken(tiny_checkpoint, broken)


def test_an_adapter_of_another_size_is_an_error(tiny_checkpoint, broken):
    config = json.loads((broken / "adapter_config.json").read_text())
    (broken / "adapter_config.json").write_text(json.dumps(config | {"r": 8}))
    assert "cannot be loaded" in load_broken(tiny_checkpoint, broken)


def test_an_adapter_with_nan_is_an_error(tiny_checkpoint, broken):
    path = broken / "adapter_model.safetensors"
    save_file({name: value * float("nan") for name, value in load_file(path).items()}, path)
    assert "broken" in load_broken(tiny_checkpoint, broken)


def test_a_pickled_adapter_is_loaded_only_when_allowed(tiny_checkpoint, broken):
    path = broken / "adapter_model.safetensors"
    torch.save(load_file(path), broken / "adapter_model.bin")
    path.unlink()
    assert "allow_pickle=True" in load_broken(tiny_checkpoint, broken)
    load(RunFiles("run", tiny_checkpoint, broken), allow_pickle=True)
