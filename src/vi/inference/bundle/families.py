"""What differs between architectures when they are converted: where their parts are, and how pictures are encoded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from vi.inference.bundle.language_graph import LanguageShape
from vi.inference.bundle.layout import VisionFacts
from vi.inference.bundle.patch_vision import PatchVision
from vi.inference.bundle.tile_vision import InternTiles, SmolTiles
from vi.inference.errors import LoadError, did_you_mean

TORCH_HINT = "It runs with PyTorch instead."


@dataclass(frozen=True)
class ConvertibleFamily:
    """One architecture. vision: the transformers model -> a module that ``vision_graph`` takes. axes: of positions."""

    vision: Callable[[Any], Any]
    vision_facts: Callable[[Any], VisionFacts]
    axes: Literal[1, 3] = 1


def patch_facts(vision: Any) -> VisionFacts:
    """vision: the vision config of a Qwen-VL model."""
    window = 0
    if len(getattr(vision, "fullatt_block_indexes", range(vision.depth))) < vision.depth:
        window = vision.window_size // vision.spatial_merge_size // vision.patch_size
    grid = int(getattr(vision, "num_position_embeddings", 0) ** 0.5)
    return VisionFacts(kind="patches", merge=vision.spatial_merge_size, window=window, grid=grid)


def tile_facts(vision: Any) -> VisionFacts:
    return VisionFacts(kind="tiles")


FAMILIES: dict[str, ConvertibleFamily] = {
    "qwen2_vl": ConvertibleFamily(lambda model: PatchVision(model.model.visual), patch_facts, axes=3),
    "qwen2_5_vl": ConvertibleFamily(lambda model: PatchVision(model.model.visual), patch_facts, axes=3),
    "qwen3_vl": ConvertibleFamily(lambda model: PatchVision(model.model.visual), patch_facts, axes=3),
    "smolvlm": ConvertibleFamily(lambda model: SmolTiles(model.model), tile_facts),
    "idefics3": ConvertibleFamily(lambda model: SmolTiles(model.model), tile_facts),
    "internvl": ConvertibleFamily(lambda model: InternTiles(model.model), tile_facts),
}


def convertible_family(config: Any) -> ConvertibleFamily:
    """The row of a model's config. Raises LoadError that says why a model cannot be converted."""
    family = FAMILIES.get(config.model_type)
    if family is None:
        hint = f"{did_you_mean(config.model_type, FAMILIES)} {TORCH_HINT}".strip()
        message = f"{config.model_type!r} models cannot be converted; these can: {', '.join(FAMILIES)}."
        raise LoadError(message, hint)
    text = config.get_text_config()
    kinds = set(getattr(text, "layer_types", None) or ()) - {"full_attention"}
    if kinds:
        raise LoadError(f"This model has layers of {', '.join(sorted(kinds))}, which cannot be converted.", TORCH_HINT)
    rope = (getattr(text, "rope_parameters", None) or {}).get("rope_type", "default")
    if rope in ("dynamic", "longrope"):
        raise LoadError(f"This model's {rope} positions depend on a text's length and cannot be converted.", TORCH_HINT)
    return family


def language_model(model: Any) -> Any:
    """The transformers model's text part, without its head."""
    return model.model.text_model if hasattr(model.model, "text_model") else model.model.language_model


def language_shape(config: Any, family: ConvertibleFamily) -> LanguageShape:
    text = config.get_text_config()
    heads = text.num_attention_heads
    return LanguageShape(
        num_layers=text.num_hidden_layers,
        num_kv_heads=getattr(text, "num_key_value_heads", None) or heads,
        head_dim=getattr(text, "head_dim", None) or text.hidden_size // heads,
        hidden_size=text.hidden_size,
        axes=family.axes,
        deepstack=len(getattr(config.vision_config, "deepstack_visual_indexes", None) or ()),
    )
