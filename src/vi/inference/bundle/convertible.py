"""Which checkpoints can be converted, told from their ``config.json`` alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vi.inference.errors import LoadError, did_you_mean
from vi.inference.preprocess.families import get_family
from vi.inference.runs.model_config import read_model_config

CONVERTIBLE = ("qwen2_vl", "qwen2_5_vl", "qwen3_vl", "smolvlm", "idefics3", "llava_next", "llava_onevision", "internvl")
TORCH_HINT = "It runs with PyTorch instead."


def require_convertible_checkpoint(folder: Path) -> None:
    """Raise LoadError that says why the checkpoint in ``folder`` cannot be converted, as far as its config tells."""
    require_convertible(read_model_config(folder))


def require_convertible(config: Mapping[str, Any]) -> None:
    """Raise LoadError that says why a checkpoint of this configuration cannot be converted."""
    family = str(config.get("model_type"))
    if family not in CONVERTIBLE:
        hint = f"{did_you_mean(family, CONVERTIBLE)} {TORCH_HINT}".strip()
        raise LoadError(f"{family!r} models cannot be converted; these can: {', '.join(CONVERTIBLE)}.", hint)
    text = config.get("text_config") or config
    kinds = sorted(set(text.get("layer_types") or ()) - {"full_attention"})
    if kinds:
        raise LoadError(f"This model has layers of {', '.join(kinds)}, which cannot be converted.", TORCH_HINT)
    if reason := get_family(family).why_plain(config):
        raise LoadError(f"This model cannot be converted: {reason}.", TORCH_HINT)
