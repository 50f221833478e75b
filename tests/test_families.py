"""The tiny checkpoints themselves: the same bytes every time, and accepted by the stock classes."""

from __future__ import annotations

import hashlib

import pytest
import torch
import transformers
from tests.families import TINY, tiny_qwen2_5_vl

from vi.inference.preprocess.families import FAMILIES


def digests(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_there_is_one_of_every_architecture_that_can_be_run():
    assert TINY.keys() == FAMILIES.keys()


@pytest.mark.parametrize("family", TINY)
def test_a_checkpoint_is_the_same_bytes_every_time(family, tmp_path):
    state = torch.get_rng_state()
    one, two = TINY[family](tmp_path / "one"), TINY[family](tmp_path / "two")
    assert digests(one) == digests(two)
    assert transformers.AutoConfig.from_pretrained(one).model_type == family
    assert torch.equal(state, torch.get_rng_state())


def test_another_seed_gives_other_weights_and_the_same_tokenizer(tmp_path):
    one, two = digests(tiny_qwen2_5_vl(tmp_path / "one")), digests(tiny_qwen2_5_vl(tmp_path / "two", seed=1))
    assert one["model.safetensors"] != two["model.safetensors"]
    assert one["tokenizer.json"] == two["tokenizer.json"]


def test_overrides_reach_the_text_config(tmp_path):
    folder = tiny_qwen2_5_vl(tmp_path / "deep", num_hidden_layers=3, max_position_embeddings=64)
    config = transformers.AutoConfig.from_pretrained(folder)
    assert (config.text_config.num_hidden_layers, config.text_config.max_position_embeddings) == (3, 64)


@pytest.mark.parametrize("text", ["How many bolts?", "größer — 螺丝 🔩", "\ttabs\nand  spaces ", "<|im_end|"])
def test_every_text_survives_the_tokenizer(tiny_checkpoint, text):
    tokenizer = transformers.AutoTokenizer.from_pretrained(tiny_checkpoint)
    assert tokenizer.decode(tokenizer.encode(text, add_special_tokens=False)) == text
