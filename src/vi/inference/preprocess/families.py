"""What differs between architectures, as data: the text that stands for a picture, and how positions are counted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from vi.inference.errors import LoadError, did_you_mean

Placeholders = Callable[[Mapping[str, Any], Any, str], list[str]]


@dataclass(frozen=True)
class Family:
    """One architecture.

    placeholders: (image processor's output, model config, image token) -> the prompt text of each picture.
    options: what the image processor is called with besides the pictures. layout: names in its output that only say
    how a picture was cut, which ``forward`` does not take. seen_sizes: (image processor's output, model config) -> the
    pixel sizes of the resized pictures, None where they are cut into tiles. mrope: positions have three axes (time,
    height, width).
    """

    placeholders: Placeholders
    layout: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    seen_sizes: Callable[[Mapping[str, Any], Any], list[tuple[int, int]]] | None = None
    mrope: bool = False


def merged_grid(inputs: Mapping[str, Any], config: Any, image_token: str) -> list[str]:
    """One token for every square of merged patches. Grids are [pictures, 3]: time, height, width, in patches."""
    merge = config.vision_config.spatial_merge_size
    return [image_token * (int(grid.prod()) // merge**2) for grid in inputs["image_grid_thw"]]


def grid_sizes(inputs: Mapping[str, Any], config: Any) -> list[tuple[int, int]]:
    """(width, height) in pixels of each picture's grid of patches."""
    patch = config.vision_config.patch_size
    return [(int(columns) * patch, int(rows) * patch) for _, rows, columns in inputs["image_grid_thw"]]


def tiles(inputs: Mapping[str, Any], config: Any, image_token: str) -> list[str]:
    """The picture's tiles, a line a row, then the whole picture; all of them framed by marker tokens."""
    vision = config.vision_config
    tile = image_token * ((vision.image_size // vision.patch_size) ** 2 // config.scale_factor**2)
    frame = "<fake_token_around_image>"
    texts = []
    for num_rows, num_columns in zip(inputs["rows"][0], inputs["cols"][0], strict=True):
        lines = [
            "".join(f"{frame}<row_{row + 1}_col_{column + 1}>{tile}" for column in range(num_columns)) + "\n"
            for row in range(num_rows)
        ]
        gap = "\n" if lines else ""
        texts.append(f"{''.join(lines)}{gap}{frame}<global-img>{tile}{frame}")
    return texts


FAMILIES: dict[str, Family] = {
    "qwen2_vl": Family(placeholders=merged_grid, seen_sizes=grid_sizes, mrope=True),
    "qwen2_5_vl": Family(placeholders=merged_grid, seen_sizes=grid_sizes, mrope=True),
    "smolvlm": Family(placeholders=tiles, layout=("rows", "cols"), options={"return_row_col_info": True}),
}


def get_family(model_type: str) -> Family:
    """The row of ``model_type`` (``config.json``'s own word); LoadError names the nearest where there is none."""
    if model_type in FAMILIES:
        return FAMILIES[model_type]
    raise LoadError(
        f"{model_type!r} is not an architecture that can be run yet; these are: {', '.join(FAMILIES)}.",
        did_you_mean(model_type, FAMILIES),
    )
