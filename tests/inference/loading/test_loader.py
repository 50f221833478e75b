"""Loading: what comes out is the stock model, and what cannot be loaded says why."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch
import transformers
from PIL import Image
from safetensors.torch import load_file, save_file
from tests.families import tiny_qwen2_5_vl, tiny_qwen2_vl, tiny_smolvlm

from vi.inference.errors import LoadError
from vi.inference.loading.loader import load
from vi.inference.runs.files import RunFiles


@pytest.fixture
def checkpoint(tiny_checkpoint, tmp_path):
    """A copy that a test may break."""
    return shutil.copytree(tiny_checkpoint, tmp_path / "checkpoint")


def edit(path, **changes):
    value = json.loads(path.read_text())
    path.write_text(json.dumps(value | changes))


def load_folder(folder, **options):
    return load(RunFiles(None, folder), **options)


@pytest.mark.parametrize("family", [tiny_qwen2_5_vl, tiny_qwen2_vl, tiny_smolvlm])
def test_every_family_loads_as_its_stock_class(family, tmp_path):
    folder = family(tmp_path / "checkpoint")
    loaded = load_folder(folder)
    stock = transformers.AutoModelForImageTextToText.from_pretrained(folder)
    model = loaded.weights.model
    assert type(model) is type(stock)
    ours, theirs = model.state_dict(), stock.state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    assert not model.training
    assert not any(parameter.requires_grad for parameter in model.parameters())
    assert loaded.family == loaded.config["model_type"] == stock.config.model_type
    assert loaded.placeholder_id == stock.config.image_token_id
    assert np.isfinite(loaded.pictures.encode([Image.new("RGB", (60, 80))]).arrays["pixel_values"]).all()
    messages = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "How many?"}]}]
    assert "How many?" in loaded.tokenizer.apply_chat_template(messages)


def test_the_logits_are_the_stock_models(tiny_checkpoint):
    loaded = load_folder(tiny_checkpoint)
    stock = transformers.AutoModelForImageTextToText.from_pretrained(tiny_checkpoint).eval()
    ids = torch.tensor([loaded.tokenizer.encode("There are three red bolts.")])
    with torch.inference_mode():
        assert torch.equal(loaded.weights.model(input_ids=ids).logits, stock(input_ids=ids).logits)


def test_facts_of_the_checkpoint(tiny_checkpoint):
    loaded = load_folder(tiny_checkpoint)
    names = {token_id: token for token, token_id in loaded.tokenizer.get_vocab().items()}
    assert [names[i] for i in loaded.eos_token_ids] == ["<|endoftext|>", "<|im_end|>"]
    media = ["<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"]
    assert [names[i] for i in loaded.media_token_ids] == media
    assert names[loaded.placeholder_id] == "<|image_pad|>"
    assert (loaded.context_length, loaded.vocab_size) == (2048, 384)
    weights = loaded.weights
    assert (weights.device, weights.dtype) == (weights.model.device, weights.model.dtype)


def test_nothing_but_ids_is_taken_from_the_generation_config(checkpoint):
    edit(checkpoint / "generation_config.json", temperature=0.1, do_sample=True, eos_token_id=2)
    assert load_folder(checkpoint).eos_token_ids == (2,)


def test_a_legacy_chat_template_is_read(checkpoint):
    (checkpoint / "chat_template.jinja").unlink()
    (checkpoint / "chat_template.json").write_text(json.dumps({"chat_template": "{{ messages[0]['content'] }}"}))
    tokenizer = load_folder(checkpoint).tokenizer
    assert tokenizer.apply_chat_template([{"role": "user", "content": "Hello"}]) == "Hello"


def test_a_small_checkpoint_in_bfloat16_runs_in_float32_on_a_cpu(checkpoint):
    path = checkpoint / "model.safetensors"
    save_file({name: tensor.bfloat16() for name, tensor in load_file(path).items()}, path, {"format": "pt"})
    edit(checkpoint / "config.json", dtype="bfloat16")
    assert load_folder(checkpoint, device="cpu").weights.model.dtype == torch.float32
    assert load_folder(checkpoint, device="cpu", dtype="bf16").weights.model.dtype == torch.bfloat16


def test_attention_is_forwarded(tiny_checkpoint):
    loaded = load_folder(tiny_checkpoint, attn_implementation="eager")
    assert loaded.weights.config._attn_implementation == "eager"
    with pytest.raises(LoadError, match="sideways"):
        load_folder(tiny_checkpoint, attn_implementation="sideways")


def test_a_device_map_and_low_memory_are_accepted(tiny_checkpoint):
    pytest.importorskip("accelerate")
    assert load_folder(tiny_checkpoint, device_map="cpu", low_cpu_mem_usage=True).weights.device.type == "cpu"


def test_loading_leaves_the_process_as_it_was(tiny_checkpoint, capfd):
    bars = transformers.utils.logging.is_progress_bar_enabled()
    state = torch.get_rng_state()
    load_folder(tiny_checkpoint)
    assert transformers.utils.logging.is_progress_bar_enabled() == bars
    assert torch.equal(torch.get_rng_state(), state)
    assert capfd.readouterr() == ("", "")


class Trap:
    """Unpickling it would leave a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def as_pickle(folder, extra=None):
    path = folder / "model.safetensors"
    torch.save(load_file(path) | (extra or {}), folder / "pytorch_model.bin")
    path.unlink()


def test_pickles_are_loaded_only_when_allowed(checkpoint):
    as_pickle(checkpoint)
    with pytest.raises(LoadError, match=r"pickles: pytorch_model\.bin.*allow_pickle=True"):
        load_folder(checkpoint)
    assert load_folder(checkpoint, allow_pickle=True).vocab_size == 384


