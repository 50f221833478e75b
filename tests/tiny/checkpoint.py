"""Writes a complete Hugging Face folder with random weights, the same on every run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

# Enough text that common words of prompts and answers become tokens of their own.
CORPUS = [
    "Describe this image in one sentence. How many screws are on the workbench? There are three red bolts.",
    '{"vqa":{"answer":"yes"}} {"freeform":{"caption":"a small blue nut left of a large green washer"}}',
    '{"phrase_grounding":{"sentence":"a gear","groundings":[{"phrase":"gear","grounding":[[0,128,512,1024]]}]}}',
    "<think>There is one yellow ring at the top.</think><answer></answer> You are a careful assistant. system user",
] * 4

# Every text model is this large unless an override says otherwise.
TEXT = {
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 2048,
}
HALF = {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}
CLIP = {
    "image_mean": [0.48145466, 0.4578275, 0.40821073],
    "image_std": [0.26862954, 0.26130258, 0.27577711],
}


def byte_level_tokenizer(special_tokens: list[str], *, vocab_size: int = 384) -> Tokenizer:
    """A byte-level BPE trained on a few sentences: every string encodes, and decodes to itself."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=special_tokens,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    return tokenizer


class Words:
    """A tokenizer and the ids of its special tokens, by their text."""

    def __init__(self, special_tokens: list[str]) -> None:
        self.tokenizer = byte_level_tokenizer(special_tokens)
        self.ids: dict[str, int] = {token: self.tokenizer.token_to_id(token) for token in special_tokens}

    def text_config(self, *, bos: str, eos: str, **more: Any) -> dict[str, Any]:
        """The fields that every text config has; ``bos`` is also what pads."""
        ids = {"bos_token_id": self.ids[bos], "eos_token_id": self.ids[eos], "pad_token_id": self.ids[bos]}
        return TEXT | {"vocab_size": self.tokenizer.get_vocab_size()} | ids | more


def chat_template(turn: str, end: str, image: str, opening: str, *, bos: str = "") -> str:
    """A Jinja template: ``turn`` with ``{}`` for the role before a message's parts, ``end`` after them.

    The system prompt is optional, pictures may stand anywhere among the parts of a turn, as in published templates.
    """
    before, after = turn.split("{}")
    return (
        f"{bos}{{% for message in messages %}}{before}{{{{ message['role'] }}}}{after}"
        "{% if message['content'] is string %}{{ message['content'] }}"
        "{% else %}{% for part in message['content'] %}"
        f"{{% if part['type'] == 'image' %}}{image}"
        "{% elif 'text' in part %}{{ part['text'] }}{% endif %}{% endfor %}{% endif %}"
        f"{end}{{% endfor %}}{{% if add_generation_prompt %}}{opening}{{% endif %}}"
    )


def write_checkpoint(
    folder: Path,
    name: str,
    config: Any,
    words: Words,
    template: str,
    picture_processor: dict[str, Any],
    *,
    seed: int,
    tokens: dict[str, Any],
    eos: list[str],
    std: float = 0.2,
) -> Path:
    """Write all files of a checkpoint. Returns the folder.

    name: as in ``{name}ForConditionalGeneration``. tokens: the tokenizer's arguments. eos: what ends an answer.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    limit = config.get_text_config().max_position_embeddings
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=words.tokenizer, model_max_length=limit, **tokens)
    fast.chat_template = template
    fast.save_pretrained(folder)
    processor = {"processor_class": f"{name}Processor"} | picture_processor
    write_json(folder / "preprocessor_config.json", processor)
    write_weights(folder, getattr(transformers, f"{name}ForConditionalGeneration"), config, seed=seed, std=std)
    ids = [words.ids[token] for token in eos]
    stated = {"eos_token_id": ids if len(ids) > 1 else ids[0], "pad_token_id": words.ids[tokens["pad_token"]]}
    write_json(folder / "generation_config.json", stated)
    return folder


def write_weights(folder: Path, model_class: type, config: Any, *, seed: int, std: float) -> None:
    """Save random weights drawn from ``seed`` without touching the global generator."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = model_class(config)
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in sorted(model.named_parameters()):
        if parameter.ndim > 1:  # spread wide enough that greedy text is not one token for ever; norms and biases stay
            with torch.no_grad():
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * std)
        parameter.requires_grad_(False)
        assert parameter.isfinite().all(), name
    model.save_pretrained(folder)


def write_json(path: Path, value: dict[str, Any]) -> None:
    """As Hugging Face writes it."""
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
