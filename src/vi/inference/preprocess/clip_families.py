"""How each architecture with a way of its own for clips takes them, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vi.inference.preprocess.picture_settings import CLIP_MEAN, CLIP_STD, HALF


@dataclass(frozen=True)
class ClipFamily:
    """One architecture's video path.

    defaults: what its video processor does where the checkpoint's files are silent. shares_pixels: the bounds on pixels
    are for all frames together, not for each. says_times: the prompt tells the time of every temporal patch in words,
    and each patch stands in brackets of its own. counts_seconds: the time axis of positions is scaled by how long a
    temporal patch lasts.
    """

    defaults: Mapping[str, Any]
    shares_pixels: bool = False
    says_times: bool = False
    counts_seconds: bool = False


_PATCHES = {"temporal_patch_size": 2, "merge_size": 2}
_QWEN2 = {  # Qwen2VLVideoProcessor
    **_PATCHES,
    "patch_size": 14,
    "size": {"shortest_edge": 128 * 28 * 28, "longest_edge": 768 * 28 * 28},
    "image_mean": CLIP_MEAN,
    "image_std": CLIP_STD,
    "max_video_tokens": 128_000,
}
_QWEN3 = {  # Qwen3VLVideoProcessor
    **_PATCHES,
    "patch_size": 16,
    "size": {"shortest_edge": 128 * 32 * 32, "longest_edge": 768 * 32 * 32},
    "image_mean": HALF,
    "image_std": HALF,
    "max_video_tokens": 768,
}
_QWEN3_VL = ClipFamily(_QWEN3, shares_pixels=True, says_times=True)

CLIP_FAMILIES: dict[str, ClipFamily] = {
    "qwen2_vl": ClipFamily(_QWEN2),
    "qwen2_5_vl": ClipFamily(_QWEN2, counts_seconds=True),
    "qwen3_vl": _QWEN3_VL,
    "qwen3_5": _QWEN3_VL,
}
"""By ``config.json``'s ``model_type``. Every other family takes the frames of a clip as pictures (``frame_texts``)."""