def test_an_allowed_pickle_still_runs_no_code(checkpoint, tmp_path):
    as_pickle(checkpoint, {"trap": Trap(tmp_path / "sprung")})
    with pytest.raises(LoadError):
        load_folder(checkpoint, allow_pickle=True)
    assert not (tmp_path / "sprung").exists()


def with_own_code(folder):
    """The same checkpoint under a model type that only its own Python files know."""
    stock = transformers.AutoModelForImageTextToText.from_pretrained(folder)
    tensors = {name: tensor for name, tensor in stock.state_dict().items() if name != "lm_head.weight"}
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    (folder / "own.py").write_text(
        "from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration\n"
        "class OwnConfig(Qwen2_5_VLConfig):\n    model_type = 'own_vl'\n"
        "class OwnModel(Qwen2_5_VLForConditionalGeneration):\n    config_class = OwnConfig\n"
    )
    auto_map = {"AutoConfig": "own.OwnConfig", "AutoModelForImageTextToText": "own.OwnModel"}
    edit(folder / "config.json", model_type="own_vl", architectures=["OwnModel"], auto_map=auto_map)


def test_a_checkpoints_own_code_runs_only_when_trusted(checkpoint, tmp_path, monkeypatch):
    monkeypatch.setattr("transformers.dynamic_module_utils.HF_MODULES_CACHE", str(tmp_path / "modules"))
    with_own_code(checkpoint)
    with pytest.raises(LoadError, match=r"own code for 'own_vl'.*trust_remote_code=True runs"):
        load_folder(checkpoint)
    assert type(load_folder(checkpoint, trust_remote_code=True).weights.model).__name__ == "OwnModel"


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json", "preprocessor_config.json"])
def test_a_cut_off_file_is_named(checkpoint, name):
    path = checkpoint / name
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(LoadError, match=str(checkpoint)):
        load_folder(checkpoint)


def test_missing_tensors_are_an_error_not_random_numbers(checkpoint):
    path = checkpoint / "model.safetensors"
    tensors = load_file(path)
    gone = next(name for name in tensors if "layers.1" in name)
    del tensors[gone]
    save_file(tensors, path, {"format": "pt"})
    with pytest.raises(LoadError, match="lack 1 of the model's tensors"):
        load_folder(checkpoint)


def test_weights_of_another_shape_are_an_error(checkpoint):
    config = json.loads((checkpoint / "config.json").read_text())
    edit(checkpoint / "config.json", text_config=config["text_config"] | {"intermediate_size": 96})
    with pytest.raises(LoadError, match="cannot be loaded"):
        load_folder(checkpoint)


def test_a_text_model_is_refused(checkpoint):
    edit(checkpoint / "config.json", model_type="qwen2", architectures=["Qwen2ForCausalLM"])
    with pytest.raises(LoadError, match=r"not a vision-language model \(Qwen2ForCausalLM\)"):
        load_folder(checkpoint)


def test_an_unknown_architecture_is_refused_with_the_nearest(checkpoint):
    edit(checkpoint / "config.json", model_type="qwen2_6_vl")
    with pytest.raises(LoadError, match=r"Did you mean qwen2_5_vl\?"):
        load_folder(checkpoint)


def test_an_adapter_among_the_models_files_is_refused(checkpoint):
    (checkpoint / "adapter_config.json").write_text("{}")
    with pytest.raises(LoadError, match="adapter/"):
        load_folder(checkpoint)


def test_the_processors_new_layout_is_read(checkpoint):
    settings = json.loads((checkpoint / "preprocessor_config.json").read_text())
    (checkpoint / "preprocessor_config.json").unlink()
    processor = {"processor_class": "Qwen2_5_VLProcessor", "image_processor": settings}
    (checkpoint / "processor_config.json").write_text(json.dumps(processor))
    pictures = load_folder(checkpoint).pictures
    assert (pictures.min_pixels, pictures.max_pixels) == (3136, 12544)


def test_a_processor_that_is_not_ours_is_transformers_own(checkpoint):
    edit(
        checkpoint / "preprocessor_config.json",
        image_processor_type="ViTImageProcessor",
        size={"height": 8, "width": 8},
    )
    pictures = load_folder(checkpoint).pictures
    assert type(pictures).__name__ == "TransformersPictures"
    pixels = pictures.encode([Image.new("RGB", (60, 80))]).arrays["pixel_values"]
    assert (pixels.shape, pixels.dtype) == ((1, 3, 8, 8), np.float32)


def without_tokenizer_json(folder):
    """The same tokenizer in the files of older checkpoints: a vocabulary and its merges."""
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    (folder / "tokenizer.json").unlink()
    (folder / "vocab.json").write_text(json.dumps(tokenizer["model"]["vocab"]))
    (folder / "merges.txt").write_text("\n".join(" ".join(merge) for merge in tokenizer["model"]["merges"]))
    added = {token["content"]: token["id"] for token in tokenizer["added_tokens"]}
    (folder / "added_tokens.json").write_text(json.dumps(added))
    edit(folder / "tokenizer_config.json", tokenizer_class="Qwen2Tokenizer")


def test_a_tokenizer_in_older_files_is_read_by_transformers(tiny_checkpoint, checkpoint):
    without_tokenizer_json(checkpoint)
    old, new = load_folder(checkpoint).tokenizer, load_folder(tiny_checkpoint).tokenizer
    text = "<|im_start|>There are three red bolts."
    assert old.encode(text)[0] == new.encode(text)[0]
    assert old.decode(old.encode(text)) == text
    assert old.special_tokens_map["eos_token"] == "<|im_end|>"
    assert old.chat_template == new.chat_template
