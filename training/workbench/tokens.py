"""The run's own tokenizer: byte-level BPE learned from the world's wordings, single digits, Qwen's chat marks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from training.workbench import wire
from training.workbench.clip_questions import CLIP_MIX, clip_question
from training.workbench.clips import random_clip
from training.workbench.questions import MIX, grounding, random_question
from training.workbench.scenes import random_scene

MARKS = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|image_pad|>",
    "<|video_pad|>",
)
VOCAB_SIZE = 1024  # most words of the corpus are one token
CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{% if message['content'] is string %}{{ message['content'] }}{% else %}{% for item in message['content'] %}"
    "{% if item['type'] == 'image' %}<|vision_start|><|image_pad|><|vision_end|>"
    "{% elif item['type'] == 'video' %}<|vision_start|><|video_pad|><|vision_end|>"
    "{% elif 'text' in item %}{{ item['text'] }}{% endif %}{% endfor %}{% endif %}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
# words, single digits, runs of punctuation, blanks (as GPT-2 splits, but digits one by one)
_SPLIT = r" ?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"


def build(folder: Path, seed: int = 1, scenes: int = 6000) -> Tokenizer:
    """Learn the tokenizer from scenes of its own series and write it, with the chat template, into ``folder``."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_SPLIT), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCAB_SIZE,
        special_tokens=list(MARKS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_corpus(seed, scenes), trainer)
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": "<|im_end|>",
        "pad_token": "<|endoftext|>",
        "additional_special_tokens": list(MARKS[1:]),
        "clean_up_tokenization_spaces": False,
        "model_max_length": 8192,
        "chat_template": CHAT_TEMPLATE,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=1))
    return tokenizer


def _corpus(seed: int, scenes: int) -> Iterator[str]:
    rng = np.random.default_rng(seed)
    yield wire.SYSTEM_PROMPT
    yield "system user assistant\n " * 50
    for index in range(scenes):
        scene = random_scene(seed, index)
        kinds = rng.choice(list(MIX), 4)
        for question in [*(random_question(rng, scene, str(k)) for k in kinds), grounding(rng, scene)]:
            if question is not None:
                yield question.prompt
                yield wire.answer_text(question, cot=bool(rng.random() < 0.2), seen=(224, 224))
    for index in range(scenes // 3):
        clip = random_clip(seed, index)
        for question in (clip_question(rng, clip, kind) for kind in CLIP_MIX):
            if question is not None:
                yield question.prompt
                yield wire.answer_text(question, cot=bool(rng.random() < 0.2), seen=(160, 160))
