"""Tiny random-weight checkpoints of real architectures, as complete Hugging Face folders, the same on every run.

Their answers are noise; their files, tokenizers, chat templates and forward passes are the real thing. Each function
takes a folder, ``seed=`` and fields of the text config; it writes the checkpoint and returns the folder.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.tiny.checkpoint import byte_level_tokenizer
from tests.tiny.gemmas import tiny_gemma3, tiny_paligemma
from tests.tiny.grids import tiny_glm4v, tiny_mistral3, tiny_qwen3_5, tiny_qwen3_vl
from tests.tiny.qwen2 import tiny_qwen2_5_vl, tiny_qwen2_vl
from tests.tiny.tiles import tiny_idefics3, tiny_internvl, tiny_llava_next, tiny_llava_onevision, tiny_smolvlm

# By config.json's model_type.
TINY: dict[str, Callable[..., Path]] = {
    "qwen2_5_vl": tiny_qwen2_5_vl,
    "qwen2_vl": tiny_qwen2_vl,
    "qwen3_vl": tiny_qwen3_vl,
    "glm4v": tiny_glm4v,
    "smolvlm": tiny_smolvlm,
    "idefics3": tiny_idefics3,
    "llava_onevision": tiny_llava_onevision,
    "llava_next": tiny_llava_next,
    "internvl": tiny_internvl,
    "mistral3": tiny_mistral3,
    "gemma3": tiny_gemma3,
    "paligemma": tiny_paligemma,
    "qwen3_5": tiny_qwen3_5,
}

__all__ = ["TINY", "byte_level_tokenizer", *(function.__name__ for function in TINY.values())]
