"""Clips against transformers' own code, as far as that runs without torchvision."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import Qwen2_5_VLConfig, Qwen2VLConfig, Qwen3VLConfig
from transformers.models.qwen2_5_vl.modeling_qwen2_5_vl import Qwen2_5_VLModel
from transformers.models.qwen2_vl.modeling_qwen2_vl import Qwen2VLModel
from transformers.models.qwen3_vl.modeling_qwen3_vl import Qwen3VLModel
from transformers.models.qwen3_vl.video_processing_qwen3_vl import Qwen3VLVideoProcessor, smart_resize

from vi.inference.media.clip import Clip
from vi.inference.preprocess.clip_families import CLIP_FAMILIES
from vi.inference.preprocess.clip_positions import clip_positions
from vi.inference.preprocess.clips import ClipEncoder, resize_together

WORD, PLACE = 10, 7
KINDS = {
    "qwen2_vl": (Qwen2VLModel, Qwen2VLConfig, {"embed_dim": 32}),
    "qwen2_5_vl": (Qwen2_5_VLModel, Qwen2_5_VLConfig, {"tokens_per_second": 2, "out_hidden_size": 64}),
    "qwen3_vl": (Qwen3VLModel, Qwen3VLConfig, {"out_hidden_size": 64, "deepstack_visual_indexes": [0]}),
}


@pytest.fixture(scope="module")
def models():
    """Models that have a shape but no weights: counting positions needs none."""
    made = {}
    for family, (model, config, vision) in KINDS.items():
        text = {
            "hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 4,
            "num_key_value_heads": 2, "vocab_size": 100, "head_dim": 16,
            "rope_parameters": {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [2, 3, 3]},
        }  # fmt: skip
        shape = {"depth": 1, "hidden_size": 64, "num_heads": 2, "intermediate_size": 64, **vision}
        with torch.device("meta"):
            made[family] = model(config(text_config=text, vision_config=shape, video_token_id=PLACE))
    return made


@pytest.mark.parametrize("family", KINDS)
@settings(max_examples=40, deadline=None)
@given(
    before=st.integers(0, 3),
    time=st.integers(1, 12),
    rows=st.integers(1, 5),
    columns=st.integers(1, 5),
    fps=st.sampled_from([0.5, 1.0, 2.0, 3.0, 4.0, 7.3]),
)
def test_positions_of_a_clip_are_those_of_transformers(models, family, before, time, rows, columns, fps):
    grid = (time, rows * 2, columns * 2)
    seconds = float(np.float32(2 / fps))
    maker = ClipEncoder({}, CLIP_FAMILIES[family])
    if CLIP_FAMILIES[family].says_times:
        runs, part = [(1, *grid[1:])] * time, [WORD, *[PLACE] * (rows * columns), WORD]
        ids, interval = [WORD] * before + part * time, 1.0
    else:
        runs, ids = [grid], [WORD] * before + [PLACE] * (time * rows * columns) + [WORD] * 3
        interval = 2 * seconds if CLIP_FAMILIES[family].counts_seconds else 1.0
    assert maker.merge_size == 2
    tokens = torch.tensor([ids])
    extra = {"second_per_grid_ts": torch.tensor([seconds])} if family == "qwen2_5_vl" else {}
    theirs, _ = models[family].get_rope_index(
        tokens, mm_token_type_ids=(tokens == PLACE).int() * 2, video_grid_thw=torch.tensor([grid]), **extra
    )
    ours, theirs = clip_positions(ids, PLACE, runs, 2, interval), theirs[:, 0].numpy()
    last = max(at for at, token in enumerate(ids) if token == PLACE) + 1
    assert (ours[:, :last] == theirs[:, :last]).all()
    if last < len(ids):
        assert (ours[:, last:] == ours[:, :last].max() + 1 + np.arange(len(ids) - last)).all()
        if family == "qwen3_vl" or int((time - 1) * interval) < max(rows, columns):  # else transformers 5 goes back
            assert (ours == theirs).all()


SIZES = st.integers(20, 2500)


@given(count=st.integers(2, 300), width=SIZES, height=SIZES, most=st.sampled_from([786_432, 25_165_824]))
def test_sizes_are_those_of_qwen3(count, width, height, most):
    expected = smart_resize(count, height, width, 2, 32, 131_072, most)
    assert resize_together(count, height, width, 2, 32, 131_072, most) == expected


@pytest.mark.parametrize("count", [2, 5])
@pytest.mark.parametrize("family", CLIP_FAMILIES)
def test_patches_are_those_of_the_video_processor(family, count):
    """Qwen2-VL's cuts with the same lines as Qwen3-VL's. Frames are resized before, by Pillow."""
    random = np.random.default_rng(0)
    clip = Clip.of([random.integers(0, 256, (120, 160, 3), np.uint8) for _ in range(count)], range(count))
    kind = CLIP_FAMILIES[family]
    encoded = ClipEncoder({}, kind).encode(clip)
    resized = np.stack([np.asarray(frame.resize(encoded.seen_size, 3)) for frame in clip.frames])
    mean, std = (torch.tensor(kind.defaults[name]).view(3, 1, 1) for name in ("image_mean", "image_std"))
    normal = (torch.from_numpy(resized).permute(0, 3, 1, 2) / 255 - mean) / std
    patches, *grid = Qwen3VLVideoProcessor().patchify(normal[None], kind.defaults["patch_size"], 2, 2)
    np.testing.assert_allclose(encoded.arrays["pixel_values_videos"], patches[0], atol=1e-5)
    assert encoded.arrays["video_grid_thw"].tolist() == [grid]


def test_pillow_resizes_as_torchvision_does_but_for_rounding():
    """What torchvision calls on a CPU rounds its weights to fewer bits."""
    random = np.random.default_rng(0)
    picture = np.kron(random.integers(0, 256, (30, 40, 3)), np.ones((8, 8, 1))).astype(np.uint8)
    clip = Clip.of([picture, picture], [0, 1])
    encoded = ClipEncoder({}, CLIP_FAMILIES["qwen2_vl"]).encode(clip)
    width, height = encoded.seen_size
    ours = np.asarray(clip.frames[0].resize((width, height), 3)).astype(int)
    theirs = torch.nn.functional.interpolate(
        torch.from_numpy(picture).permute(2, 0, 1)[None], (height, width), mode="bicubic", antialias=True
    )
    difference = np.abs(theirs[0].permute(1, 2, 0).numpy().astype(int) - ours)
    assert difference.max() <= 2
    assert (difference > 0).mean() < 0.02
