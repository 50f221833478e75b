"""What differs between architectures when they are converted: how pictures are encoded and positions counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from vi.inference.bundle.language_graph import LanguageShape
from vi.inference.bundle.layout import VisionFacts
from vi.inference.bundle.patch_vision import PatchVision
from vi.inference.bundle.tile_vision import InternTiles, LlavaTiles, SmolTiles


@dataclass(frozen=True)
class ConvertibleFamily:
    """One architecture.

    vision: the transformers model without its head -> a module that ``vision_graph`` takes. facts: its config -> what
    is stored about the encoder. axes: of positions.
    """

    vision: Callable[[Any], Any]
    facts: Callable[[Any], VisionFacts]
    axes: Literal[1, 3] = 1


def patch_facts(config: Any) -> VisionFacts:
    """Of the Qwen-VL encoders: their windows, where some layers have such, and their learned positions."""
    vision, window = config.vision_config, 0
    if len(getattr(vision, "fullatt_block_indexes", range(vision.depth))) < vision.depth:
        window = vision.window_size // vision.spatial_merge_size // vision.patch_size
    grid = int(getattr(vision, "num_position_embeddings", 0) ** 0.5)
    return VisionFacts(kind="patches", merge=vision.spatial_merge_size, window=window, grid=grid)


def tile_facts(config: Any) -> VisionFacts:
    return VisionFacts(kind="tiles")


def plane_facts(config: Any) -> VisionFacts:
    """Of the LLaVA encoders. The area of OneVision's planes is bounded: ``anyres_max_9`` means that of nine tiles."""
    vision = config.vision_config
    bound = getattr(config, "vision_aspect_ratio", None) or "anyres_max_0"
    return VisionFacts(
        kind="planes",
        tile=vision.image_size,
        side=vision.image_size // vision.patch_size,
        grids=tuple((height, width) for height, width in config.image_grid_pinpoints),
        most_tiles=int(bound.removeprefix("anyres_max_")),
    )


_qwen = ConvertibleFamily(lambda model: PatchVision(model.visual), patch_facts, axes=3)
_smol = ConvertibleFamily(SmolTiles, tile_facts)
_llava = ConvertibleFamily(LlavaTiles, plane_facts)

# By config.json's model_type; convertible.py says which there are without importing any of this.
FAMILIES: dict[str, ConvertibleFamily] = {
    "qwen2_vl": _qwen,
    "qwen2_5_vl": _qwen,
    "qwen3_vl": _qwen,
    "smolvlm": _smol,
    "idefics3": _smol,
    "llava_next": _llava,
    "llava_onevision": _llava,
    "internvl": ConvertibleFamily(InternTiles, tile_facts),
}


def language_model(model: Any) -> Any:
    """The transformers model's text part, without its head."""
    return model.model.text_model if hasattr(model.model, "text_model") else model.model.language_model


def language_shape(config: Any, axes: Literal[1, 3]) -> LanguageShape:
    """config: the transformers model's."""
    text = config.get_text_config()
    heads = text.num_attention_heads
    return LanguageShape(
        num_layers=text.num_hidden_layers,
        num_kv_heads=getattr(text, "num_key_value_heads", None) or heads,
        head_dim=getattr(text, "head_dim", None) or text.hidden_size // heads,
        hidden_size=text.hidden_size,
        axes=axes,
        deepstack=len(getattr(config.vision_config, "deepstack_visual_indexes", None) or ()),
    )
