"""Tiny checkpoints whose pictures are one grid of patches: Qwen3-VL, Qwen3.5, GLM-4V, Mistral 3."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import transformers
from tests.tiny.checkpoint import CLIP, HALF, Words, chat_template, write_checkpoint
from tests.tiny.qwen2 import TOKENS as QWEN_TOKENS

GLM_TOKENS = [
    "<|endoftext|>",
    "<|user|>",
    "<|assistant|>",
    "<|begin_of_image|>",
    "<|image|>",
    "<|end_of_image|>",
    "<|begin_of_video|>",
    "<|video|>",
    "<|end_of_video|>",
]
MISTRAL_TOKENS = ["<s>", "</s>", "[INST]", "[/INST]", "[IMG]", "[IMG_BREAK]", "[IMG_END]"]
MROPE = {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [2, 3, 3]}
VISION = {"depth": 2, "hidden_size": 32, "intermediate_size": 64, "num_heads": 2}


def _patches(side: int, **more: Any) -> dict[str, Any]:
    size = {"shortest_edge": 4 * (2 * side) ** 2, "longest_edge": 16 * (2 * side) ** 2}
    return {"patch_size": side, "merge_size": 2, "temporal_patch_size": 2, "size": size} | more


def _qwen3(folder: Path, name: str, text: dict[str, Any], vision: dict[str, Any], seed: int) -> Path:
    words = Words(QWEN_TOKENS)
    base = words.text_config(bos="<|endoftext|>", eos="<|im_end|>", head_dim=16, rope_parameters=MROPE)
    text = base | text
    config = getattr(transformers, f"{name}Config")(
        text_config=text,
        vision_config=VISION | {"out_hidden_size": text["hidden_size"], "num_position_embeddings": 16} | vision,
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
        chat_template(
            "<|im_start|>{}\n",
            "<|im_end|>\n",
            "<|vision_start|><|image_pad|><|vision_end|>",
            "<|im_start|>assistant\n",
        ),
        _patches(16, image_processor_type="Qwen2VLImageProcessor", processor_class="Qwen3VLProcessor", **HALF),
        seed=seed,
        tokens={"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"},
        eos=["<|im_end|>", "<|endoftext|>"],
    )


def tiny_qwen3_vl(folder: Path, *, seed: int = 0, **overrides: Any) -> Path:
    """Qwen3-VL with deepstack, into ``folder``; ``overrides`` are fields of its text config. Returns the folder."""
    return _qwen3(folder, "Qwen3VL", overrides, {"depth": 3, "deepstack_visual_indexes": [0, 1]}, seed)


def tiny_qwen3_5(folder: Path, *, seed: int = 0, **overrides: Any) -> Path:
    """Qwen3.5: three layers of linear attention and one of full attention. Returns the folder."""
    text = {
        "num_hidden_layers": 4,
        "linear_key_head_dim": 16,
        "linear_value_head_dim": 16,
        "linear_num_key_heads": 2,
        "linear_num_value_heads": 4,
        "rope_parameters": MROPE | {"partial_rotary_factor": 1.0, "mrope_interleaved": True},
    }
    return _qwen3(folder, "Qwen3_5", text | overrides, {}, seed)


def tiny_glm4v(folder: Path, *, seed: int = 0, **overrides: Any) -> Path:
    """GLM-4V, into ``folder``; ``overrides`` are fields of its text config. Returns the folder."""
    words = Words(GLM_TOKENS)
    rope = MROPE | {"partial_rotary_factor": 1.0}
    text = words.text_config(bos="<|endoftext|>", eos="<|user|>", rope_parameters=rope) | overrides
    config = transformers.Glm4vConfig(
        text_config=text,
        vision_config=VISION | {"out_hidden_size": text["hidden_size"], "image_size": 56},
        image_token_id=words.ids["<|image|>"],
        video_token_id=words.ids["<|video|>"],
        image_start_token_id=words.ids["<|begin_of_image|>"],
        image_end_token_id=words.ids["<|end_of_image|>"],
        video_start_token_id=words.ids["<|begin_of_video|>"],
        video_end_token_id=words.ids["<|end_of_video|>"],
    )
    return write_checkpoint(
        folder,
        "Glm4v",
        config,
        words,
        chat_template("<|{}|>\n", "", "<|begin_of_image|><|image|><|end_of_image|>", "<|assistant|>\n"),
        _patches(14, image_processor_type="Glm4vImageProcessor", **CLIP),
        seed=seed,
        tokens={"eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>"},
        eos=["<|endoftext|>", "<|user|>"],
    )


def tiny_mistral3(folder: Path, *, seed: int = 0, **overrides: Any) -> Path:
    """Mistral 3 with Pixtral's vision tower, into ``folder``; ``overrides`` are fields of its text config."""
    words = Words(MISTRAL_TOKENS)
    text = words.text_config(bos="<s>", eos="</s>", model_type="mistral", head_dim=16, sliding_window=None) | overrides
    config = transformers.Mistral3Config(
        text_config=text,
        vision_config={
            "model_type": "pixtral",
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "image_size": 112,
            "patch_size": 14,
        },
        image_token_index=words.ids["[IMG]"],
        spatial_merge_size=2,
        tie_word_embeddings=False,
    )
    return write_checkpoint(
        folder,
        "Mistral3",
        config,
        words,
        chat_template("[INST]{}\n", "[/INST]", "[IMG]", "", bos="<s>"),
        {
            "image_processor_type": "PixtralImageProcessor",
            "processor_class": "PixtralProcessor",
            "patch_size": {"height": 14, "width": 14},
            "size": {"longest_edge": 112},
            **CLIP,
        },
        seed=seed,
        tokens={"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<s>"},
        eos=["</s>"],
    )
