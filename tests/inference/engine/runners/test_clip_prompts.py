"""Clips through a paged runner: what transformers' ``generate`` writes about the same frames."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.inference.engine.runners.driving import Driver, Row, generate

from vi.inference.media.clip import Clip
from vi.inference.preprocess.clip_families import CLIP_FAMILIES
from vi.inference.preprocess.clip_positions import clip_positions
from vi.inference.preprocess.clips import ClipEncoder
from vi.inference.preprocess.plain_text import PlainText
from vi.inference.preprocess.prompt import Prompt

START, PLACE, END = "<|vision_start|>", "<|video_pad|>", "<|vision_end|>"


def clip_prompt(models, family: str, clip: Clip) -> tuple[Prompt, float]:
    """A question about a clip, and the seconds of a temporal patch."""
    config, text = models.loaded.config, PlainText(models.loaded.tokenizer)
    vision = config["vision_config"]
    patch = vision.get("patch_size", 14)
    size = {"shortest_edge": 4 * (2 * patch) ** 2, "longest_edge": 40 * (2 * patch) ** 2}
    maker = ClipEncoder({"size": size, "patch_size": patch}, CLIP_FAMILIES[family])
    encoded = maker.encode(clip)
    ids: list[int] = []
    for piece in text.cut(f"<|im_start|>user\n{maker.text(encoded, START, PLACE, END)}What moves?<|im_end|>\n"):
        ids += [piece] if isinstance(piece, int) else text.encode(piece, first=False)
    place = int(config["video_token_id"])
    interval = maker.interval(encoded, vision.get("tokens_per_second", 1))
    positions = clip_positions(ids, place, maker.runs(encoded), maker.merge_size, interval)
    prompt = Prompt(ids, encoded.arrays, ids.count(place), encoded.seen_size, positions, encoded.key, place)
    return prompt, encoded.seconds_per_grid


@pytest.mark.parametrize("family", ["qwen2_vl", "qwen2_5_vl", "qwen3_vl"])
@pytest.mark.parametrize("count", [1, 4, 5])
def test_a_clip_is_answered_as_generate_answers_it(pair, family, count):
    models = pair(family)
    random = np.random.default_rng(count)
    frames = [random.integers(0, 256, (90, 160, 3), np.uint8) for _ in range(count)]
    prompt, seconds = clip_prompt(models, family, Clip.of(frames, np.arange(count) / 8))
    ids = torch.tensor([prompt.token_ids])
    more = {"second_per_grid_ts": torch.tensor([seconds])} if family == "qwen2_5_vl" else {}
    more["mm_token_type_ids"] = (ids == prompt.placeholder_id).int() * 2
    expected = generate(models.oracle, prompt, 10, **more)
    assert Driver(models.runner()).run([Row(prompt, 10), Row(prompt, 10, chunk=7)]) == [expected, expected]
