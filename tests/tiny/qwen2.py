"""Tiny checkpoints of Qwen2-VL and Qwen2.5-VL, the architecture of the embedded run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import transformers
from tests.tiny.checkpoint import CLIP, Words, write_checkpoint

TOKENS = [
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|image_pad|>",
    "<|video_pad|>",
]
# As the published one: the system prompt is optional, pictures and clips may stand anywhere among a turn's parts.
CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{% if message['content'] is string %}{{ message['content'] }}"
    "{% else %}{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<|vision_start|><|image_pad|><|vision_end|>"
    "{% elif part['type'] == 'video' %}<|vision_start|><|video_pad|><|vision_end|>"
    "{% elif 'text' in part %}{{ part['text'] }}{% endif %}{% endfor %}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
MROPE = {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [2, 3, 3]}


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
    return _qwen2(folder, "Qwen2_5_VL", vision, seed=seed, overrides=overrides)


def tiny_qwen2_vl(folder: Path, *, seed: int = 0, **overrides: Any) -> Path:
    """Qwen2-VL, 2 layers of 64, into ``folder``; ``overrides`` are fields of its text config. Returns the folder."""
    hidden = overrides.get("hidden_size", 64)
    vision = {"depth": 2, "embed_dim": 32, "hidden_size": hidden, "num_heads": 2, "mlp_ratio": 2}
    return _qwen2(folder, "Qwen2VL", vision, seed=seed, overrides=overrides)


def _qwen2(folder: Path, name: str, vision: dict[str, Any], *, seed: int, overrides: dict[str, Any]) -> Path:
    words = Words(TOKENS)
    config = getattr(transformers, f"{name}Config")(
        text_config=words.text_config(bos="<|endoftext|>", eos="<|im_end|>", rope_parameters=MROPE) | overrides,
        vision_config=vision,
        image_token_id=words.ids["<|image_pad|>"],
        video_token_id=words.ids["<|video_pad|>"],
        vision_start_token_id=words.ids["<|vision_start|>"],
        vision_end_token_id=words.ids["<|vision_end|>"],
        tie_word_embeddings=True,
    )
    return write_checkpoint(
        folder,
        name,
        config,
        words,
        CHAT_TEMPLATE,
        {
            "image_processor_type": "Qwen2VLImageProcessor",
            "patch_size": 14,
            "merge_size": 2,
            "temporal_patch_size": 2,
            "size": {"shortest_edge": 4 * 28 * 28, "longest_edge": 16 * 28 * 28},
            **CLIP,
        },
        seed=seed,
        tokens={"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"},
        eos=["<|im_end|>", "<|endoftext|>"],
    )
