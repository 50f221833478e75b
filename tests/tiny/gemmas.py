"""Tiny checkpoints whose pictures take one fixed size and are read in both directions: Gemma 3, PaliGemma."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import transformers
from tests.tiny.checkpoint import HALF, Words, chat_template, write_checkpoint

GEMMA3_TOKENS = [
    "<pad>",
    "<eos>",
    "<bos>",
    "<start_of_turn>",
    "<end_of_turn>",
    "<start_of_image>",
    "<end_of_image>",
    "<image_soft_token>",
]
PALIGEMMA_TOKENS = ["<pad>", "<eos>", "<bos>", "<image>"]
# Published checkpoints have none: pictures, then the start of the text, then the question on its own line.
PALIGEMMA_CHAT_TEMPLATE = (
    "{% for message in messages %}{% for part in message['content'] if part['type'] == 'image' %}<image>"
    "{% endfor %}{% endfor %}<bos>"
    "{% for message in messages %}{% for part in message['content'] if 'text' in part %}{{ part['text'] }}\n"
    "{% endfor %}{% endfor %}"
)
VISION = {
    "model_type": "siglip_vision_model",
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": 32,
    "patch_size": 8,
    "vision_use_head": False,
}
TOKENS = {"bos_token": "<bos>", "eos_token": "<eos>", "pad_token": "<pad>"}


def tiny_gemma3(folder: Path, *, seed: int = 0, **overrides: Any) -> Path:
    """Gemma 3: a layer with a sliding window of 24 tokens, and one without. Returns the folder."""
    words = Words(GEMMA3_TOKENS)
    more = {
        "head_dim": 16,
        "query_pre_attn_scalar": 16,
        "sliding_window": 24,
        "layer_types": ["sliding_attention", "full_attention"],
    }
    config = transformers.Gemma3Config(
        text_config=words.text_config(bos="<bos>", eos="<eos>") | more | overrides,
        vision_config=VISION,
        mm_tokens_per_image=4,
        boi_token_index=words.ids["<start_of_image>"],
        eoi_token_index=words.ids["<end_of_image>"],
        image_token_index=words.ids["<image_soft_token>"],
    )
    return write_checkpoint(
        folder,
        "Gemma3",
        config,
        words,
        chat_template(
            "<start_of_turn>{}\n", "<end_of_turn>\n", "<start_of_image>", "<start_of_turn>model\n", bos="<bos>"
        ),
        {"image_processor_type": "Gemma3ImageProcessor", "size": {"height": 32, "width": 32}, **HALF},
        seed=seed,
        tokens=TOKENS,
        eos=["<eos>", "<end_of_turn>"],
    )


def tiny_paligemma(folder: Path, *, seed: int = 0, **overrides: Any) -> Path:
    """PaliGemma over Gemma; ``overrides`` are fields of its text config. Returns the folder."""
    words = Words(PALIGEMMA_TOKENS)
    text = words.text_config(bos="<bos>", eos="<eos>", model_type="gemma", head_dim=16) | overrides
    config = transformers.PaliGemmaConfig(
        text_config=text,
        vision_config=VISION | {"projection_dim": text["hidden_size"]},
        image_token_index=words.ids["<image>"],
        projection_dim=text["hidden_size"],
    )
    return write_checkpoint(
        folder,
        "PaliGemma",
        config,
        words,
        PALIGEMMA_CHAT_TEMPLATE,
        {
            "image_processor_type": "SiglipImageProcessor",
            "image_seq_length": 16,
            "size": {"height": 32, "width": 32},
            **HALF,
        },
        seed=seed,
        tokens=TOKENS,
        eos=["<eos>"],
    )
