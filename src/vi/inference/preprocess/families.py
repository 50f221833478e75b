"""What differs between architectures, as data: the text that stands for a picture, and how positions are counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from vi.inference.errors import LoadError, did_you_mean
from vi.inference.preprocess import placeholders
from vi.inference.preprocess.placeholders import Config, Inputs

Sizes = list[tuple[int, int]]

LANGUAGE_MODELS = ("", "llama", "mistral", "qwen2", "qwen3", "qwen3_moe")  # "" where none is stated: the usual one
LENGTH_DEPENDENT = ("dynamic", "longrope")


@dataclass(frozen=True)
class Family:
    """One architecture.

    placeholders: (image processor's output, ``config.json``, image token) -> the prompt text of each picture.
    template_token: what the chat template writes for a picture, where that is not the image token itself. brackets: the
    tokens that it writes before and after every picture, where ``placeholders`` does not.
    options: ``config.json`` -> what transformers' image processor is called with besides the pictures. layout: names
    in its output that only say how a picture was cut, which ``forward`` does not take. seen_sizes: (image
    processor's output, ``config.json``) -> (width, height) in pixels of the resized pictures; None where they are cut
    into tiles. mrope: positions have three axes (time, height, width).

    plain: why the family cannot run over a paged cache, empty where it can; see ``docs/models.md``. token_types: the
    prompt's ids [S] and the placeholder id -> what ``forward`` takes as ``token_type_ids`` [S].
    """

    placeholders: Callable[[Inputs, Config, str], list[str]]
    template_token: str | None = None
    brackets: tuple[str, str] = ("", "")
    layout: tuple[str, ...] = ()
    options: Callable[[Config], dict[str, Any]] = lambda config: {}
    seen_sizes: Callable[[Inputs, Config], Sizes] | None = None
    mrope: bool = False
    plain: str = ""
    token_types: Callable[[np.ndarray, int], np.ndarray] | None = None

    @property
    def paged(self) -> bool:
        """Whether requests can share one cache that is cut into blocks."""
        return not self.plain

    def why_plain(self, config: Config) -> str:
        """Why a checkpoint with this ``config.json`` cannot run over a paged cache; empty where it can."""
        text = config.get("text_config") or {}
        kind = text.get("model_type", "")
        if self.paged and not (kind in LANGUAGE_MODELS or kind.startswith(str(config.get("model_type")))):
            return (
                f"its language model is {kind}, and only these are tested: {', '.join(filter(None, LANGUAGE_MODELS))}"
            )
        rope = (text.get("rope_parameters") or text.get("rope_scaling") or {}).get("rope_type")
        if self.paged and rope in LENGTH_DEPENDENT:
            return f"its {rope} positions depend on the length of a text, and requests in one batch differ in that"
        return self.plain


def grid_sizes(inputs: Inputs, config: Config, *, patch: int = 14) -> Sizes:
    """The pixels that each picture's grid of patches covers. patch: the architecture's own where none is stated."""
    side = config["vision_config"].get("patch_size", patch)
    return [(int(columns) * side, int(rows) * side) for _, rows, columns in inputs["image_grid_thw"]]


def resized(inputs: Inputs, config: Config) -> Sizes:
    """Where the processor says the sizes itself."""
    return [(int(width), int(height)) for height, width in inputs["image_sizes"]]


def squares(inputs: Inputs, config: Config) -> Sizes:
    """Where every picture takes the same size; nothing of a picture that was cut into crops."""
    if any(int(crops) for crops in inputs.get("num_crops", ())):
        return []
    height, width = inputs["pixel_values"].shape[-2:]
    return [(int(width), int(height))] * len(inputs["pixel_values"])


def pictures_are_ones(token_ids: np.ndarray, placeholder_id: int) -> np.ndarray:
    """1 for the places of pictures, 0 for words (Gemma 3)."""
    return (token_ids == placeholder_id).astype(np.int64)


def prompt_is_zeros(token_ids: np.ndarray, placeholder_id: int) -> np.ndarray:
    """The whole prompt is the prefix, whose tokens see one another (PaliGemma)."""
    return np.zeros_like(token_ids)


def with_rows(config: Config) -> dict[str, Any]:
    """Idefics3's processor tells the numbers of rows and columns only when asked."""
    return {"return_row_col_info": True}


def with_tiles(config: Config) -> dict[str, Any]:
    """InternVL's checkpoints state it for their processor, not for its part that prepares pictures."""
    return {"crop_to_patches": True}


def whole_rows(config: Config) -> dict[str, Any]:
    """Mistral 3's sizes are whole numbers of merged patches, which the picture processor's own file does not know."""
    side = config["vision_config"].get("patch_size", 14) * config.get("spatial_merge_size", 2)
    return {"patch_size": {"height": side, "width": side}}


QWEN_BRACKETS = ("<|vision_start|>", "<|vision_end|>")
QWEN2_VL = Family(placeholders.merged_grid, brackets=QWEN_BRACKETS, seen_sizes=grid_sizes, mrope=True)
SMOLVLM = Family(placeholders.tiles, layout=("rows", "cols"), options=with_rows)

FAMILIES: dict[str, Family] = {
    "qwen2_vl": QWEN2_VL,
    "qwen2_5_vl": QWEN2_VL,
    "qwen3_vl": Family(
        placeholders.merged_grid, brackets=QWEN_BRACKETS, seen_sizes=partial(grid_sizes, patch=16), mrope=True
    ),
    "glm4v": Family(
        placeholders.merged_grid,
        brackets=("<|begin_of_image|>", "<|end_of_image|>"),
        seen_sizes=grid_sizes,
        mrope=True,
    ),
    "smolvlm": SMOLVLM,
    "idefics3": SMOLVLM,
    "llava_onevision": Family(placeholders.bounded_tiles),
    "llava_next": Family(placeholders.unpadded_tiles),
    "internvl": Family(placeholders.counted_tiles, layout=("num_patches",), options=with_tiles),
    "mistral3": Family(placeholders.rows_of_patches, options=whole_rows, seen_sizes=resized),
    "gemma3": Family(
        placeholders.fixed_with_crops,
        template_token="<start_of_image>",
        layout=("num_crops",),
        seen_sizes=squares,
        plain="the places of a picture see one another, so a prompt cannot be read in chunks that cut one",
        token_types=pictures_are_ones,
    ),
    "paligemma": Family(
        placeholders.fixed,
        seen_sizes=squares,
        plain="the whole prompt sees itself in both directions, so it cannot be read in chunks or shared as a prefix",
        token_types=prompt_is_zeros,
    ),
    "qwen3_5": Family(
        placeholders.merged_grid,
        brackets=QWEN_BRACKETS,
        seen_sizes=partial(grid_sizes, patch=16),
        mrope=True,
        plain="most layers keep one running state instead of keys and values of each token",
    ),
}


def get_family(model_type: str) -> Family:
    """The row of ``model_type`` (``config.json``'s own word); LoadError names the nearest where there is none."""
    if model_type in FAMILIES:
        return FAMILIES[model_type]
    raise LoadError(
        f"{model_type!r} is not an architecture that can be run yet; these are: {', '.join(FAMILIES)}.",
        did_you_mean(model_type, FAMILIES),
    )
