"""Tiny checkpoints whose pictures are cut into tiles: SmolVLM, Idefics3, LLaVA-OneVision, LLaVA-NeXT, InternVL."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import transformers
from tests.tiny.checkpoint import CLIP, HALF, Words, chat_template, write_checkpoint, write_json

IDEFICS_TOKENS = [
    "<|begin_of_text|>",
    "<end_of_utterance>",
    "<fake_token_around_image>",
    "<image>",
    "<global-img>",
    *(f"<row_{row}_col_{col}>" for row in range(1, 4) for col in range(1, 4)),
]
SMOLVLM_TOKENS = [
    "<|im_start|>",
    "<end_of_utterance>",
    "<fake_token_around_image>",
    "<image>",
    "<global-img>",
    *(f"<row_{row}_col_{col}>" for row in range(1, 3) for col in range(1, 3)),
]
SMOLVLM_CHAT_TEMPLATE = (
    "<|im_start|>{% for message in messages %}{{ message['role'] | capitalize }}:"
    "{% if message['content'] is string %} {{ message['content'] }}"
    "{% else %}{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<image>{% else %} {{ part['text'] }}{% endif %}{% endfor %}{% endif %}"
    "<end_of_utterance>\n{% endfor %}{% if add_generation_prompt %}Assistant:{% endif %}"
)
CHAT_TOKENS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<image>", "<video>"]
INTERN_TOKENS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<img>", "</img>", "<IMG_CONTEXT>"]
LLAMA_TOKENS = ["<s>", "</s>", "<unk>", "<image>"]
VISION = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": 32,
    "patch_size": 8,
}
GRIDS = [[32, 64], [64, 32], [64, 64], [96, 32], [32, 96]]


def tiny_smolvlm(folder: Path, *, seed: int = 0, **overrides: Any) -> Path:
    """SmolVLM, every picture one tile, into ``folder``; ``overrides`` are fields of its text config."""
    words = Words(SMOLVLM_TOKENS)
    processor = {"do_image_splitting": False, "size": {"longest_edge": 32}}
    return _idefics(folder, "SmolVLM", words, SMOLVLM_CHAT_TEMPLATE, processor, seed, overrides)


def tiny_idefics3(folder: Path, *, seed: int = 0, **overrides: Any) -> Path:
    """Idefics3, pictures cut into up to 3 x 3 tiles; ``overrides`` are fields of its text config."""
    words = Words(IDEFICS_TOKENS)
    template = chat_template("{}: ", "<end_of_utterance>\n", "<image>", "assistant:", bos=IDEFICS_TOKENS[0])
    processor = {"do_image_splitting": True, "size": {"longest_edge": 96}}
    return _idefics(folder, "Idefics3", words, template, processor, seed, overrides)


def _idefics(
    folder: Path,
    name: str,
    words: Words,
    template: str,
    processor: dict[str, Any],
    seed: int,
    overrides: dict[str, Any],
) -> Path:
    bos, eos, *marks = words.ids
    config = getattr(transformers, f"{name}Config")(
        text_config=words.text_config(bos=bos, eos=eos, model_type="llama") | overrides,
        vision_config=VISION,
        scale_factor=2,
        image_token_id=words.ids["<image>"],
        pad_token_id=words.ids[bos],
        tie_word_embeddings=False,
    )
    write_checkpoint(
        folder,
        name,
        config,
        words,
        template,
        {"image_processor_type": f"{name}ImageProcessor", "max_image_size": {"longest_edge": 32}, **processor, **HALF},
        seed=seed,
        tokens={"bos_token": bos, "eos_token": eos, "pad_token": bos, "additional_special_tokens": marks},
        eos=[eos],
    )
    write_json(Path(folder) / "processor_config.json", {"processor_class": f"{name}Processor", "image_seq_len": 4})
    return Path(folder)


def tiny_llava_onevision(folder: Path, *, seed: int = 0, **overrides: Any) -> Path:
    """LLaVA-OneVision; the plane of a picture's tiles shrinks to the area of two. Returns the folder."""
    words = Words(CHAT_TOKENS)
    config = transformers.LlavaOnevisionConfig(
        text_config=words.text_config(bos="<|endoftext|>", eos="<|im_end|>", model_type="qwen2") | overrides,
        vision_config=VISION | {"model_type": "siglip_vision_model", "vision_use_head": False},
        image_token_index=words.ids["<image>"],
        video_token_index=words.ids["<video>"],
        image_grid_pinpoints=GRIDS,
        vision_aspect_ratio="anyres_max_2",
        vision_feature_select_strategy="full",
        vision_feature_layer=-1,
        tie_word_embeddings=False,
    )
    return write_checkpoint(
        folder,
        "LlavaOnevision",
        config,
        words,
        chat_template("<|im_start|>{} ", "<|im_end|>", "<image>\n", "<|im_start|>assistant\n"),
        {
            "image_processor_type": "LlavaOnevisionImageProcessor",
            "size": {"height": 32, "width": 32},
            "image_grid_pinpoints": GRIDS,
            **HALF,
        },
        seed=seed,
        tokens={"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"},
        eos=["<|im_end|>", "<|endoftext|>"],
    )


def tiny_llava_next(folder: Path, *, seed: int = 0, **overrides: Any) -> Path:
    """LLaVA-NeXT over a CLIP tower; ``overrides`` are fields of its text config. Returns the folder."""
    words = Words(LLAMA_TOKENS)
    config = transformers.LlavaNextConfig(
        text_config=words.text_config(bos="<s>", eos="</s>", model_type="llama") | overrides,
        vision_config=VISION | {"model_type": "clip_vision_model", "projection_dim": 32},
        image_token_index=words.ids["<image>"],
        image_grid_pinpoints=GRIDS,
        image_seq_length=16,
        tie_word_embeddings=False,
    )
    return write_checkpoint(
        folder,
        "LlavaNext",
        config,
        words,
        chat_template("{}: ", "</s>", "<image>\n", "ASSISTANT:", bos="<s>"),
        {
            "image_processor_type": "LlavaNextImageProcessor",
            "size": {"shortest_edge": 32},
            "crop_size": {"height": 32, "width": 32},
            "image_grid_pinpoints": GRIDS,
            **CLIP,
        },
        seed=seed,
        tokens={"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<s>", "unk_token": "<unk>"},
        eos=["</s>"],
    )


def tiny_internvl(folder: Path, *, seed: int = 0, **overrides: Any) -> Path:
    """InternVL over Qwen3; ``overrides`` are fields of its text config. Returns the folder."""
    words = Words(INTERN_TOKENS)
    text = words.text_config(bos="<|endoftext|>", eos="<|im_end|>", model_type="qwen3", head_dim=16) | overrides
    config = transformers.InternVLConfig(
        text_config=text,
        vision_config=VISION | {"image_size": [32, 32], "patch_size": [8, 8]},
        image_token_id=words.ids["<IMG_CONTEXT>"],
        image_seq_length=4,
        downsample_ratio=0.5,
        tie_word_embeddings=False,
    )
    return write_checkpoint(
        folder,
        "InternVL",
        config,
        words,
        chat_template("<|im_start|>{}\n", "<|im_end|>\n", "<IMG_CONTEXT>\n", "<|im_start|>assistant\n"),
        {
            "image_processor_type": "GotOcr2ImageProcessor",
            "crop_to_patches": False,
            "min_patches": 1,
            "max_patches": 4,
            "size": {"height": 32, "width": 32},
            **CLIP,
        },
        seed=seed,
        tokens={"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"},
        eos=["<|im_end|>", "<|endoftext|>"],
    )
