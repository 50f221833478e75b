"""Tiny random-weight checkpoints of real architectures, as complete Hugging Face folders, the same on every run.

Their answers are noise; their files, tokenizers, chat templates and forward passes are the real thing.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

QWEN_SPECIAL_TOKENS = [
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|image_pad|>",
    "<|video_pad|>",
]
SMOLVLM_SPECIAL_TOKENS = [
    "<|im_start|>",
    "<end_of_utterance>",
    "<fake_token_around_image>",
    "<image>",
    "<global-img>",
    *(f"<row_{row}_col_{col}>" for row in range(1, 3) for col in range(1, 3)),
]

# The system prompt is optional, pictures may stand anywhere among the parts of a turn, as in the published templates.
QWEN_CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{% if message['content'] is string %}{{ message['content'] }}"
    "{% else %}{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<|vision_start|><|image_pad|><|vision_end|>"
    "{% elif part['type'] == 'video' %}<|vision_start|><|video_pad|><|vision_end|>"
    "{% elif 'text' in part %}{{ part['text'] }}{% endif %}{% endfor %}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SMOLVLM_CHAT_TEMPLATE = (
    "<|im_start|>{% for message in messages %}{{ message['role'] | capitalize }}:"
    "{% if message['content'] is string %} {{ message['content'] }}"
    "{% else %}{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<image>{% else %} {{ part['text'] }}{% endif %}{% endfor %}{% endif %}"
    "<end_of_utterance>\n{% endfor %}{% if add_generation_prompt %}Assistant:{% endif %}"
)

# Enough text that common words of prompts and answers become tokens of their own.
CORPUS = [
    "Describe this image in one sentence. How many screws are on the workbench? There are three red bolts.",
    '{"vqa":{"answer":"yes"}} {"freeform":{"caption":"a small blue nut left of a large green washer"}}',
    '{"phrase_grounding":{"sentence":"a gear","groundings":[{"phrase":"gear","grounding":[[0,128,512,1024]]}]}}',
    "<think>There is one yellow ring at the top.</think><answer></answer> You are a careful assistant. system user",
] * 4


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


def _write_tokenizer(folder: Path, tokenizer: Tokenizer, template: str, **tokens: Any) -> None:
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, **tokens)
    fast.chat_template = template
    fast.save_pretrained(folder)


def _write_model(folder: Path, model_class: type, config: Any, *, seed: int, std: float = 0.2) -> None:
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


def _write_json(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def _qwen(folder: Path, family: str, vision: dict[str, Any], *, seed: int, overrides: dict[str, Any]) -> Path:
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = byte_level_tokenizer(QWEN_SPECIAL_TOKENS)
    ids = {token: tokenizer.token_to_id(token) for token in QWEN_SPECIAL_TOKENS}
    text = {
        "vocab_size": tokenizer.get_vocab_size(),
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 2048,
        "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [2, 3, 3]},
        "bos_token_id": ids["<|endoftext|>"],
        "eos_token_id": ids["<|im_end|>"],
        "pad_token_id": ids["<|endoftext|>"],
    } | overrides
    config = getattr(transformers, f"{family}Config")(
        text_config=text,
        vision_config=vision,
        image_token_id=ids["<|image_pad|>"],
        video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"],
        vision_end_token_id=ids["<|vision_end|>"],
        tie_word_embeddings=True,
    )
    _write_tokenizer(
        folder,
        tokenizer,
        QWEN_CHAT_TEMPLATE,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        model_max_length=text["max_position_embeddings"],
    )
    _write_json(
        folder / "preprocessor_config.json",
        {
            "image_processor_type": "Qwen2VLImageProcessor",
            "processor_class": f"{family}Processor",
            "patch_size": 14,
            "merge_size": 2,
            "temporal_patch_size": 2,
            "size": {"shortest_edge": 4 * 28 * 28, "longest_edge": 16 * 28 * 28},
            "image_mean": [0.48145466, 0.4578275, 0.40821073],
            "image_std": [0.26862954, 0.26130258, 0.27577711],
        },
    )
    _write_model(folder, getattr(transformers, f"{family}ForConditionalGeneration"), config, seed=seed)
    _write_json(
        folder / "generation_config.json",
        {"eos_token_id": [ids["<|im_end|>"], ids["<|endoftext|>"]], "pad_token_id": ids["<|endoftext|>"]},
    )
    return folder


def tiny_qwen2_5_vl(folder: Path, *, seed: int = 0, **overrides: Any) -> Path:
    """Qwen2.5-VL, 2 layers of 64, into ``folder``; ``overrides`` are fields of its text config. Returns the folder."""
    vision = {
        "depth": 2,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_heads": 2,
        "out_hidden_size": overrides.get("hidden_size", 64),
        "fullatt_block_indexes": [1],
        "window_size": 56,
    }
    return _qwen(folder, "Qwen2_5_VL", vision, seed=seed, overrides=overrides)


def tiny_qwen2_vl(folder: Path, *, seed: int = 0, **overrides: Any) -> Path:
    """Qwen2-VL, 2 layers of 64, into ``folder``; ``overrides`` are fields of its text config. Returns the folder."""
    hidden = overrides.get("hidden_size", 64)
    vision = {"depth": 2, "embed_dim": 32, "hidden_size": hidden, "num_heads": 2, "mlp_ratio": 2}
    return _qwen(folder, "Qwen2VL", vision, seed=seed, overrides=overrides)


def tiny_smolvlm(folder: Path, *, seed: int = 0, **overrides: Any) -> Path:
    """SmolVLM, 2 layers of 64, into ``folder``; ``overrides`` are fields of its text config. Returns the folder."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = byte_level_tokenizer(SMOLVLM_SPECIAL_TOKENS)
    ids = {token: tokenizer.token_to_id(token) for token in SMOLVLM_SPECIAL_TOKENS}
    text = {
        "model_type": "llama",
        "vocab_size": tokenizer.get_vocab_size(),
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 2048,
        "bos_token_id": ids["<|im_start|>"],
        "eos_token_id": ids["<end_of_utterance>"],
        "pad_token_id": ids["<|im_start|>"],
    } | overrides
    config = transformers.SmolVLMConfig(
        text_config=text,
        vision_config={
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "image_size": 32,
            "patch_size": 8,
        },
        scale_factor=2,
        image_token_id=ids["<image>"],
        pad_token_id=ids["<|im_start|>"],
        tie_word_embeddings=False,
    )
    _write_tokenizer(
        folder,
        tokenizer,
        SMOLVLM_CHAT_TEMPLATE,
        bos_token="<|im_start|>",
        eos_token="<end_of_utterance>",
        pad_token="<|im_start|>",
        additional_special_tokens=SMOLVLM_SPECIAL_TOKENS[2:],
        model_max_length=text["max_position_embeddings"],
    )
    _write_json(
        folder / "preprocessor_config.json",
        {
            "image_processor_type": "SmolVLMImageProcessor",
            "processor_class": "SmolVLMProcessor",
            "do_image_splitting": False,
            "size": {"longest_edge": 32},
            "max_image_size": {"longest_edge": 32},
            "image_mean": [0.5, 0.5, 0.5],
            "image_std": [0.5, 0.5, 0.5],
        },
    )
    _write_json(folder / "processor_config.json", {"processor_class": "SmolVLMProcessor", "image_seq_len": 4})
    _write_model(folder, transformers.SmolVLMForConditionalGeneration, config, seed=seed)
    _write_json(folder / "generation_config.json", {"eos_token_id": ids["<end_of_utterance>"]})
    return folder
